import Foundation
import GRDB
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

/// A journal in a folder of the test's own.
struct JournalFixture {
    let folder: TestFolder
    let path: String
    let journal: SQLiteJournal

    init() throws {
        folder = try TestFolder()
        path = folder["journal.db"]
        journal = try SQLiteJournal(path: path)
    }

    static let noon = Date(timeIntervalSince1970: 1_796_040_000)

    /// A token that holds one generation.
    static func token(_ name: String, _ generation: String? = nil, _ state: Generation.State = .held, intendedAt: Date = noon) -> Token {
        var token = Token(name: TokenName(name), environment: "prod", gateway: SampleValues.gateway)
        let generation = generation ?? "\(name)-2026-11"
        token.generations = [Generation(name: generation, state: state, intendedAt: intendedAt, signature: "")]
        if state == .retiring {
            let now = Moment(wall: noon, boot: 0, bootID: "")
            token.generations[0].retirement = Retirement(under: Overlap(), from: now)
        }
        return token
    }

    /// SQL by another hand, on a connection of its own.
    static func execute(_ sql: String, in path: String) throws {
        try DatabaseQueue(path: path).write { db in try db.execute(sql: sql) }
    }

    static func entry(_ token: String, _ sentence: String = "something happened") -> HistoryEntry {
        HistoryEntry(
            at: noon, token: TokenName(token), environment: "prod", rotation: nil, generation: nil, code: "happened", sentence: sentence)
    }
}

/// What an error of the journal says; nil when none is thrown.
func journalComplaint(_ body: () throws(JournalError) -> Void) -> String? {
    do throws(JournalError) {
        try body()
        return nil
    } catch {
        return error.description
    }
}
