import Foundation
import GRDB
import KeyturnCore
import KeyturnEngine
import Testing

@testable import KeyturnAdapters

/// A person may go on with a history that is not what was written; what is changed after that shows again.
struct `What a person has accepted is held fast` {
    private let host: HistoryHost
    init() throws { host = try HistoryHost() }

    private func accept(_ reason: String = "restored by hand") async throws -> HistoryVerdict? {
        try await host.open().acceptHistory(because: reason, at: JournalFixture.noon)
    }

    @Test func `a sound history has nothing to accept`() async throws {
        try host.write(3)
        #expect(try await accept() == nil)
        #expect(try await host.verdict().rows == 3)
    }

    @Test(arguments: [
        "UPDATE history SET sentence = 'x' WHERE number = 5", "DELETE FROM history WHERE number = 5",
        "DELETE FROM history WHERE number > 5",
        "DELETE FROM history WHERE number > 5; UPDATE sqlite_sequence SET seq = 5 WHERE name = 'history'", "DELETE FROM history",
        "DELETE FROM history; DELETE FROM sqlite_sequence WHERE name = 'history'",
        "UPDATE history SET hash = NULL, previous = NULL, key_id = NULL", "UPDATE history SET key_id = 'gone' WHERE number = 5",
        "UPDATE history SET number = -number WHERE number < 3",
    ])
    func `every kind of loss, and the chain goes on`(sql: String) async throws {
        try host.write(9)
        try host.tamper(sql)
        let before = try await host.verdict()
        #expect(!before.isSound)
        #expect(try await accept() != nil)
        let after = try await host.verdict()
        #expect(after.isSound, "\(after.breaks.map(\.sentence))")
        // No number is given twice.
        #expect(after.head.number == 10)
        let entry = try #require(try host.open().history(of: nil, after: 0, limit: 1).first)
        #expect(entry.code == "history-loss-accepted")
        #expect(entry.sentence == "accepted by a person: \(before.complaint ?? ""); because: restored by hand")
        try host.write(3)
        #expect(try await host.verdict().isSound)
        #expect(try await accept() == nil)
        // What was sound before is still guarded row by row, and so is what comes after.
        try host.tamper("UPDATE history SET sentence = 'y' WHERE number = 12")
        #expect(try await host.verdict().keys == ["changed 12"])
    }

    @Test func `a row among those that were accepted is changed later`() async throws {
        try host.write(9)
        try host.tamper("UPDATE history SET sentence = 'x' WHERE number = 5")
        _ = try await accept()
        // One that was sound then.
        try host.tamper("UPDATE history SET sentence = 'x' WHERE number = 7")
        #expect(try await host.verdict().keys == ["changed 7"])
        _ = try await accept("again")
        #expect(try await host.verdict().isSound)
        // One that was not, which its own hash does not guard any more.
        try host.tamper("UPDATE history SET sentence = 'y' WHERE number = 5")
        #expect(try await host.verdict().keys == ["changed-since-accepted 10"])
        // Put into the gap.
        let other = try HistoryHost()
        try other.write(9)
        try other.tamper("DELETE FROM history WHERE number > 5")
        _ = try await other.open().acceptHistory(because: "r", at: JournalFixture.noon)
        try other.tamper("INSERT INTO history (number, at, token, environment, code, sentence) VALUES (7, 'x', 'x', 'x', 'x', 'x')")
        #expect(try await other.verdict().keys.contains("unchained 7"))
    }

    @Test func `an acceptance that somebody made up accepts nothing`() async throws {
        try host.write(9)
        try host.tamper("UPDATE history SET sentence = 'x' WHERE number = 5")
        try host.tamper(
            """
            INSERT INTO history (number, at, token, environment, code, sentence, mark, key_id, previous, hash)
                SELECT 10, at, '', '', 'history-loss-accepted', 's', '{"kind":"accepted","through":9,"digest":""}', key_id, hash, randomblob(32)
                FROM history WHERE number = 9
            """)
        #expect(try await host.verdict().keys == ["changed 5", "changed 10"])
    }

    @Test func `a process that dies before the checkpoint is written leaves a sound history`() async throws {
        try host.write(9)
        let text = try host.folder.text("history.checkpoint")
        try host.tamper("DELETE FROM history WHERE number > 5; UPDATE sqlite_sequence SET seq = 5 WHERE name = 'history'")
        _ = try await accept()
        try host.folder.write(text, to: "history.checkpoint")
        #expect(try await host.verdict().isSound)
        try host.write(1)
        #expect(try await host.verdict().checkpoint?.number == 11)
    }

    @Test func `the finding goes with it, also where nothing is wrong any more`() async throws {
        let journal = try host.write(3)
        let finding = Finding(code: .historyBroken, severity: .error, sentence: "s", help: "h")
        _ = try journal.reconcile([finding], judged: { _ in false }, at: JournalFixture.noon)
        #expect(try await accept()?.isSound == true)
        #expect(try journal.openFindings().isEmpty)
        #expect(try await host.verdict().isSound)
    }

    @Test func `a lost key behind one that was put aside, and the word of a thief of the older one`() async throws {
        let thief = try host.write(3)
        let path = host.keys + "/history.key"
        let first = try #require(try HistoryKeys(in: host.keys).current)
        try FileManager.default.moveItem(atPath: path, toPath: host.keys + "/history-\(first).key")
        try host.write(3)
        try FileManager.default.removeItem(atPath: path)
        let journal = try host.open()
        let keys = try HistoryKeys.make(in: host.keys) { _ in }
        let new = try #require(keys.current)
        journal.chain(with: .keys(ChainKeys(id: new, retired: keys.retired, code: { keys.code($0, $1) })))
        #expect(try await journal.acceptHistory(because: "the disk died", at: JournalFixture.noon) != nil)
        try host.write(1)
        let verdict = try await host.verdict()
        #expect(verdict.isSound, "\(verdict.breaks.map(\.sentence))")
        // Cuts off the end and says that this was accepted.
        try host.tamper("DELETE FROM history WHERE number > 3; UPDATE sqlite_sequence SET seq = 8 WHERE name = 'history'")
        #expect(try await thief.acceptHistory(because: "mine", at: JournalFixture.noon) != nil)
        try host.folder.write("", to: "history.checkpoint")
        #expect(try await host.verdict().keys.contains("checkpoint-forged 9"))
        #expect(try host.open().noteHistoryHead(at: JournalFixture.noon, always: true) == nil)
    }

    @Test func `a lost key is replaced by a new one that a person asked for`() async throws {
        try host.write(200)
        try FileManager.default.removeItem(atPath: host.keys + "/history.key")
        let journal = try host.open()
        let keys = try HistoryKeys.make(in: host.keys) { _ in }
        journal.chain(with: .keys(ChainKeys(id: try #require(keys.current), code: { keys.code($0, $1) })))
        #expect(try await journal.acceptHistory(because: "the disk died", at: JournalFixture.noon) != nil)
        let verdict = try await host.verdict()
        #expect(verdict.isSound, "\(verdict.breaks.map(\.sentence))")
        try host.write(3)
        #expect(try await host.verdict().isSound)
        try host.tamper("UPDATE history SET sentence = 'y' WHERE number = 150")
        #expect(try await host.verdict().keys == ["changed-since-accepted 200"])
    }
}
