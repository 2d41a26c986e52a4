import Foundation
import Glibc
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// What `status` and `history` give as the reason: the cause, and as long as it is so.
struct WhyTests {
    private let token = "test-webapp-api"

    @Test(arguments: [true, false])
    func `a dead admin token is why nothing goes on, until it is accepted again`(hasDaemon: Bool) async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host, overlap: "{at_least: 1h}")
            #expect(try await host.run("daemon", "--once").code == 0)
            let daemon = hasDaemon ? try host.daemon() : nil
            if let daemon { try await until("it is ready") { daemon.complained.contains("keyturn is ready") } }
            try account.setFaults("dead-admin")
            #expect(try await host.run("rotate", token).code == 3)
            let why = "gateway laozhang refuses the admin token: it answered 401"
            let stuck = try await host.status(of: token)
            #expect(stuck.state == "stuck")
            #expect(stuck.stuck?.hasPrefix(why) == true, "\(stuck)")
            for command in [["status"], ["status", token], ["plan"]] {
                let run = try await host.start(command).ended()
                #expect(run == 0)
            }
            #expect(try await host.run("plan").output.contains(why))
            #expect(try await !host.run("status").output.contains("minting a new generation"))
            account.gateway.setFaults([])
            if !hasDaemon { #expect(try await host.run("daemon", "--once").code == 2) }
            try await host.until(token, is: "overlapping")
            #expect(try await host.status(of: token).stuck == nil)
        }
    }

    @Test(arguments: [true, false])
    func `a gateway out of reach is why nothing goes on, until it is back`(hasDaemon: Bool) async throws {
        try await Account.with { account in
            let host = account.host
            // Port 9 is discard's: nobody listens there.
            try host.settings(url: "http://127.0.0.1:9")
            try Targets.writeOne(to: host)
            let daemon = hasDaemon ? try host.daemon() : nil
            if !hasDaemon { #expect(try await host.run("daemon", "--once").code == 69) }
            let why = "gateway laozhang does not list its tokens: "
            try await until("status tells it") { try await host.status(of: token).reason?.hasPrefix(why) == true }
            let away = try await host.status(of: token)
            #expect(away.state == "absent" && away.stuck == nil, "it is tried again by itself")
            #expect(try await host.run("plan").output.contains(why))
            try host.settings()
            daemon?.send(SIGHUP)
            if !hasDaemon { #expect(try await host.run("daemon", "--once").code == 0) }
            try await host.until(token, is: "active")
            #expect(try await host.status(of: token).reason == nil)
        }
    }

    @Test func `beside a policy that cannot be read, who drives goes on with what it read before, and status says so`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            let daemon = try host.daemon()
            try await host.until(token, is: "active")
            try host.write("nonsense", to: "policies/test.yaml")
            let why = "no policy that can be read asks for it"
            #expect(try await host.status(of: token).reason == "\(why); the process that drives goes on with what it read before")
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
            #expect(try await host.status(of: token).reason == why)
        }
    }

    @Test func `why somebody asked for a rotation that was under way already stands in the history`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host, then: "{run: [/bin/false]}")
            #expect(try await host.run("rotate", token, "--reason", "first").code == 3)
            let second = try await host.run("rotate", token, "--reason", "ticket 4711")
            #expect(second.code == 3)
            #expect(second.output.contains("\(token): asked for by hand: ticket 4711\n"), "\(second)")
            let history = try await host.run("history", token)
            #expect(history.output.contains("asked for by hand: ticket 4711"))
            #expect(history.lines.count { $0.contains("rotation started") } == 1)
        }
    }

    @Test func `what fails at a target names its file once`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            let file = host.path("targets/token")
            #expect(try await host.run("daemon", "--once").code == 0)
            try FileManager.default.removeItem(atPath: file)
            try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: true)
            #expect(try await host.run("daemon", "--once").code == 3)
            let line = try #require(try await host.run("history", token).lines.first { $0.contains("target-failed") })
            #expect(line.hasSuffix("  \(file): is no regular file; deliver to another path"), "\(line)")
            #expect(line.components(separatedBy: file).count == 2)
            let detail = try await host.run("status", token).lines.first { $0.hasPrefix("target ") }
            #expect(detail?.hasSuffix("\(file), not delivered: is no regular file; deliver to another path") == true, "\(detail ?? "")")
        }
    }
}
