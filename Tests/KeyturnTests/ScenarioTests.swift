import Foundation
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// The whole life of a policy, its months turned into seconds.
struct ScenarioTests {
    @Test func `a daemon issues, rotates by schedule, overlaps and revokes, and no call of a consumer fails`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.write(to: host)
            try await Traffic.during(account) { traffic in
                let daemon = try host.daemon("-v")
                try await until("every token was rotated twice") {
                    Targets.all.allSatisfy { account.generations(of: $0.token).count >= 3 }
                }
                try Targets.write(to: host, every: "90d")
                daemon.send(SIGHUP)
                try await until("all is settled") { try account.isSettled }
                #expect(try await host.status().map(\.state) == ["active", "active", "active"])
                let overview = try await host.run("status")
                #expect(!overview.output.contains("findings:") && !daemon.complained.contains("attributes"), "\(overview)")
                daemon.send(SIGTERM)
                #expect(try await daemon.ended() == 0)
                #expect(traffic.failures == [])
                #expect(traffic.calls > 20)
            }
            expectOverlaps(account.gateway.snapshot())
        }
    }

    @Test func `passes from cron alone do the same, with a sandbox that is a process of its own and dies on the way`() async throws {
        await Turnstile.shared.enter()
        let host = try Host(url: "")
        do { try await passes(host) } catch {
            host.end()
            await Turnstile.shared.leave()
            throw error
        }
        host.end()
        await Turnstile.shared.leave()
    }

    private func passes(_ host: Host) async throws {
        func sandbox(_ port: String) async throws -> (Child, url: String) {
            let child = try host.start(["sandbox", "--port", port, "--admin-token", Host.admin, "--state", host.path("account.json")])
            try await until("the sandbox says where it is") { child.written.contains(" with admin token") }
            guard let url = child.written.firstMatch(of: /http:\/\/127\.0\.0\.1:[0-9]+/)?.output else { throw Unexpected(child.said) }
            return (child, String(url))
        }
        let (first, url) = try await sandbox("0")
        try host.settings(url: url)
        try Targets.write(to: host)
        var codes: Set<Int32> = []
        try await Traffic.during(host, url) { traffic in
            try await until("every token was rotated once") {
                codes.insert(try await host.run("daemon", "--once").code)
                return try Targets.all.allSatisfy { target in try host.account().count { $0.name.hasPrefix(target.token) } >= 2 }
            }
            #expect(traffic.failures == [])
        }
        // 2: an overlap waits. 0: nothing does.
        #expect(codes == [0, 2])
        first.send(SIGKILL)
        try await first.ended()
        let lost = try await host.run("daemon", "--once")
        #expect(lost.code == 69, "\(lost)")
        _ = try await sandbox(url.split(separator: ":").last.map(String.init) ?? "")
        try Targets.write(to: host, every: "90d")
        try await until("nothing waits any more") { try await host.run("daemon", "--once").code == 0 }
        let account = try host.account()
        for target in Targets.all {
            let living = account.filter { $0.name.hasPrefix(target.token) && $0.status != .revoked }
            #expect(living.map(\.secret) == [target.secret(in: try host.read(target.file))])
        }
        expectOverlaps(account)
    }

    /// Whatever was replaced lived on for a second after its replacement was made, and then was revoked.
    private func expectOverlaps(_ account: [SandboxToken]) {
        for target in Targets.all {
            let line = account.filter { $0.name.hasPrefix(target.token + "-") }
            #expect(Set(line.map(\.name)).count == line.count)
            for (old, new) in zip(line, line.dropFirst()) {
                guard let revokedAt = old.revokedAt else {
                    Issue.record("\(old.name) is still alive beside \(new.name)")
                    continue
                }
                #expect(revokedAt.timeIntervalSince(new.createdAt) >= 1)
            }
        }
    }
}

extension Host {
    /// The tokens in a sandbox's state file.
    func account() throws -> [SandboxToken] {
        struct Account: Decodable { var tokens: [SandboxToken] }
        return try JSONDecoder().decode(Account.self, from: Data(contentsOf: URL(filePath: path("account.json")))).tokens
    }
}
