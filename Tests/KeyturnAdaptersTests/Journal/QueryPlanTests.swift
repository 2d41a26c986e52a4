import Foundation
import GRDB
import KeyturnCore
import KeyturnEngine
import Synchronization
import Testing

@testable import KeyturnAdapters

/// A journal grows for ever: what a pass asks it, the ledger apart, reads what it asks for and not all that ever was.
struct `What a pass asks the journal reads no whole table` {
    private let fixture: JournalFixture
    private var journal: SQLiteJournal { fixture.journal }
    init() throws { fixture = try JournalFixture() }

    /// How SQLite goes about each statement that a body has the journal run.
    private func plans(_ body: () throws -> Void) throws -> [(sql: String, plan: [String])] {
        let seen = Mutex<[String]>([])
        journal.queue.inDatabase { db in
            db.trace { event in seen.withLock { $0.append(event.expandedDescription) } }
        }
        try body()
        return try journal.queue.inDatabase { db in
            db.trace(options: [])
            return try seen.withLock { $0 }.compactMap { sql -> (sql: String, plan: [String])? in
                guard ["SELECT", "INSERT", "UPDATE", "DELETE"].contains(where: sql.hasPrefix) else { return nil }
                return (sql, try GRDB.Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN \(sql)").map { $0["detail"] as String })
            }
        }
    }

    /// An index that holds only what is open may be read as a whole, and so may what a limited query has found, and SQLite's own table
    /// of counts, a row a table.
    private func scans(_ plan: [String]) throws -> [String] {
        let partial = try journal.queue.read { db in
            try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'index' AND sql LIKE '% WHERE %'")
        }
        return plan.filter { step in
            step.hasPrefix("SCAN") && !step.contains("CONSTANT ROW") && !step.contains("VIRTUAL TABLE") && !step.contains("(subquery")
                && step != "SCAN sqlite_sequence"
                && !partial.contains { step.hasSuffix("INDEX \($0)") }
        }
    }

    private func finding(_ sentence: String) -> Finding {
        Finding(code: .tokenStuck, severity: .error, token: TokenName("t"), sentence: sentence, help: "h")
    }

    @Test func `the steps of a pass`() throws {
        var token = JournalFixture.token("t", nil, .intended)
        token.rotation = Rotation(id: "t#1", cause: .first, startedAt: JournalFixture.noon)
        token.targets = [TargetState(id: TargetID(file: "/a", key: nil)), TargetState(id: TargetID(file: "/b", key: nil))]
        let request = try journal.file(Request(verb: .rotate, token: token.name, filedAt: JournalFixture.noon))
        let plans = try plans {
            _ = try journal.reserve(token, [], others: 0, capacity: 9, unknownSince: JournalFixture.noon)
            token.targets.removeLast()
            try journal.record(token, [JournalFixture.entry("t")])
            _ = try journal.names(of: token.gateway, startingWith: "t-2026")
            _ = try journal.states(of: token.gateway, names: ["t-2026-11", "other"])
            _ = try journal.past(of: token.gateway, names: ["t-2026-11"])
            _ = try journal.pendingRequests()
            try journal.answer(request, at: JournalFixture.noon)
            for findings in [[finding("one")], [finding("two")], []] {
                _ = try journal.reconcile(findings, judged: { _ in true }, at: JournalFixture.noon)
            }
            _ = try journal.token(token.name)
            _ = try journal.rotation("t#1")
            _ = try journal.request(request.number)
            _ = try journal.history(of: nil, after: 3, limit: 9)
            _ = try journal.history(of: token.name, after: 3, limit: 9)
            _ = try journal.openFindings()
            _ = try journal.follow([request.number])
        }
        #expect(plans.count > 25)
        for (sql, plan) in plans { #expect(try scans(plan).isEmpty, "\(sql): \(plan)") }
        // The whole ledger is what it says.
        #expect(try self.plans { _ = try journal.ledger() }.contains { try !scans($0.plan).isEmpty })
    }

    @Test func `names by their beginning, and places by what takes them`() throws {
        let names = try plans { _ = try journal.names(of: GatewayName("g"), startingWith: "t-2026") }
        #expect(names.flatMap(\.plan).contains { $0.contains("(gateway=? AND name>? AND name<?)") }, "\(names)")
        let token = JournalFixture.token("t", nil, .intended)
        let reserve = try plans { _ = try journal.reserve(token, [], others: 9, capacity: 9, unknownSince: JournalFixture.noon) }
        let wanted = "SEARCH generation USING COVERING INDEX unrevoked_generation (gateway=? AND state=?"
        let places = reserve.flatMap(\.plan).filter { $0.hasPrefix(wanted) }
        #expect(places.count == 2, "\(reserve)")
    }

    @Test func `a journal of the third version is brought up to date, with all that is in it`() throws {
        let path = fixture.folder["older.db"]
        do {
            let older = try DatabaseQueue(path: path)
            try JournalSchema.migrator.migrate(older, upTo: "3")
            try older.write { db in
                let rows = """
                    INSERT INTO token (name, environment, gateway, serial, failures, needs_person) VALUES ('t', 'prod', 'laozhang', 2, 0, 0);
                    INSERT INTO finding (key, code, severity, subject, sentence, help, opened_at, closed_at)
                        VALUES ('clock-off  ', 'clock-off', 'error', '', 's', 'h', '2026-11-01 12:00:00.000', NULL),
                               ('clock-off  ', 'clock-off', 'error', '', 's', 'h', '2026-10-01 12:00:00.000', '2026-10-02 12:00:00.000');
                    """
                try db.execute(sql: rows)
                for (name, state) in [("t-2026-09", "revoked"), ("t-2026-10", "revoking"), ("t-2026-11", "held")] {
                    try db.execute(
                        sql: """
                            INSERT INTO generation (gateway, name, token, state, intended_at, signature, foreign_ids, failures, needs_person)
                                VALUES ('laozhang', ?, 't', ?, '2026-11-01 12:00:00.000', '', '[]', 0, 0)
                            """, arguments: [name, state])
                }
            }
            try older.close()
        }
        let journal = try SQLiteJournal(path: path)
        #expect(try journal.token(TokenName("t"))?.generations.map(\.name) == ["t-2026-10", "t-2026-11"])
        #expect(try journal.openFindings().count == 1)
        #expect(try journal.names(of: GatewayName("laozhang"), startingWith: "t-2026-1") == ["t-2026-10", "t-2026-11"])
        let new = JournalFixture.token("new", nil, .intended)
        #expect(try !journal.reserve(new, [], others: 0, capacity: 2, unknownSince: JournalFixture.noon))
        #expect(try journal.reserve(new, [], others: 0, capacity: 3, unknownSince: JournalFixture.noon))
        let indices = try journal.queue.read { db in try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'index'") }
        #expect(Set(indices).isSuperset(of: ["unrevoked_generation", "open_finding"]))
    }
}

/// A command follows many tokens by one look, and looks only where somebody has written.
struct `Requests are followed together` {
    private let fixture: JournalFixture
    init() throws { fixture = try JournalFixture() }

    @Test func `the version changes by what others write, and stays while nobody does`() throws {
        let command = try SQLiteJournal(path: fixture.path)
        let first = try command.version()
        _ = try command.follow([])
        try command.record(JournalFixture.token("own"), [])
        #expect(try command.version() == first)
        try fixture.journal.record(JournalFixture.token("t"), [])
        let second = try command.version()
        #expect(second != first)
        #expect(try command.version() == second)
    }

    @Test func `one look tells what single ones tell, in as many queries for many as for one`() throws {
        let journal = fixture.journal
        var numbers: [Int64] = []
        for number in 0..<40 {
            var token = JournalFixture.token("t\(number)")
            token.rotation = Rotation(id: "t\(number)#1", cause: .first, startedAt: JournalFixture.noon)
            token.targets = [TargetState(id: TargetID(file: "/a", key: nil))]
            try journal.record(token, [])
            var request = try journal.file(Request(verb: .rotate, token: token.name, filedAt: JournalFixture.noon))
            request.rotation = "t\(number)#1"
            try journal.answer(request, at: JournalFixture.noon)
            numbers.append(request.number)
        }
        func queries(_ numbers: [Int64]) throws -> (Followed, Int) {
            let count = Mutex(0)
            journal.queue.inDatabase { db in
                db.trace { event in if "\(event)".hasPrefix("SELECT") { count.withLock { $0 += 1 } } }
            }
            defer { journal.queue.inDatabase { db in db.trace(options: []) } }
            return (try journal.follow(numbers), count.withLock { $0 })
        }
        let (one, fewest) = try queries([numbers[7]])
        let (most, count) = try queries(Array(numbers.dropLast()))
        #expect(one.requests.map(\.token) == [TokenName("t7")])
        #expect(count == fewest)
        #expect(most.requests.count == 39 && most.tokens.count == 39 && most.rotations.count == 39)
        for number in 0..<39 {
            let name = TokenName("t\(number)")
            #expect(try most.tokens[name] == journal.token(name))
            #expect(try most.rotations["t\(number)#1"] == journal.rotation("t\(number)#1"))
            #expect(try most.requests[number] == journal.request(numbers[number]))
        }
    }
}
