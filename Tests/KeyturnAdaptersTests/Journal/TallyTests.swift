import Foundation
import GRDB
import KeyturnCore
import KeyturnEngine
import Testing

@testable import KeyturnAdapters

/// What the journal counts, it counts once.
struct `Rotations and requests are counted by the database` {
    private let fixture: JournalFixture
    init() throws { fixture = try JournalFixture() }

    private func end(_ number: Int, _ phase: Rotation.Phase, in journal: SQLiteJournal) throws {
        var token = JournalFixture.token("t")
        let id = "t#\(number)"
        token.rotation = Rotation(id: id, cause: .first, startedAt: JournalFixture.noon)
        try journal.record(token, [])
        token.rotation = Rotation(id: id, cause: .first, startedAt: JournalFixture.noon, endedAt: JournalFixture.noon, phase: phase)
        // What is recorded twice happened once.
        for _ in 1...2 { try journal.record(token, []) }
    }

    @Test func `by how they ended, over openings, and once though they are recorded twice`() throws {
        #expect(try fixture.journal.tallies().rotations.isEmpty)
        try end(1, .finished, in: fixture.journal)
        try end(2, .abandoned, in: fixture.journal)
        try end(3, .finished, in: try SQLiteJournal(path: fixture.path))
        for refusal in [nil, "no", nil] {
            var request = try fixture.journal.file(Request(verb: .rotate, token: TokenName("t"), filedAt: JournalFixture.noon))
            request.refusal = refusal
            for _ in 1...2 { try fixture.journal.answer(request, at: JournalFixture.noon) }
        }
        let tallies = try fixture.journal.tallies()
        #expect(tallies.rotations.map { "\($0.environment) \($0.outcome) \($0.count)" } == ["prod abandoned 1", "prod finished 2"])
        #expect(tallies.requests.map { "\($0.verb) \($0.outcome) \($0.count)" } == ["rotate done 2", "rotate refused 1"])
    }

    @Test func `what an older journal holds is counted when it is brought up to date`() throws {
        let path = fixture.folder["older.db"]
        let older = try DatabaseQueue(path: path)
        try JournalSchema.migrator.migrate(older, upTo: "6")
        try older.write { db in
            try db.execute(
                sql: """
                    INSERT INTO token (name, environment, gateway, serial, failures, needs_person) VALUES ('t', 'prod', 'g', 3, 0, 0);
                    INSERT INTO rotation (id, token, cause, started_at, ended_at, phase, failures, needs_person)
                        VALUES ('t#1', 't', 'first', 'x', 'x', 'finished', 0, 0), ('t#2', 't', 'scheduled', 'x', 'x', 'finished', 0, 0),
                               ('t#3', 't', 'scheduled', 'x', NULL, 'minting', 0, 0);
                    INSERT INTO request (verb, token, filed_at, answered_at, refusal)
                        VALUES ('revoke', 't', 'x', 'x', 'no'), ('revoke', 't', 'x', NULL, NULL);
                    """)
        }
        try older.close()
        let tallies = try SQLiteJournal(path: path).tallies()
        #expect(tallies.rotations == [Tallies.Rotations(environment: "prod", outcome: "finished", count: 2)])
        #expect(tallies.requests == [Tallies.Requests(verb: "revoke", outcome: "refused", count: 1)])
    }
}
