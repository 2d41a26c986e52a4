import Foundation
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// `verify`: every secret that should work, tried, and what is wrong with those that do not.
struct VerifyTests {
    @Test func `what a target holds is diagnosed`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("daemon", "--once").code == 0)
            let good = try await host.run("verify")
            #expect(good.code == 0)
            #expect(good.lines.dropFirst().count == 2)
            #expect(good.lines.dropFirst().allSatisfy { $0.contains(" accepted") }, "\(good)")
            let secret = try host.read("targets/token")
            let other = account.gateway.addForeign(name: "somebody-elses")
            let first = secret.dropFirst(3).prefix(1)
            let spoilt = [
                (secret + "\n", "with white space or a newline in it"), (String(secret.dropLast(5)), "cut short: 46 of 51 characters"),
                (secret + "more", "with 4 more characters behind it"), (other.secret, "another secret than test-webapp-api-"),
                ("", "there is no secret in it"),
            ]
            for (text, words) in spoilt {
                try host.write(text, to: "targets/token")
                let run = try await host.run("verify", "test-webapp-api")
                #expect(run.code == 1)
                #expect(
                    run.lines.contains { $0.contains("targets/token") && $0.contains("refused") && $0.contains(words) },
                    "\(words) \(first): \(run)")
                #expect(!text.isEmpty || !run.output.contains(secret))
            }
            try FileManager.default.removeItem(atPath: host.path("targets/token"))
            #expect(try await host.run("verify").output.contains("there is no secret in it"))
        }
    }

    @Test func `verify --json is one document of stable keys, and ends with the same number`() async throws {
        struct Entry: Decodable, Equatable {
            var token: String
            var environment: String
            var what: String
            var place: String
            var verdict: String
            var why: String?
        }
        try await Account.with { account in
            let host = account.host
            #expect(try await host.run("verify", "--json").json([Entry].self) == [], "nothing to try")
            try Targets.writeOne(to: host)
            let absent = try await host.run("verify", "--json").json([Entry].self)
            #expect(absent.map(\.verdict) == ["untried"])
            #expect(try await host.run("daemon", "--once").code == 0)
            try host.write("x", to: "targets/token")
            let run = try await host.run("verify", "--json")
            #expect(run.code == 1)
            let name = account.living[0].name
            #expect(
                try run.json([Entry].self) == [
                    Entry(token: "test-webapp-api", environment: "test", what: "generation", place: name, verdict: "accepted", why: nil),
                    Entry(
                        token: "test-webapp-api", environment: "test", what: "target", place: host.path("targets/token"),
                        verdict: "refused",
                        why: "another secret than \(name): the wrong file, or changed by hand"),
                ])
        }
    }

    @Test func `a keyring that is damaged is told of the token it concerns, and the others are tried`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.write(to: host, every: "90d")
            #expect(try await host.run("daemon", "--once").code == 0)
            let name = try #require(account.living(of: "test-worker-batch").first).name
            try host.write("damaged", to: "state/keys/laozhang~\(name).key", mode: 0o600)
            let run = try await host.run("verify")
            #expect(run.code == 1)
            #expect(run.lines.contains { $0.contains("unknown   \(name): ") && $0.contains("restore it from a backup") }, "\(run)")
            #expect(run.lines.count { $0.contains(" accepted  ") } == 4, "\(run)")
        }
    }

    @Test func `look-alikes are told apart from another secret`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            // Secrets are random: issue until one has a letter that people misread.
            let confused: (String) -> String? = { secret in
                secret.firstIndex { "0O1l".contains($0) }.map { place in
                    let swapped: [Character: Character] = ["0": "O", "O": "0", "1": "l", "l": "1"]
                    return secret[..<place] + String(swapped[secret[place]] ?? "?") + secret[secret.index(after: place)...]
                }
            }
            try await until("a secret has a look-alike") {
                #expect(try await host.run("rotate", "test-webapp-api").code == 0)
                return confused(try host.read("targets/token")) != nil
            }
            try host.write(confused(try host.read("targets/token")) ?? "", to: "targets/token")
            let run = try await host.run("verify")
            #expect(run.code == 1)
            #expect(run.output.contains("with look-alikes confused (0 and O, 1 and l)"), "\(run)")
        }
    }

    @Test func `a secret revoked behind our back is refused, and one that retires quietly is left in peace`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host, overlap: "{at_least: 1h, quiet_for: 10min}")
            #expect(try await host.run("daemon", "--once").code == 0)
            #expect(try await host.run("rotate", "test-webapp-api").code == 0)
            let retiring = account.living[0]
            let quiet = try await host.run("verify")
            #expect(quiet.code == 0)
            #expect(
                quiet.lines.contains { $0.contains(retiring.name + ": ") && $0.contains("not tried: it retires and must stay quiet") },
                "\(quiet)")
            account.gateway.revokeInConsole(id: account.living[1].id)
            let revoked = try await host.run("verify")
            #expect(revoked.code == 1)
            #expect(revoked.lines.contains { $0.contains("refused") && $0.contains("revoked or unknown at the gateway") }, "\(revoked)")
            try account.setFaults("503:models")
            #expect(try await host.run("verify").output.contains("it answered 503"))
        }
    }
}
