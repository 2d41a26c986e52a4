import Foundation
import GRDB
import KeyturnCore
import KeyturnEngine
import Testing

@testable import KeyturnAdapters

/// Whatever another hand does to the rows of a real file, it is found and named.
struct `A history that was tampered with names what was done` {
    private let host: HistoryHost
    init() throws { host = try HistoryHost() }

    @Test func `one that nobody touched is sound, over many openings`() async throws {
        try host.write(5)
        try host.write(5)
        let verdict = try await host.verdict()
        #expect(verdict.isSound, "\(verdict.keys)")
        #expect(verdict.rows == 10)
        #expect(verdict.head.number == 10)
        #expect(verdict.checkpoint?.number == 10)
    }

    @Test(arguments: [
        "at = '2026-11-30 12:00:00.001'", "token = 't0'", "token = 't2x'", "environment = ''", "rotation = NULL", "rotation = ''",
        "generation = 'other'",
        "code = 'revoked'", "sentence = 'row 55'", "sentence = sentence || char(0) || 'hidden'", "sentence = CAST(x'ff' AS TEXT)",
        "mark = ''",
        "mark = '{}'", "previous = zeroblob(32)", "previous = NULL", "key_id = 'other'", "hash = zeroblob(32)", "hash = NULL",
        "hash = x'00'",
        // Between two columns the border moves, the bytes in their order stay the same.
        "code = 'happenedr', sentence = 'ow 5'",
    ])
    func `each column of a row`(change: String) async throws {
        try host.write(9)
        try host.tamper("UPDATE history SET \(change) WHERE number = 5")
        let verdict = try await host.verdict()
        let word = change.hasPrefix("key_id") ? "unknown-key" : "changed"
        #expect(verdict.keys == ["\(word) 5"])
        #expect(verdict.breakCount == 1)
    }

    @Test func `the row is named by its number, time and token`() async throws {
        try host.write(9)
        try host.tamper("UPDATE history SET sentence = 'nothing' WHERE number = 5")
        #expect(
            try await host.complaints() == ["row 5 (of 2026-11-30 12:00:00.000 UTC, about t2) was changed, or was not written by keyturn"])
    }

    @Test func `a number that was changed leaves a gap and a stranger`() async throws {
        try host.write(9)
        try host.tamper("UPDATE history SET number = 50 WHERE number = 9")
        let keys = try await host.verdict().keys
        #expect(keys.prefix(2) == ["missing 9", "changed 50"])
        try host.tamper("UPDATE history SET number = -3 WHERE number = 2")
        #expect(try await host.verdict().keys.prefix(2) == ["changed -3", "missing 2"])
    }

    @Test(arguments: [
        ("= 5", ["missing 5"], "row 5 is missing"), ("BETWEEN 4 AND 6", ["missing 4"], "rows 4 to 6 are missing"),
        ("= 1", ["missing 1"], "row 1 is missing"), ("< 4", ["missing 1"], "rows 1 to 3 are missing"),
        ("IN (3, 7)", ["missing 3", "missing 7"], "row 3 is missing"),
        ("= 9", ["newest-missing 9"], "row 9 is missing: the newest ones were removed, or an older copy was put in place"),
        ("> 2", ["newest-missing 3"], "rows 3 to 9 are missing: the newest ones"), ("> 0", ["newest-missing 1"], "rows 1 to 9 are missing"),
    ])
    func `rows that were removed`(which: String, keys: [String], sentence: String) async throws {
        try host.write(9)
        try host.tamper("DELETE FROM history WHERE number \(which)")
        let verdict = try await host.verdict()
        #expect(verdict.keys == keys)
        #expect(verdict.complaint?.hasPrefix(sentence) == true, "\(verdict.complaint ?? "")")
    }

    @Test func `newest rows that were removed with the count of all rows, also after others were written`() async throws {
        try host.write(9)
        try host.tamper("DELETE FROM history WHERE number > 6; UPDATE sqlite_sequence SET seq = 6 WHERE name = 'history'")
        let expected =
            "rows 7 to 9 are missing: the newest ones were removed, or an older copy was put in place "
            + "(the checkpoint of 2026-11-30T12:00:00Z knows row 9)"
        #expect(try await host.complaints() == [expected])
        // A keyturn that goes on does not cover it up: the checkpoint is not moved.
        let journal = try host.open()
        for _ in 1...5 { try journal.record(HistoryHost.token("t"), [HistoryHost.entry("t", "later")]) }
        #expect(try journal.noteHistoryHead(at: JournalFixture.noon, always: true) == nil)
        #expect(
            try await host.complaints() == [
                "row 9 (of 2026-11-30 12:00:00.000 UTC, about t) is not the one that the checkpoint of 2026-11-30T12:00:00Z knows: "
                    + "it and rows before it were replaced"
            ])
    }

    @Test func `newest rows that were removed before a keyturn that goes on leave a gap`() async throws {
        try host.write(9)
        try host.tamper("DELETE FROM history WHERE number > 6")
        let journal = try host.open()
        try journal.record(HistoryHost.token("t"), [HistoryHost.entry("t", "later")])
        #expect(try await host.verdict().keys == ["missing 7"])
        #expect(try await host.complaints() == ["rows 7 to 9 are missing"])
    }

    @Test func `two rows that changed places, whole or only what they say`() async throws {
        try host.write(9)
        try host.tamper(
            "UPDATE history SET number = 99 WHERE number = 3; UPDATE history SET number = 3 WHERE number = 7; UPDATE history SET number = 7 WHERE number = 99"
        )
        #expect(try await host.verdict().keys == ["misplaced 3", "misplaced 7"])
        #expect(try await host.complaints()[0].hasSuffix("was written as row 7"))
        let other = try HistoryHost()
        try other.write(9)
        let columns = "at, token, environment, rotation, generation, code, sentence"
        try other.tamper(
            """
            CREATE TEMP TABLE old AS SELECT * FROM history;
            UPDATE history SET (\(columns)) = (SELECT \(columns) FROM old WHERE old.number = 4) WHERE number = 2;
            UPDATE history SET (\(columns)) = (SELECT \(columns) FROM old WHERE old.number = 2) WHERE number = 4;
            """)
        #expect(try await other.verdict().keys == ["misplaced 2", "misplaced 4"])
    }

    @Test func `rows that were inserted, with made-up hashes or a neighbour's`() async throws {
        try host.write(9)
        let columns = "at, token, environment, rotation, generation, code, sentence, mark, key_id, previous"
        try host.tamper(
            """
            INSERT INTO history (number, \(columns), hash) SELECT 10, \(columns), randomblob(32) FROM history WHERE number = 9;
            INSERT INTO history (number, \(columns), hash) SELECT 11, \(columns), hash FROM history WHERE number = 9;
            INSERT INTO history (number, at, token, environment, code, sentence) VALUES (12, 'x', 'x', 'x', 'x', 'x');
            INSERT INTO history (number, at, token, environment, code, sentence) VALUES (-1, 'x', 'x', 'x', 'x', 'x');
            """)
        #expect(try await host.verdict().keys == ["unchained -1", "changed 10", "changed 11", "unchained 12"])
    }

    @Test func `a row between two, behind which all were moved by one`() async throws {
        try host.write(6)
        try host.tamper(
            """
            UPDATE history SET number = -number WHERE number > 3;
            UPDATE history SET number = 1 - number WHERE number < 0;
            INSERT INTO history (number, at, token, environment, code, sentence, key_id, previous, hash)
                SELECT 4, at, token, environment, code, 'never happened', key_id, previous, hash FROM history WHERE number = 3;
            """)
        let verdict = try await host.verdict()
        #expect(verdict.breaks.map(\.number) == [4, 5, 6, 7])
        #expect(verdict.keys[0] == "changed 4")
    }

    @Test func `a tail that was made anew by somebody without the key`() async throws {
        try host.write(9)
        let journal = try SQLiteJournal(path: host.path)
        let key = try await host.verdict().head.keyID
        try host.tamper("DELETE FROM history WHERE number > 5; UPDATE sqlite_sequence SET seq = 5 WHERE name = 'history'")
        // All is as keyturn does it, but for the key behind the id.
        journal.chain(with: .keys(ChainKeys(id: key, code: { _, bytes in Array(bytes.prefix(32)) })))
        for number in 6...9 { try journal.record(HistoryHost.token("t"), [HistoryHost.entry("t", "made up \(number)")]) }
        #expect(try await host.verdict().keys == ["changed 6", "changed 7", "changed 8", "changed 9"])
    }

    @Test func `an older copy of the whole journal`() async throws {
        try host.write(6)
        let copy = host.folder["copy.db"]
        try DatabaseQueue(path: host.path).inDatabase { db in try db.execute(sql: "VACUUM INTO '\(copy)'") }
        try host.write(6)
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: host.path + suffix) }
        try FileManager.default.moveItem(atPath: copy, toPath: host.path)
        #expect(try await host.verdict().keys == ["newest-missing 7"])
        // Rows of two histories of the same host do not make one.
        try host.write(3, expectsCheckpoint: false)
        #expect(try await host.verdict().keys == ["newest-missing 10"])
        try host.write(5, expectsCheckpoint: false)
        #expect(try await host.verdict().keys == ["replaced 12"])
    }

    @Test func `hashes that were taken from all rows are not given back`() async throws {
        try host.write(9)
        try host.tamper("UPDATE history SET sentence = 'nothing', hash = NULL, previous = NULL, key_id = NULL WHERE number > 0")
        _ = try host.open()
        let verdict = try await host.verdict()
        #expect(verdict.keys == (1...9).map { "unchained \($0)" })
        #expect(verdict.unchained == 0)
    }

    @Test func `more than a hundred places are counted, and the first are named`() async throws {
        try host.write(300)
        try host.tamper("UPDATE history SET sentence = 'nothing' WHERE number > 50")
        let verdict = try await host.verdict()
        #expect(verdict.breaks.count == 100)
        #expect(verdict.breakCount == 250)
        #expect(verdict.breaks.first?.number == 51)
    }

    @Test(arguments: ["", "{}", "{\"at\":1e300,\"number\":9,\"hash\":\"00\",\"key\":\"x\",\"seal\":\"\"}", "binary"])
    func `a checkpoint that is none of ours`(text: String) async throws {
        try host.write(9)
        if text == "binary" {
            try Data(repeating: 0xff, count: 100_000).write(to: URL(filePath: host.folder["history.checkpoint"]))
        } else {
            try host.folder.write(text, to: "history.checkpoint")
        }
        #expect(try await host.verdict().keys == ["checkpoint-forged 9"])
    }

    @Test func `a checkpoint that was changed, taken away, or is a link or a folder`() async throws {
        try host.write(9)
        let file = host.folder["history.checkpoint"]
        let text = try host.folder.text("history.checkpoint")
        try host.folder.write(text.replacingOccurrences(of: "\"number\":9", with: "\"number\":5"), to: "history.checkpoint")
        #expect(try await host.complaints() == ["the checkpoint file is none of keyturn's: it was changed"])
        try FileManager.default.removeItem(atPath: file)
        #expect(try await host.verdict().keys == ["checkpoint-missing 9"])
        // It is not made anew as if nothing had been.
        #expect(try host.open().noteHistoryHead(at: JournalFixture.noon, always: true) == nil)
        #expect(try await host.verdict().keys == ["checkpoint-missing 9"])
        try FileManager.default.createSymbolicLink(atPath: file, withDestinationPath: host.path)
        #expect(try await host.verdict().keys == ["checkpoint-forged 9"])
        try FileManager.default.removeItem(atPath: file)
        try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
        #expect(try await host.verdict().keys == ["checkpoint-forged 9"])
    }
}
