import Foundation
import Glibc
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// A slip in one policy: who looks or ends goes on with what can be read, who acts by the policies does not.
struct BrokenPolicyTests {
    private let token = "test-webapp-api"

    /// Spoils the policy of the one token, and puts another bad one beside it.
    private func spoil(_ host: Host) throws {
        try host.write(
            try host.read("policies/test.yaml").replacingOccurrences(of: "gateway: laozhang", with: "gateway: laozhnag"),
            to: "policies/test.yaml")
        try host.write("environment: more\ngateway: laozhang\ncolour: blue\ntokens: []\n", to: "policies/more.yaml")
    }

    @Test func `status, history and verify show what is known and name each bad file with its first error`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("daemon", "--once").code == 0)
            let before = try await host.status(of: token)
            try spoil(host)
            let looks = [["status"], ["status", token], ["status", "--json"], ["history"], ["history", token, "--json"], ["verify"]]
            for arguments in looks {
                let child = try host.start(arguments)
                #expect(try await child.ended() == 0, "\(arguments): \(child.said)")
                #expect(child.written.contains(token))
                let complaints = child.complained.split(separator: "\n")
                #expect(complaints.count == 2, "\(complaints)")
                #expect(complaints[0].hasPrefix("\(host.path("policies/more.yaml")):3:1: unknown key 'colour'"))
                #expect(complaints[0].hasSuffix("; left out, with 1 more error: see `keyturn check`"))
                #expect(complaints[1].hasPrefix("\(host.path("policies/test.yaml")):2:10: gateway: found 'laozhnag'"))
                #expect(complaints[1].hasSuffix("; left out: see `keyturn check`"))
            }
            let report = try await host.status(of: token)
            #expect(report.generation?.id == before.generation?.id)
            #expect(report.state == "active")
            #expect(report.reason == "no policy that can be read asks for it")
            #expect(try await host.run("status", "x").errors.hasSuffix("; it may be in a policy that was left out\n"))
        }
    }

    @Test func `who acts by the policies is stopped by any error, and settings that are wrong stop everybody`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            try spoil(host)
            for arguments in [["plan"], ["check"], ["rotate", token], ["daemon"], ["daemon", "--once"], ["adopt", token, "--from", "x"]] {
                let child = try host.start(arguments)
                #expect(try await child.ended() == 78, "\(arguments): \(child.said)")
                #expect(child.complained.contains("more.yaml:4:9: "), "every error")
            }
            try host.settings(gateway: "capcity: 3")
            for arguments in [["status"], ["history"], ["verify"], ["revoke", token]] {
                let child = try host.start(arguments)
                #expect(try await child.ended() == 78, "\(arguments): \(child.said)")
                #expect(child.complained.contains("keyturn.yaml:6:5: laozhang: unknown key 'capcity', did you mean 'capacity'?"))
            }
        }
    }

    @Test(arguments: [true, false])
    func `revoke ends a token that the journal knows, and says nothing wrong of the others`(hasDaemon: Bool) async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.write(to: host, every: "90d")
            #expect(try await host.run("daemon", "--once").code == 0)
            let daemon = hasDaemon ? try host.daemon() : nil
            if let daemon { try await until("it is ready") { daemon.complained.contains("keyturn is ready") } }
            try spoil(host)
            let revoked = try await host.run("revoke", "test-worker-batch")
            #expect(revoked.code == 0, "\(revoked)")
            #expect(revoked.lines.last?.hasPrefix("test-worker-batch is ended") == true)
            #expect(account.living(of: "test-worker-batch").isEmpty)
            #expect(account.living.count == 2)
            let status = try await host.run("status")
            #expect(!status.output.contains("left-policies"), "\(status)")
        }
    }

    @Test func `a refused reload is a finding until the next good one, or the next start`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            let good = try host.read("policies/test.yaml")
            let manager = try NotifySocket(at: host.path("notify"))
            let daemon = try host.daemon(environment: ["NOTIFY_SOCKET": host.path("notify")])
            try await host.until(token, is: "active")
            func status() async throws -> String { try await host.run("status").output }
            try spoil(host)
            daemon.send(SIGHUP)
            try await until("status tells it") { try await status().contains("reload-refused") }
            #expect(
                try await status().contains(
                    "a reload was refused, and older settings and policies are in force: \(host.path("policies/more.yaml")):3:1: "))
            #expect(try await status().contains("(and 2 more)"))
            try await until("systemctl status tells it") {
                manager.messages.contains { $0.hasPrefix("STATUS=1 token") && $0.hasSuffix("; the last reload was refused") }
            }
            #expect(try await status().contains("`keyturn check` shows every error; mend them, then reload keyturn"))
            // A pass in between does not close it: the older policies are still in force.
            #expect(try await host.run("revoke", token).code == 0)
            #expect(try await status().contains("reload-refused"))
            try host.write(good, to: "policies/test.yaml")
            try FileManager.default.removeItem(atPath: host.path("policies/more.yaml"))
            daemon.send(SIGHUP)
            try await until("a good one closes it") { try await !status().contains("reload-refused") }
            #expect(daemon.complained.contains("no longer so: a reload was refused"))
            try await until("systemctl status forgets it") {
                manager.messages.last { $0.hasPrefix("STATUS=") }?.hasSuffix("; the last reload was refused") == false
            }

            try host.write("nonsense", to: "policies/test.yaml")
            daemon.send(SIGHUP)
            try await until("it is refused again") { try await status().contains("reload-refused") }
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
            try host.write(good, to: "policies/test.yaml")
            #expect(try await host.run("daemon", "--once").code == 0)
            #expect(try await !status().contains("reload-refused"))
        }
    }
}
