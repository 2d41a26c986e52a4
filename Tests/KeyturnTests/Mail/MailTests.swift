import Foundation
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// Findings reach people by mail: through a real mail program, and straight to a real mail server.
@Suite(.enabled(if: MailHost.missing == nil, Comment(rawValue: MailHost.missing ?? "")))
struct MailTests {
    @Test func `a finding is told when it opens and when it is over, in one thread, with what to type`() async throws {
        try await Account.with { account in
            let host = account.host
            let server = try await MailHost(host)
            try host.settings(lines: try server.sendmail(host))
            try Targets.writeOne(to: host, then: "{run: [/bin/false]}")
            _ = try await host.run("daemon", "--once")
            let first = try #require(try server.letters.first)
            #expect(try server.letters.count == 1, "\(host.said)")
            #expect(first.from == "keyturn@example.com" && first.to == ["ops@example.com", "dev@example.com"])
            #expect(first.subject.hasPrefix("[keyturn] test-webapp-api: is stuck: "), "\(first.subject)")
            #expect(first.headers["auto-submitted"] == "auto-generated")
            #expect(first.id.hasPrefix("<finding.1.") && first.id.hasSuffix("@example.com>"))
            for body in [first.text, first.html] {
                #expect(body.contains("/bin/false ended with status 1") && body.contains("keyturn rotate test-webapp-api"), "\(body)")
            }
            // Nothing new is told of it.
            _ = try await host.run("daemon", "--once")
            #expect(try server.letters.count == 1)
            try Targets.writeOne(to: host)
            _ = try await host.run("daemon", "--once")
            let letters = try server.letters
            #expect(letters.count == 2, "\(host.said)")
            #expect(letters[1].subject.hasPrefix("[keyturn] test-webapp-api: over: "))
            #expect(letters[1].headers["in-reply-to"] == first.id && letters[1].headers["references"] == first.id)
            #expect(letters[1].id != first.id)
            for letter in letters { expectClean(letter, account) }
        }
    }

    private func expectClean(_ letter: MailHost.Letter, _ account: Account) {
        #expect(letter.defects.isEmpty && letter.ascii && !letter.bare && letter.longest <= 78, "\(letter)")
        #expect(Set(letter.names).count == letter.names.count, "a header twice: \(letter.names)")
        for token in account.gateway.snapshot() { #expect(!"\(letter)".contains(token.secret)) }
        #expect(!"\(letter)".contains(Host.admin))
    }

    @Test func `twenty findings at once are one mail`() async throws {
        try await Account.with { account in
            let host = account.host
            let server = try await MailHost(host)
            try host.settings(lines: try server.sendmail(host))
            let tokens = (0..<20).map { number in
                "  - {project: p\(number), purpose: api, deliver: [{file: \(host.path("targets/p\(number)")), then: {run: [/bin/false]}}]}"
            }
            try host.write("environment: test\ngateway: laozhang\ntokens:\n\(tokens.joined(separator: "\n"))\n", to: "policies/test.yaml")
            _ = try await host.run("daemon", "--once")
            let letters = try server.letters
            #expect(letters.map(\.subject) == ["[keyturn] 20 findings: 20 new"])
            #expect(letters.allSatisfy { $0.text.contains("test-p7-api is stuck") && $0.text.contains("test-p19-api is stuck") })
            for letter in letters { expectClean(letter, account) }
        }
    }

    @Test func `straight to a mail server by TLS and a login, and by STARTTLS, and never without TLS where that is asked for`() async throws
    {
        try await Account.with { account in
            let host = account.host
            let files = try await TestCertificate(host)
            try Targets.writeOne(to: host)
            try host.write("pass word\n", to: "password", mode: 0o600)
            for (tls, scheme) in [("smtps", "smtps"), ("starttls", "smtp")] {
                let server = try await MailHost(
                    host, "--tls", tls, "--cert", files.certificate, "--key", files.key, "--login", "keyturn:pass word")
                func settings(_ more: String) -> String {
                    "mail: {from: keyturn@example.com, to: [ops@example.com], smtp: {url: \"\(scheme)://localhost:\(server.port)\", "
                        + "user: keyturn, password: {file: password}\(more)}}"
                }
                try host.settings(lines: settings(", ca_file: \(files.certificate)"))
                let run = try await host.run("test-mail")
                #expect(run.code == 0, "\(run)")
                #expect(run.output.hasSuffix("as keyturn: accepted\n"), "\(run)")
                let letter = try #require(try server.letters.first)
                #expect(letter.tls && letter.login && letter.subject == "[keyturn] test: mail reaches you")
                expectClean(letter, account)
                // An authority that this host does not trust.
                if tls == "smtps" {
                    try host.settings(lines: settings(""))
                    #expect(try await host.run("test-mail").code == 1)
                }
                try host.settings(lines: settings(", ca_file: \(files.certificate)"))
                try host.write("another\n", to: "password", mode: 0o600)
                let refused = try await host.run("test-mail")
                #expect(refused.code == 1 && refused.errors == "", "\(refused)")
                #expect(!"\(refused)".contains("another"))
                try host.write("pass word\n", to: "password", mode: 0o600)
                #expect(try server.letters.count == 1)
            }
            let plain = try await MailHost(host)
            let url = "smtp://localhost:\(plain.port)"
            try host.settings(
                lines: "mail: {from: k@example.com, to: [o@example.com], smtp: {url: \"\(url)\", ca_file: \(files.certificate)}}")
            let run = try await host.run("test-mail")
            #expect(run.code == 1, "\(run)")
            #expect(try plain.letters.isEmpty)
            try host.settings(lines: "mail: {from: k@example.com, to: [o@example.com], smtp: {url: \"\(url)\"}}")
            #expect(try await host.run("test-mail").code == 0)
            #expect(try await host.run("test-mail", "--to", "else@example.com").code == 0)
            #expect(try plain.letters.map(\.to) == [["o@example.com"], ["else@example.com"]])
        }
    }

    @Test func `test-mail says what is wrong, with the code for it`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("test-mail").code == 78)
            let server = try await MailHost(host)
            try host.settings(lines: try server.sendmail(host))
            let accepted = try await host.run("test-mail")
            #expect(accepted.code == 0, "\(accepted)")
            #expect(accepted.lines == ["mail to ops@example.com, dev@example.com by /usr/bin/msmtp: accepted"])
            for address in ["-oQ/tmp@x", "a@b\nBcc: c@d", "a@b c"] {
                #expect(try await host.run("test-mail", "--to", address).code != 0, "\(address)")
            }
            try server.refuse("550 5.7.1 not by you sk-abcdefghij0123456789")
            let refused = try await host.run("test-mail")
            #expect(refused.code != 0 && refused.output.contains("not by you") && !refused.output.contains("sk-abc"), "\(refused)")
            server.end()
            try await until("nobody is there") { try await host.run("test-mail").code == 69 }
            try host.settings(lines: "mail: {from: k@example.com, to: [o@example.com], sendmail: /nowhere/sendmail}")
            let nowhere = try await host.run("test-mail")
            #expect(nowhere.code == 1 && nowhere.output.contains("no such program"), "\(nowhere)")
            try host.settings(lines: "mail: {from: k@example.com, to: [o@example.com], smtp: {url: \"smtp://127.0.0.1:9\"}}")
            #expect(try await host.run("test-mail").code == 69)
        }
    }

    @Test func `an outage ends in one mail about what is open, and who fails is a finding`() async throws {
        try await Account.with { account in
            let host = account.host
            let server = try await MailHost(host)
            try server.refuse("451 4.3.0 later")
            try host.settings(lines: "watch: {every: 1s}\n" + (try server.sendmail(host)))
            try Targets.writeOne(to: host, then: "{run: [/bin/false]}")
            let daemon = try host.daemon()
            try await until("mail is told to fail") {
                try await host.run("status").output.contains("courier-failing: nothing can be told by mail")
            }
            #expect(try server.letters.isEmpty)
            // What is over before anybody could be told of it.
            try Targets.writeOne(
                to: host, more: Targets.other(host).replacingOccurrences(of: "}]}", with: ", then: {run: [/bin/false]}}]}"))
            daemon.send(SIGHUP)
            try await until("the second token is stuck, and the first is not") {
                let output = try await host.run("status").output
                return output.contains("token-stuck: test-other-api") && !output.contains("token-stuck: test-webapp-api")
            }
            try server.refuse(nil)
            try await until("mail is taken again") { try !server.letters.isEmpty }
            try await until("and does not fail any more") { try await !host.run("status").output.contains("courier-failing") }
            let letter = try #require(try server.letters.first)
            #expect(try server.letters.count == 1)
            #expect(letter.subject.hasPrefix("[keyturn] test-other-api: is stuck"), "\(letter.subject)")
            #expect(letter.text.contains("Nothing could be told by mail since "), "\(letter.text)")
            #expect(letter.text.contains("Came and went: test-webapp-api is stuck"), "\(letter.text)")
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
        }
    }

    @Test func `a hook that hangs slows neither passes nor mail, nor the end of the daemon`() async throws {
        try await Account.with { account in
            let host = account.host
            let server = try await MailHost(host)
            let deaf = try DeafListener()
            try host.settings(
                lines: "watch: {every: 1s}\n" + (try server.sendmail(host))
                    + "\nwebhooks: [{url: \"http://127.0.0.1:\(deaf.port)/secret-path\"}]")
            try Targets.writeOne(to: host, then: "{run: [/bin/false]}")
            let daemon = try host.daemon()
            try await until("mail is taken") { try !server.letters.isEmpty }
            try Targets.writeOne(to: host)
            daemon.send(SIGHUP)
            try await until("passes go on, and mail tells of the end") { try server.letters.count == 2 }
            #expect(try await host.run("rotate", "test-webapp-api").code == 0)
            let asked = ContinuousClock.now
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
            #expect(ContinuousClock.now - asked < .seconds(20))
            #expect(!host.said.contains("secret-path"))
        }
    }
}
