import Foundation
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// Several processes of one host: one drives, the others wait, hand over or leave it be, and nobody waits for ever.
struct DriverTests {
    private let token = "test-webapp-api"

    /// One token in use, and a consumer that holds its rotations up as long as the file `hold` is there.
    private func withHeldConsumer(_ body: (Account) async throws -> Void) async throws {
        try await Account.with { account in
            let host = account.host
            try writeSlow(host)
            try Targets.writeOne(to: host, overlap: "{at_least: 0s}", then: "{run: [\(host.path("slow"))], timeout: 5min}")
            #expect(try await host.run("daemon", "--once").code == 0)
            try host.write("", to: "hold")
            // Whatever a dead driver has left running ends with this.
            defer { try? FileManager.default.removeItem(atPath: host.path("hold")) }
            try await body(account)
        }
    }

    private func writeSlow(_ host: Host) throws {
        let loop = "while [ -e \(host.path("hold")) ]; do : > \(host.path("held")); sleep 0.05; done"
        try host.write("#!/bin/sh\n\(loop)\n", to: "slow", mode: 0o755)
    }

    private func letGo(_ account: Account) throws { try FileManager.default.removeItem(atPath: account.host.path("hold")) }

    private func rotating(_ account: Account) async throws -> Child {
        let child = try account.host.start(["rotate", token])
        try await until("it drives as far as the consumer") { account.host.exists("held") }
        return child
    }

    private func expectRest(_ account: Account) async throws {
        try await until("only what the consumer holds is alive") {
            _ = try await account.host.run("daemon", "--once")
            return try account.living.map(\.secret) == [account.host.read("targets/token")]
        }
    }

    @Test func `while a command drives, a pass from cron leaves, a daemon waits and takes over`() async throws {
        try await withHeldConsumer { account in
            let command = try await rotating(account)
            let pass = try await account.host.run("daemon", "--once")
            #expect(pass.code == 0)
            #expect(pass.errors.contains("another keyturn process is driving; it was told to look now"))
            let daemon = try account.host.daemon()
            try await until("the daemon waits") { daemon.complained.contains("this one waits for it to end") }
            #expect(command.status == nil)
            try letGo(account)
            #expect(try await command.ended() == 0, "\(command.said)")
            try await until("the daemon drives") { daemon.complained.contains("keyturn is ready") }
            try await until("it revokes what the command has replaced") { account.living.count == 1 }
            #expect(account.gateway.statistics().creates == 2)
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
        }
    }

    @Test func `of two commands for one token one drives, and both end`() async throws {
        try await withHeldConsumer { account in
            let first = try await rotating(account)
            let second = try account.host.start(["rotate", token])
            try await until("the second has filed its request") { self.isFiled(2, account) }
            try letGo(account)
            #expect(try await first.ended() == 0, "\(first.said)")
            #expect(try await second.ended() == 0, "\(second.said)")
            #expect(account.gateway.statistics().creates <= 3)
            try await expectRest(account)
        }
    }

    @Test func `a command whose driver, another command, is killed goes on with the same rotation`() async throws {
        try await withHeldConsumer { account in
            let first = try await rotating(account)
            let second = try account.host.start(["rotate", token])
            try await until("the second has filed its request") { self.isFiled(2, account) }
            first.send(SIGKILL)
            try letGo(account)
            #expect(try await second.ended() == 0, "\(second.said)")
            #expect(account.gateway.statistics().creates == 2, "what the first had begun is finished, not begun again")
            try await expectRest(account)
        }
    }

    @Test func `of four commands that follow a daemon one drives on when it is killed, and all end`() async throws {
        try await Account.with { account in
            let host = account.host
            try writeSlow(host)
            try Targets.write(to: host, every: "90d", overlap: "{at_least: 0s}", then: "{run: [\(host.path("slow"))], timeout: 5min}")
            let daemon = try host.daemon()
            for target in Targets.all { try await host.until(target.token, is: "active") }
            try host.write("", to: "hold")
            defer { try? FileManager.default.removeItem(atPath: host.path("hold")) }
            let commands = try Targets.all.map { try host.start(["rotate", $0.token]) } + [host.start(["rotate", "--all"])]
            try await until("the daemon is held up by a consumer") { host.exists("held") }
            daemon.send(SIGKILL)
            try letGo(account)
            for command in commands { #expect(try await command.ended(within: .seconds(60)) == 0, "\(command.said)") }
            try await until("only what consumers hold is alive") {
                _ = try await host.run("daemon", "--once")
                return try account.isSettled
            }
        }
    }

    @Test func `passes that start at the same moment on a new host make one generation`() async throws {
        try await Account.with { account in
            try Targets.writeOne(to: account.host)
            let passes = try (0..<6).map { _ in try account.host.daemon("--once") }
            for pass in passes { #expect(try await pass.ended() == 0, "\(pass.said)") }
            #expect(account.gateway.statistics().creates == 1)
            #expect(account.living.map(\.secret) == [try account.host.read("targets/token")])
        }
    }

    @Test func `a revoke during a rotation ends it with everything, and both commands end`() async throws {
        try await withHeldConsumer { account in
            let rotation = try await rotating(account)
            let revocation = try account.host.start(["revoke", token])
            try await until("the revoke is filed") { self.isFiled(2, account) }
            try letGo(account)
            #expect(try await revocation.ended() == 0, "\(revocation.said)")
            // The rotation was finished before the revoke was looked at, or given up because of it.
            #expect([0, 1].contains(try await rotation.ended()), "\(rotation.said)")
            #expect(account.living.isEmpty)
            #expect(try await account.host.status(of: token).state == "ended")
        }
    }

    /// Has the host's journal so many requests? Read as any program may, for a command says nothing before it is heard.
    private func isFiled(_ number: Int, _ account: Account) -> Bool { account.host.requests() >= number }
}
