import Foundation
import Glibc
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// What a person mends in settings and policies is tried at once, and a restart alone hurries nothing.
struct MendTests {
    @Test func `a raised capacity hurries the token that found no place`() async throws {
        try await Account.with({ $0.capacity = 4 }) { account in
            let host = account.host
            _ = account.gateway.addForeign(name: "somebody-elses")
            try host.settings(gateway: "capacity: 2", lines: "watch: {every: 1h}")
            try Targets.writeOne(to: host)
            let token = "test-webapp-api"
            let daemon = try host.daemon()
            try await host.until(token, is: "active")
            let rotated = try await host.run("rotate", token)
            #expect(rotated.code == 3)
            let wait = "the account holds all 2 tokens"
            func tries() async throws -> Int {
                try await host.run("history", token).lines.count { $0.contains(wait) }
            }
            try await until("it waits") { try await tries() >= 1 }
            daemon.send(SIGTERM)
            try await daemon.ended()
            try host.putOff("rotation")
            let heir = try host.daemon()
            try await until("the next daemon drives") { heir.complained.contains("keyturn is ready") }
            try host.settings(gateway: "capacity: 4", lines: "watch: {every: 1h}")
            let before = try await tries()
            heir.send(SIGHUP)
            try await host.until(token, is: "overlapping")
            #expect(try await tries() == before, "the first try under the new settings went well")
            #expect(
                try await host.run("history", token).output.contains(
                    "its policy or its gateway's settings changed: what failed is tried again"))
        }
    }

    @Test func `a changed policy is tried at once by the next pass, the same one is not, whoever makes it`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host, then: "{run: [/bin/false]}")
            func tries() async throws -> Int {
                try await host.run("history").lines.count { $0.contains("/bin/false ended with status 1") }
            }
            _ = try await host.run("daemon", "--once")
            try host.putOff("target")
            let before = try await tries()
            let again = try await host.run("daemon", "--once")
            #expect(again.code == 3, "\(again)")
            #expect(try await tries() == before, "a restart does not hurry it")
            try Targets.writeOne(to: host, then: "{run: [/bin/true]}")
            #expect(try await host.run("daemon", "--once").code == 0)
            #expect(try await host.status(of: "test-webapp-api").state == "active")
            #expect(try await host.run("history").lines.count { $0.contains("rebased") } == 1)
        }
    }
}
