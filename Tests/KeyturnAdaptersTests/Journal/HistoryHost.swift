import Foundation
import GRDB
import KeyturnCore
import KeyturnEngine
import Testing

@testable import KeyturnAdapters

/// A state folder with journal, history key and checkpoint, as a house has it.
struct HistoryHost {
    let folder: TestFolder
    var path: String { folder["journal.db"] }
    var keys: String { folder["keys"] }

    init() throws {
        folder = try TestFolder()
        try FileManager.default.createDirectory(atPath: keys, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    /// As a process opens it that may write.
    func open(makes: Bool = true) throws -> SQLiteJournal {
        let journal = try SQLiteJournal(path: path)
        try House.chain(journal, folder: keys, makes: makes)
        return journal
    }

    /// Rows of three tokens in turn, and a checkpoint behind them.
    @discardableResult
    func write(_ count: Int, to journal: SQLiteJournal? = nil, expectsCheckpoint: Bool = true) throws -> SQLiteJournal {
        let journal = try journal ?? open()
        for number in 1...count {
            let name = "t\(number % 3)"
            try journal.record(HistoryHost.token(name), [HistoryHost.entry(name, "row \(number)")])
        }
        #expect(try (journal.noteHistoryHead(at: JournalFixture.noon, always: false) != nil) == expectsCheckpoint)
        return journal
    }

    static func token(_ name: String) -> Token {
        Token(name: TokenName(name), environment: "prod", gateway: SampleValues.gateway)
    }

    static func entry(_ name: String, _ sentence: String) -> HistoryEntry {
        HistoryEntry(
            at: JournalFixture.noon, token: TokenName(name), environment: "prod", rotation: "\(name)#1", generation: "\(name)-2026-11",
            code: "happened", sentence: sentence)
    }

    /// By another hand, past the triggers that keep an honest one from it.
    func tamper(_ sql: String) throws {
        let queue = try DatabaseQueue(path: path)
        try queue.write { db in
            for trigger in try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger'") {
                try db.execute(sql: "DROP TRIGGER \(trigger)")
            }
            try db.execute(sql: sql)
        }
        try queue.close()
    }

    func verdict() async throws -> HistoryVerdict {
        try #require(try await open(makes: false).verifyHistory(at: JournalFixture.noon))
    }

    func complaints() async throws -> [String] { try await verdict().breaks.map(\.sentence) }
}

extension HistoryVerdict {
    /// `changed 5`
    var keys: [String] { breaks.map { "\($0.word) \($0.number)" } }
}
