import Foundation
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// `usage`, budgets and absurd figures, with the real executable over the wire.
struct UsageTests {
    private static let token = "test-webapp-api"

    private func write(_ host: Host, budget: String, watch: String = "{every: 1ms}") throws {
        try host.settings(lines: "watch: \(watch)")
        try host.write(
            """
            environment: test
            gateway: laozhang
            budget: \(budget)
            tokens:
              - {project: webapp, purpose: api, deliver: [{file: \(host.path("targets/token"))}]}
            """, to: "policies/test.yaml")
    }

    /// A pass that reads, for a watch is over in no time.
    private func read(_ host: Host, times: Int = 2) async throws {
        for _ in 0..<times { #expect(try await host.run("daemon", "--once").code == 0) }
    }

    private func issue(_ account: Account) async throws { #expect(try await account.host.run("daemon", "--once").code == 0) }

    private func report(_ host: Host) async throws -> SandboxJSON {
        let json: SandboxJSON = try await host.run("usage", "--json").json()
        guard case .array(let environments)? = json["environments"], let first = environments.first else { throw Unexpected("\(json)") }
        return first
    }

    @Test func `what is spent is summed, told at its thresholds, and shown`() async throws {
        try await Account.with { account in
            let host = account.host
            try write(host, budget: "{month: 10 USD}")
            try await issue(account)
            let name = try #require(account.living.first?.name)
            account.gateway.spend(name: name, amount: Decimal(string: "5.17") ?? 0)
            try await read(host)
            #expect(host.said.contains("test: 51% of 10 USD this month (threshold 50%)"))
            let month = try await report(host)["month"]
            #expect(month?["spent"] == .number(Decimal(string: "5.17") ?? 0))
            #expect(month?["used_percent"] == .number(Decimal(string: "51.7") ?? 0))
            #expect(month?["at_least"] == false)
            #expect(try await report(host)["forecast"] == .null)
            let table = try await host.run("usage", environment: ["COLUMNS": "80"])
            #expect(table.output.contains("5.17 USD") && table.output.contains("51%"))
            #expect(table.lines.allSatisfy { $0.count <= 80 })
            let detail = try await host.run("usage", UsageTests.token, environment: ["COLUMNS": "80", "LC_ALL": "C"])
            #expect(detail.output.utf8.allSatisfy { $0 < 128 } && detail.output.contains("#"))
            let unicode = try await host.run("usage", UsageTests.token, environment: ["COLUMNS": "200", "LC_ALL": "C.UTF-8"])
            #expect(unicode.output.contains("█"))
            #expect(try await host.run("usage", "nobody").code == 1)
            // The revocation forgets nothing.
            account.gateway.spend(name: name, amount: 1)
            #expect(try await host.run("revoke", UsageTests.token).code == 0)
            #expect(try await report(host)["month"]?["spent"] == .number(Decimal(string: "6.17") ?? 0))
        }
    }

    @Test(arguments: ["\"lots\"", "-5", "1e30", "true", "[1]", "{}", "1e400", "NaN", "9e99999"])
    func `absurd figures are told or ignored, and change no sum`(figures: String) async throws {
        try await Account.with { account in
            let host = account.host
            try write(host, budget: "{month: 10 USD, when_spent: revoke}")
            try await issue(account)
            let name = try #require(account.living.first?.name)
            account.gateway.spend(name: name, amount: 2)
            try await read(host)
            try account.setFaults("figures=\(figures)")
            try await read(host, times: 3)
            #expect(try await report(host)["month"]?["spent"] == .number(2))
            #expect(account.living.count == 1)
            account.gateway.setFaults([])
            try await read(host)
            #expect(try await report(host)["month"]?["spent"] == .number(2))
            #expect(try await host.run("status").output.contains("findings:") == false)
        }
    }

    @Test func `figures in another currency are told and not added`() async throws {
        try await Account.with(faults: ["currency=EUR"]) { account in
            let host = account.host
            try write(host, budget: "{month: 10 USD}")
            try await issue(account)
            account.gateway.spend(name: try #require(account.living.first?.name), amount: 20)
            try await read(host)
            #expect(try await report(host)["month"]?["spent"] == .number(0))
            #expect(try await host.run("status").output.contains("it counts in EUR, and keyturn.yaml says USD"))
        }
    }

    @Test func `a spent budget ends the token when its policy says so, and rotate brings it back`() async throws {
        try await Account.with { account in
            let host = account.host
            try write(host, budget: "{month: 10 USD, when_spent: revoke}")
            try await issue(account)
            account.gateway.spend(name: try #require(account.living.first?.name), amount: 20)
            // Twice read, once more to bear it out; then the request is taken up.
            for _ in 0..<4 { _ = try await host.run("daemon", "--once") }
            #expect(account.living.isEmpty)
            #expect(try await host.status(of: UsageTests.token).state == "ended")
            #expect(try await host.run("history", UsageTests.token).output.contains("when_spent: revoke"))
            #expect(try await host.run("rotate", UsageTests.token).code == 0)
            for _ in 0..<3 { _ = try await host.run("daemon", "--once") }
            #expect(account.living.count == 1)
        }
    }
}
