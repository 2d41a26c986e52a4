import Foundation
import Glibc
import KeyturnSandbox
import Testing

/// `plan` where there is more to say than the next rotations.
struct PlanTests {
    private struct Plan: Decodable {
        struct Entry: Decodable {
            var token: String
            var action: String
            var reason: String?
            var at: Date?
        }
        struct Turn: Decodable {
            var at: Date
            var token: String
            var what: String
        }
        struct Peak: Decodable {
            var at: Date
            var tokens: Int
        }
        var until: Date
        var complete_until: Date?
        var tokens: [Entry]
        var calendar: [Turn]
        var peaks: [Peak]
    }

    @Test func `a calendar that is cut says so, and neither turn nor peak lies behind the cut`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host, every: "10s", overlap: "{at_least: 55s}", more: Targets.other(host))
            let cut = try await host.run("plan", "--json").json(Plan.self)
            let end = try #require(cut.complete_until)
            #expect((1900...2100).contains(end.timeIntervalSinceNow), "200 rotations, 10 seconds apart")
            #expect(cut.calendar.allSatisfy { $0.at <= end } && cut.peaks.allSatisfy { $0.at <= end })
            #expect(cut.peaks.map(\.tokens) == [8], "of the busy one seven: one in use and six in their overlap")
            for columns in ["80", "200"] {
                let people = try await host.run("plan", environment: ["COLUMNS": columns])
                let said = people.lines.first { $0.hasPrefix("  cut at ") }
                #expect(said?.hasSuffix("Z: more than 400 turns of test-webapp-api") == true, "\(people)")
                #expect(people.lines.filter { !$0.hasPrefix("laozhang: ") }.allSatisfy { $0.count <= Int(columns) ?? 0 }, "\(people)")
            }
            let whole = try await host.run("plan", "--json", "--until", "10min")
            #expect(try whole.json(Plan.self).complete_until == nil)
            #expect(whole.output.contains("\"complete_until\" : null"), "the key is always there")
        }
    }

    @Test(arguments: ["2027-02-30", "2027-06-31", "2027-02-29", "2027-13-01"])
    func `a date that no calendar has is refused`(date: String) async throws {
        try await Account.with { account in
            let run = try await account.host.run("plan", "--until", date)
            #expect(run.code == 64)
            #expect(run.errors.contains("--until: found '\(date)', expected a date such as"), "\(run)")
        }
    }

    @Test(arguments: ["2020-01-01", "2020-01-01T00:00:00Z"])
    func `a date that is past is refused before anything is looked at`(date: String) async throws {
        try await Account.with { account in
            let run = try await account.host.run("plan", "--until", date, environment: ["KEYTURN_CONFIG": "/nowhere"])
            #expect(run.code == 64)
            #expect(run.errors.contains("--until: found '\(date)', which is past, expected a date to come"), "\(run)")
        }
    }

    @Test func `tokens that left the policies with a date, and tokens being ended, are in it`() async throws {
        try await Account.with { account in
            let host = account.host
            let leaving = "defaults:\n  when_removed: {revoke_after: 7 days}\ntokens:"
            try Targets.writeOne(to: host, more: Targets.other(host))
            let both = try host.read("policies/test.yaml").replacingOccurrences(of: "tokens:", with: leaving)
            try host.write(both, to: "policies/test.yaml")
            #expect(try await host.run("daemon", "--once").code == 0)
            try Targets.writeOne(to: host)
            #expect(try await host.run("daemon", "--once").code == 0)
            func entry(_ token: String) async throws -> Plan.Entry? {
                try await host.run("plan", "--json").json(Plan.self).tokens.first { $0.token == token }
            }
            let left = try #require(try await entry("test-other-api"))
            #expect(left.action == "ends")
            #expect(left.reason?.hasPrefix("no policy asks for it any more; it ends after ") == true)
            let days = (left.at?.timeIntervalSinceNow ?? 0) / 86400
            #expect((6.9...7).contains(days))
            let calendar = try await host.run("plan", "--json", "--until", "30d").json(Plan.self).calendar
            #expect(calendar.map(\.what) == ["end"] && calendar.first?.token == "test-other-api")

            try account.setFaults("dead-admin")
            #expect(try await host.run("revoke", "test-webapp-api").code == 3)
            let ending = try #require(try await entry("test-webapp-api"))
            #expect(ending.action == "ending")
            #expect(ending.reason?.contains("refuses the admin token") == true, "\(ending)")
        }
    }
}
