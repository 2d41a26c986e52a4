import Foundation
import GRDB
import KeyturnCore
import KeyturnEngine

extension Notice {
    /// Of the outbox's own joined columns; nil where the finding is of a newer version.
    init?(_ row: Row) throws {
        guard let finding = try Finding(row) else { return nil }
        try self.init(
            number: row.value("number"), finding: finding, openedAt: row.value("opened_at"), closedAt: row.optional("closed_at"),
            told: row.value("told"), toldAt: row.optional("told_at"), toldSeverity: row.optionalWord("told_severity"),
            toldBefore: row.optional("told_before")
        )
    }
}

extension Dispatch {
    init(_ row: Row, words: [Int64: Notice.Word]) throws {
        try self.init(id: row.value("id"), thread: row.optional("thread"), begunAt: row.value("begun_at"), words: words)
    }
}

extension CourierState {
    init(_ row: Row) throws {
        try self.init(name: row.value("name"), attempts: row.attempts, failingSince: row.optional("failing_since"))
    }
}
