import Foundation
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// `leak`, as a person under stress meets it.
struct LeakCommandTests {
    private let token = "test-webapp-api"

    @Test func `without a daemon a leak is contained, replaced and reported, and the report holds no secret`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("daemon", "--once").code == 0)
            let leaked = try #require(account.living.first)
            for _ in 1...3 { account.gateway.spend(name: leaked.name, amount: 2) }
            let foreign = account.gateway.addForeign(name: "test-webapp-other-2024-01")
            let run = try await host.run("leak", token, "--reason", "in <script>alert(1)</script> | of `wiki`")
            #expect(run.code == 0, "\(run)")
            let living = account.living(of: token)
            #expect(living.count == 1 && living.first?.id != leaked.id)
            #expect(account.living.contains { $0.id == foreign.id })
            #expect(try host.read("targets/token") == living.first?.secret)
            for part in [
                "# Leak of \(token)", leaked.id, "\(leaked.name) delivered to \(host.path("targets/token"))", "6 USD",
                "To: hi@laozhang.ai", "- [ ] find the copies", "in \\<script\\>alert(1)",
            ] { #expect(run.output.contains(part), "\(part) in \(run)") }
            let report = try await host.run("leak", token, "--html", host.path("report.html"), "--markdown", host.path("report.md"))
            #expect(report.code == 0, "\(report)")
            let html = try host.read("report.html")
            #expect(!html.contains("<script") && html.contains("&lt;script&gt;"))
            #expect(try host.read("report.md").contains("over since"))
            let mode = try FileManager.default.attributesOfItem(atPath: host.path("report.html"))[.posixPermissions] as? Int
            #expect(mode == 0o600)
            for secret in account.gateway.snapshot().map(\.secret) + [Host.admin] {
                for text in [html, try host.read("report.md"), run.output, run.errors] { #expect(!text.contains(secret)) }
            }
            // Nothing of it remains to be told.
            #expect(try await !host.run("status").output.contains("leak-open"))
        }
    }

    @Test func `with a daemon the command follows it, and a policy with errors stops nothing`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            let daemon = try host.daemon()
            try await host.until(token, is: "active")
            let leaked = try #require(account.living.first)
            try host.write("environment: [", to: "policies/zz.yaml")
            let run = try await host.run("leak", token)
            #expect(run.code == 0, "\(run)")
            #expect(account.living.count == 1 && account.living.first?.id != leaked.id)
            #expect(run.output.contains("\(token): leaked, by a person's word"))
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
        }
    }

    @Test func `a refused admin token: 3, the steps for the console, and the request is carried out later`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("daemon", "--once").code == 0)
            let leaked = try #require(account.living.first)
            try account.setFaults("dead-admin")
            let run = try await host.run("leak", token)
            #expect(run.code == 3, "\(run)")
            #expect(run.output.contains(leaked.name) && run.output.contains("id \(leaked.id)"))
            #expect(run.output.contains("key \(leaked.secret.prefix(5))****\(leaked.secret.suffix(4))"))
            #expect(run.output.contains("log in to the console of laozhang: \(host.url)"))
            #expect(!run.output.contains(leaked.secret))
            #expect(try await host.run("status").output.contains("leak-open"))
            account.gateway.revokeInConsole(id: leaked.id)
            account.gateway.setFaults([])
            let once = try await host.run("daemon", "--once")
            #expect(once.code == 0 || once.code == 2, "\(once)")
            #expect(try await host.run("leak", token, "--report").output.contains("seen refused at"))
            try await until("it is replaced") {
                _ = try await host.run("daemon", "--once")
                return account.living.count == 1 && account.living.first?.id != leaked.id
            }
        }
    }

    @Test func `beside a daemon that knew of the dead admin token before, the command does not wait for ever`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            let daemon = try host.daemon()
            try await host.until(token, is: "active")
            try account.setFaults("dead-admin")
            try await until("the daemon knows") { try await host.run("status").output.contains("admin-token-refused") }
            let run = try await host.run("leak", token)
            #expect(run.code == 3, "\(run)")
            #expect(run.output.contains("In a hurry"))
            #expect(try await host.run("revoke", token).code == 3)
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
        }
    }

    @Test func `while the keyring is missing nothing is revoked, a person is told what to end, and the request waits for it`() async throws
    {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("daemon", "--once").code == 0)
            let leaked = try #require(account.living.first)
            try FileManager.default.moveItem(atPath: host.path("state/keys"), toPath: host.path("hidden"))
            let run = try await host.run("leak", token)
            #expect(run.code == 3, "\(run)")
            #expect(run.output.contains("\(leaked.name), id \(leaked.id)"))
            #expect(account.living.map(\.id) == [leaked.id])
            try? FileManager.default.removeItem(atPath: host.path("state/keys"))
            try FileManager.default.moveItem(atPath: host.path("hidden"), toPath: host.path("state/keys"))
            #expect(try await host.run("daemon", "--once").code == 0)
            #expect(account.living.count == 1 && account.living.first?.id != leaked.id)
        }
    }

    @Test func `a secret for a reason, a report of nothing and a token that nobody knows are refused`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("leak", token, "--reason", "sk-abcdefghijklmnop").code == 64)
            #expect(try await host.run("leak", token, "--report", "--replace-first").code == 64)
            #expect(!host.exists("state"))
            let report = try await host.run("leak", token, "--report")
            #expect(report.code == 1)
            #expect(report.errors.contains("nobody has said that \(token) leaked"))
            #expect(try await host.run("leak", "test-nothing").code == 1)
            let nothing = try await host.run("leak", token)
            #expect(nothing.code == 1, "\(nothing)")
            #expect(nothing.errors.contains("no generation of \(token) exists that could have leaked"))
        }
    }
}
