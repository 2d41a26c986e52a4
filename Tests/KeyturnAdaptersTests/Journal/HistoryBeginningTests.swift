import Foundation
import GRDB
import KeyturnCore
import KeyturnEngine
import Testing

@testable import KeyturnAdapters

/// How a chain begins, how it goes on under another key, and what keeps it from being written.
struct `A history's chain begins once and goes on under the key that is there` {
    private let host: HistoryHost
    init() throws { host = try HistoryHost() }

    /// A journal of the version before the chain.
    private func makeOlder(_ count: Int) throws {
        let older = try DatabaseQueue(path: host.path)
        try JournalSchema.migrator.migrate(older, upTo: "6")
        try older.write { db in
            for number in 1...count {
                try db.execute(
                    sql:
                        "INSERT INTO history (at, token, environment, code, sentence) VALUES ('2026-01-01 00:00:00.000', 't', 'prod', 'happened', ?)",
                    arguments: ["row \(number)"])
            }
        }
        try older.close()
    }

    private func codes() throws -> [String] {
        try DatabaseQueue(path: host.path).read { db in try String.fetchAll(db, sql: "SELECT code FROM history WHERE mark IS NOT NULL") }
    }

    @Test func `an empty one has its key and its checkpoint before its first row`() async throws {
        _ = try host.open()
        #expect(host.folder.names.contains("history.checkpoint"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: host.keys) == ["history.key"])
        #expect(try FileManager.default.attributesOfItem(atPath: host.keys + "/history.key")[.posixPermissions] as? Int == 0o600)
        let verdict = try await host.verdict()
        #expect(verdict.isSound && verdict.rows == 0 && verdict.checkpoint?.number == 0)
    }

    @Test func `who only looks begins nothing`() async throws {
        try makeOlder(3)
        let verdict = try await host.verdict()
        #expect(verdict.isSound)
        #expect(verdict.unchained == 3)
        #expect(try FileManager.default.contentsOfDirectory(atPath: host.keys).isEmpty)
        #expect(!host.folder.names.contains("history.checkpoint"))
    }

    @Test(arguments: [1, 10_000, 10_001])
    func `rows of an older journal are chained as they are found, and said to be`(count: Int) async throws {
        try makeOlder(count)
        let journal = try host.open()
        let verdict = try await host.verdict()
        #expect(verdict.isSound, "\(verdict.keys)")
        #expect(verdict.rows == count + 1)
        #expect(try codes() == ["history-chained"])
        let mark = try #require(try journal.history(of: nil, after: 0, limit: 1).first)
        #expect(mark.sentence == "the history is chained from here on; rows up to \(count) were written before, and are as they were found")
        #expect(try journal.history(of: nil, after: 0, limit: count + 1).map(\.sentence).dropLast() == (1...count).map { "row \($0)" })
        _ = try host.open()
        #expect(try codes() == ["history-chained"])
        try host.tamper("UPDATE history SET sentence = 'other' WHERE number = 1")
        #expect(try await host.verdict().keys == ["changed 1"])
    }

    @Test func `a beginning that was cut short is gone on with`() async throws {
        try makeOlder(20_001)
        _ = try host.open()
        let key = try await host.verdict().head.keyID
        #expect(key.count == 16)
        // As a process leaves it that died after its first transaction.
        try host.tamper(
            "DELETE FROM history WHERE number > 20001; UPDATE history SET hash = NULL, previous = NULL, key_id = NULL WHERE number > 10000; UPDATE sqlite_sequence SET seq = 20001 WHERE name = 'history'"
        )
        let keys = try HistoryKeys(in: host.keys)
        let origin = HistoryHead(number: 0, hash: ChainedRow.origin, keyID: key, at: JournalFixture.noon)
        try CheckpointFile(beside: host.path).write(origin, .keys(ChainKeys(id: key, code: { keys.code($0, $1) })))
        _ = try host.open()
        let verdict = try await host.verdict()
        #expect(verdict.isSound, "\(verdict.keys)")
        #expect(verdict.rows == 20_002)
        #expect(try codes() == ["history-chained"])
    }

    @Test func `an older keyturn that still runs writes nothing more`() throws {
        try host.write(1)
        let complaint = journalComplaint { () throws(JournalError) in
            do {
                try JournalFixture.execute(
                    "INSERT INTO history (at, token, environment, code, sentence) VALUES ('x', 'x', 'x', 'x', 'x')", in: host.path)
            } catch { throw JournalError("\(error)") }
        }
        #expect(complaint?.contains("restart this one") == true)
    }

    @Test func `a text with a NUL in it is chained as SQLite takes it`() async throws {
        let journal = try host.open()
        try journal.record(HistoryHost.token("t"), [HistoryHost.entry("t", "before\u{0}behind"), HistoryHost.entry("t", "ä\u{1F600}")])
        #expect(try await host.verdict().isSound)
    }

    // MARK: Keys

    private func retire() throws {
        let id = try #require(try HistoryKeys(in: host.keys).current)
        try FileManager.default.moveItem(atPath: host.keys + "/history.key", toPath: host.keys + "/history-\(id).key")
    }

    @Test func `a key that was put aside is replaced, and the chain goes on`() async throws {
        let stale = try host.write(3)
        try retire()
        try host.write(3)
        try retire()
        try host.write(3)
        let verdict = try await host.verdict()
        #expect(verdict.isSound, "\(verdict.breaks.map(\.sentence))")
        #expect(verdict.rows == 11)
        #expect(try codes() == ["history-key-replaced", "history-key-replaced"])
        // A process that began before goes on under no key that is not in use any more.
        let complaint = journalComplaint { () throws(JournalError) in
            try stale.record(HistoryHost.token("t"), [HistoryHost.entry("t", "late")])
        }
        #expect(complaint?.contains("restart it") == true, "\(complaint ?? "")")
        try host.tamper("UPDATE history SET sentence = 'other' WHERE number IN (1, 6, 11)")
        #expect(try await host.verdict().keys == ["changed 1", "changed 6", "changed 11"])
    }

    @Test func `rows under a key that had been put aside are told, also with good hashes`() async throws {
        let stale = try host.write(3)
        try retire()
        try host.write(1)
        // Who has stolen the old key writes with it.
        try host.tamper("DELETE FROM history WHERE number > 4; UPDATE sqlite_sequence SET seq = 4 WHERE name = 'history'")
        try host.tamper(
            "CREATE TABLE kept AS SELECT * FROM history WHERE number = 4; UPDATE history SET key_id = (SELECT key_id FROM history WHERE number = 3) WHERE number = 4"
        )
        try stale.record(HistoryHost.token("t"), [HistoryHost.entry("t", "late")])
        try host.tamper("UPDATE history SET key_id = (SELECT key_id FROM kept) WHERE number = 4")
        #expect(try await host.verdict().keys == ["retired-key 5", "replaced 5"])
    }

    @Test func `without its key nothing can be written, nothing is made in its place, and with it all is well again`() async throws {
        try host.write(3)
        let key = try Data(contentsOf: URL(filePath: host.keys + "/history.key"))
        try FileManager.default.removeItem(atPath: host.keys + "/history.key")
        let journal = try host.open()
        #expect(journalComplaint { () throws(JournalError) in try journal.checkHistoryKey() }?.contains("history.key is missing") == true)
        let complaint = journalComplaint { () throws(JournalError) in
            try journal.record(HistoryHost.token("new"), [HistoryHost.entry("new", "s")])
        }
        #expect(complaint?.contains("restore it from a backup") == true)
        #expect(try journal.token(TokenName("new")) == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: host.keys).isEmpty)
        let keys = try await host.verdict().keys
        #expect(keys.contains("unknown-key 1") && keys.contains("checkpoint-forged 3"))
        try key.write(to: URL(filePath: host.keys + "/history.key"))
        try host.write(1)
        #expect(try await host.verdict().isSound)
    }

    @Test func `another key in its place, a damaged one, and an old one that comes back write nothing`() async throws {
        try host.write(3)
        let path = host.keys + "/history.key"
        let key = try Data(contentsOf: URL(filePath: path))
        for bytes in [Data(repeating: 1, count: 32), Data(repeating: 1, count: 31), Data()] {
            try bytes.write(to: URL(filePath: path))
            let journal = try host.open()
            let complaint = journalComplaint { () throws(JournalError) in try journal.checkHistoryKey() }
            #expect(complaint?.contains("backup") == true, "\(complaint ?? "nothing")")
        }
        try key.write(to: URL(filePath: path))
        try retire()
        try host.write(1)
        let new = try #require(try HistoryKeys(in: host.keys).current)
        try FileManager.default.moveItem(atPath: path, toPath: host.keys + "/history-\(new).key")
        try key.write(to: URL(filePath: path))
        let journal = try host.open()
        #expect(journalComplaint { () throws(JournalError) in try journal.checkHistoryKey() }?.contains("under the key \(new)") == true)
    }
}
