import Foundation
import GRDB
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// `plan`, `status` and `history`: what is, what was and what is to come, for people and for programs.
struct LookTests {
    @Test func `status tells every state a token can be in`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host, overlap: "{at_least: 1h}")
            let token = "test-webapp-api"
            func state() async throws -> StatusReport { try await host.status(of: token) }

            #expect(try await state().state == "absent")
            #expect(try await host.run("status").lines[1].hasPrefix("\(token)  -           -    now   absent"))
            #expect(try await host.run("daemon", "--once").code == 0)
            let active = try await state()
            #expect(active.state == "active")
            #expect(active.environment == "test")
            let generation = try #require(active.generation)
            let made = try #require(account.living.first)
            #expect((generation.id, generation.name) == (made.id, made.name))
            #expect(generation.fingerprint?.wholeMatch(of: /[0-9a-f]{12}/) != nil)
            #expect(abs(generation.created_at?.timeIntervalSince(made.createdAt) ?? 99) < 5)
            let days = (active.next_rotation?.timeIntervalSince(made.createdAt) ?? 0) / 86400
            #expect((89.9...90.1).contains(days))
            #expect(active.targets.map(\.applied) == [true])
            #expect(active.targets.map(\.file) == [host.path("targets/token")])

            #expect(try await host.run("rotate", token).code == 0)
            let overlapping = try await state()
            #expect(overlapping.state == "overlapping")
            #expect(overlapping.previous.map(\.name) == [made.name])
            let kept = overlapping.previous[0].revoke_after?.timeIntervalSinceNow ?? 0
            #expect((3500...3600).contains(kept))
            #expect(overlapping.reason == "\(made.name) is kept until \(overlapping.previous[0].revoke_after?.formatted(.iso8601) ?? "")")

            try account.setFaults("500:create")
            #expect(try await host.run("rotate", token).code == 3)
            let stuck = try await state()
            #expect(stuck.state == "stuck")
            #expect(stuck.stuck?.contains("it answered 500") == true)
            #expect(account.living.count == 2)
            account.gateway.setFaults([])

            #expect(try await host.run("revoke", token).code == 0)
            #expect(try await state().state == "ended")
            #expect(account.living.isEmpty)
            #expect(try await host.run("status", "nobody-knows").code == 1)
        }
    }

    @Test func `status --json has the keys of its contract, whatever the state`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host, overlap: "{at_least: 1h}")
            func keys(_ json: SandboxJSON?) -> Set<String> { if case .object(let members)? = json { Set(members.keys) } else { [] } }
            func first(_ json: SandboxJSON?) -> SandboxJSON? { if case .array(let items)? = json { items.first } else { nil } }
            let generation: Set = ["id", "name", "created_at", "expires_at", "fingerprint"]
            for round in 0...2 {
                let report = first(try await host.run("status", "--json").json())
                #expect(
                    keys(report)
                        == ["token", "environment", "state", "reason", "stuck", "generation", "previous", "next_rotation", "targets"]
                )
                #expect(keys(first(report?["targets"])) == ["file", "delivered_at", "applied"])
                if round > 0 { #expect(keys(report?["generation"]) == generation) }
                if round > 1 { #expect(keys(first(report?["previous"])) == generation.union(["revoke_after", "released_at"])) }
                #expect(try await host.run("rotate", "test-webapp-api").code == 0)
            }
        }
    }

    @Test func `status says since when a revocation is under way`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host, overlap: "{at_least: 1h}")
            let token = "test-webapp-api"
            for _ in 1...2 { _ = try await host.run("rotate", token) }
            let old = try #require(try await host.status(of: token).previous.first)
            #expect(old.released_at == nil)
            // For minutes it is waiting, not trouble.
            try account.setFaults("500:revoke")
            let asked = Date()
            _ = try await host.run("revoke", token, "--generation", old.name)
            try host.withJournal { try $0.execute(sql: "UPDATE generation SET failures = 0, last_error = NULL WHERE state = 'revoking'") }
            let revoking = try await host.status(of: token)
            let since = try #require(revoking.previous.first { $0.name == old.name }?.released_at)
            #expect(abs(since.timeIntervalSince(asked)) < 5)
            #expect(revoking.reason == "revoking \(old.name) since \(since.formatted(.iso8601))", "\(revoking)")
            #expect(try await host.run("status", token).output.contains("to be revoked since \(since.formatted(.iso8601))"))
        }
    }

    @Test func `after a reboot status tells one end of an overlap, for people and for programs, and it is to come`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host, overlap: "{at_least: 1h}")
            let token = "test-webapp-api"
            for _ in 1...2 { _ = try await host.run("rotate", token) }
            // The clock was set on beyond the end, the host was down: what is left of the hour counts.
            try host.withJournal { db in
                let sql = "UPDATE generation SET overlap_until = ?, overlap_rest = 1800, overlap_boot = 'earlier' WHERE state = 'retiring'"
                try db.execute(sql: sql, arguments: [Date(timeIntervalSinceNow: -60)])
                try #require(db.changesCount == 1)
            }
            let report = try await host.status(of: token)
            let end = try #require(report.previous.first?.revoke_after)
            #expect((1700...1800).contains(end.timeIntervalSinceNow))
            #expect(report.reason == "\(report.previous[0].name) is kept until \(end.formatted(.iso8601))")
        }
    }

    @Test func `status of one token tells everything, and says who must do what about a finding`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host, then: "{run: [/bin/false]}")
            #expect(try await host.run("daemon", "--once").code == 3)
            let detail = try await host.run("status", "test-webapp-api")
            for text in [
                "state        stuck", "fingerprint ", "delivered, not applied: /bin/false ended with status 1", "lately:",
                "created test-webapp-api-",
            ] {
                #expect(detail.output.contains(text), "\(text): \(detail)")
            }
            #expect(detail.output.contains("mend that, then `keyturn rotate test-webapp-api` to go on at once"))
        }
    }

    @Test func `tables fit the terminal, and are whole where nobody counts columns`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.write(to: host, every: "90d")
            try host.write(
                try host.read("policies/test.yaml").replacingOccurrences(
                    of: host.path("targets/monitor.token"), with: host.path("missing/monitor.token")),
                to: "policies/test.yaml"
            )
            #expect(try await host.run("daemon", "--once").code == 3)
            let why = "its folder cannot be opened: No such file or directory; create its folder first"
            let token = "test-monitor-stats"
            for command in [["status"], ["plan"], ["status", token], ["history"], ["history", token], ["verify"]] {
                func run(_ environment: [String: String]) async throws -> Run {
                    let child = try host.start(command, environment: environment)
                    return Run(code: try await child.ended(), output: child.written, errors: child.complained)
                }
                let narrow = try await run(["COLUMNS": "80"])
                #expect(narrow.lines.filter { !$0.hasPrefix("laozhang: ") }.allSatisfy { $0.count <= 80 }, "\(narrow)")
                #expect(!narrow.output.contains("…"), "nothing is hidden")
                let words = narrow.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                for wide in [["COLUMNS": "200"], [:]] {
                    let wide = try await run(wide)
                    #expect(command == ["verify"] || wide.output.contains(why), "\(command): \(wide)")
                    #expect(!wide.output.contains("\u{1b}"), "no colour where there is no terminal")
                    #expect(command == ["verify"] || words.contains(why), "\(narrow)")
                }
            }
            // A last column that has room hangs at its own place, one that has none goes below its row.
            let detail = try await host.run("status", token, environment: ["COLUMNS": "80"]).lines
            let stuck = try #require(detail.firstIndex { $0.hasPrefix("stuck        ") })
            #expect(detail[stuck + 1].hasPrefix("             "))
            let overview = try await host.run("status", environment: ["COLUMNS": "80"]).lines
            let row = try #require(overview.firstIndex { $0.hasPrefix(token) })
            #expect(overview[row].hasSuffix("stuck") && overview[row + 1].hasPrefix("    /"))
        }
    }

    @Test func `plan shows what is due, what rests, and the calendar with its peak; and changes nothing`() async throws {
        struct Plan: Decodable {
            struct Entry: Decodable {
                var token: String
                var environment: String
                var action: String
                var cause: String?
                var reason: String?
                var at: Date?
            }
            struct Turn: Decodable {
                var at: Date
                var token: String
                var what: String
            }
            struct Peak: Decodable {
                var gateway: String
                var at: Date
                var tokens: Int
                var capacity: Int?
            }
            var until: Date
            var tokens: [Entry]
            var calendar: [Turn]
            var peaks: [Peak]
        }
        try await Account.with { account in
            let host = account.host
            try host.settings(gateway: "capacity: 10")
            try Targets.write(to: host, every: "90d", overlap: "{at_least: 1d}")
            let before = try await host.run("plan", "--json").json(Plan.self)
            #expect(before.tokens.map(\.action) == ["due", "due", "due"])
            #expect(before.tokens.map(\.cause) == ["first", "first", "first"])
            #expect(account.gateway.statistics().lists == 0, "a plan asks nobody")
            #expect(try await host.run("plan").lines[0] == "TOKEN               ACTION  CAUSE  WHEN  WHY")
            #expect(try await host.run("daemon", "--once").code == 0)
            let plan = try await host.run("plan", "--json", "--until", "100d").json(Plan.self)
            #expect(plan.tokens.map(\.action) == ["resting", "resting", "resting"])
            #expect(plan.calendar.map(\.what) == ["rotate", "rotate", "rotate", "revoke", "revoke", "revoke"])
            let days = plan.calendar.map { ($0.at.timeIntervalSinceNow / 86400).rounded() }
            #expect(days == [90, 90, 90, 91, 91, 91])
            #expect(plan.peaks.map(\.tokens) == [6])
            #expect(plan.peaks.map(\.capacity) == [10])
            let people = try await host.run("plan", "--until", "2100-01-01")
            #expect(people.output.contains("\ncalendar until 2100-01-01T23:59:59Z:\n"))
            #expect(people.output.contains("more (--json shows all)"))
            #expect(people.output.contains("laozhang: at most 6 of its 10 tokens at once"))
            try host.settings(gateway: "capacity: 5")
            #expect(try await host.run("plan", "--until", "100d").output.contains("more than the account holds"))
            let check = try await host.run("check")
            #expect(check.code == 0)
            #expect(
                check.output.contains(
                    "gateway laozhang holds 5 tokens and the policies ask for 3, which leaves 2 for overlaps, and 3 overlap at once on "),
                "\(check)")
        }
    }

    @Test func `a first issue that is stuck takes one place of the plan`() async throws {
        struct Plan: Decodable {
            struct Peak: Decodable { var tokens: Int }
            var peaks: [Peak]
        }
        try await Account.with { account in
            try Targets.writeOne(to: account.host, then: "{run: [/bin/false]}")
            #expect(try await account.host.run("daemon", "--once").code == 3)
            #expect(account.living.count == 1)
            let run = try await account.host.run("plan", "--json", "--until", "10d")
            #expect(try run.json(Plan.self).peaks.map(\.tokens) == [1], "\(run)")
        }
    }

    @Test func `history tells what happened, oldest first, all or of one token, for people and for programs`() async throws {
        struct Entry: Decodable {
            var number: Int
            var at: Date
            var token: String
            var environment: String
            var rotation: String?
            var generation: String?
            var code: String
            var sentence: String
        }
        try await Account.with { account in
            let host = account.host
            try Targets.write(to: host, every: "90d")
            #expect(try await host.run("daemon", "--once").code == 0)
            #expect(try await host.run("rotate", "test-worker-batch", "--reason", "ticket 4711").code == 0)
            let all = try await host.run("history", "--json").json([Entry].self)
            #expect(all.map(\.number) == Array(1...all.count))
            #expect(Set(all.map(\.token)) == Set(Targets.all.map(\.token)))
            let one = try await host.run("history", "test-worker-batch", "--json").json([Entry].self)
            #expect(one.map(\.number) == all.filter { $0.token == "test-worker-batch" }.map(\.number))
            #expect(
                one.filter { $0.rotation == "test-worker-batch#1" }.map(\.code) == [
                    "started", "intended", "minted", "accepted", "published", "accepted",
                ])
            #expect(one.contains { $0.sentence == "rotation started (requested): ticket 4711" })
            #expect(try await host.run("history", "--limit", "2", "--json").json([Entry].self).map(\.number) == all.suffix(2).map(\.number))
            let people = try await host.run("history", "test-worker-batch")
            #expect(people.lines.count == one.count + 1)
            #expect(!people.output.contains("was told"), "a file alone has nobody to tell")
        }
    }
}
