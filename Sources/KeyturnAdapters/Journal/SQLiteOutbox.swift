package import Foundation
import GRDB
package import KeyturnCore
package import KeyturnEngine

extension SQLiteJournal {
    package func enlist(_ couriers: [String], at date: Date) throws(JournalError) {
        let wanted = Set(couriers)
        guard try Set(read { db in try SQLiteJournal.enlisted(db) }) != wanted else { return }
        try write { db in
            try db.execute(sql: "UPDATE courier SET enlisted = 0 WHERE enlisted = 1")
            for name in wanted.sorted() {
                try db.execute(
                    sql: """
                        INSERT INTO courier (name, enlisted, since, failures, needs_person) VALUES (?, 1, ?, 0, 0)
                        ON CONFLICT (name) DO UPDATE SET enlisted = 1
                        """, arguments: [name, date])
                for row in try Row.fetchAll(db, sql: "SELECT * FROM finding WHERE closed_at IS NULL") {
                    guard let finding = try Finding(row) else { continue }
                    try SQLiteJournal.owe(finding, try row.value("number"), to: name, in: db)
                }
            }
        }
    }

    /// Every courier that is enlisted owes a finding that has just been opened.
    static func owe(_ finding: Finding, _ number: Int64, in db: Database) throws {
        for name in try enlisted(db) { try owe(finding, number, to: name, in: db) }
    }

    private static func owe(_ finding: Finding, _ number: Int64, to courier: String, in db: Database) throws {
        // Nobody tells of their own failure.
        guard finding.telling != .kept, !(finding.code == .courierFailing && finding.subject == courier) else { return }
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO notice (finding, courier, told, told_before) VALUES (:finding, :courier, 0,
                    (SELECT told_at FROM notice JOIN finding ON finding.number = notice.finding
                        WHERE finding.key = :key AND finding.number < :finding AND notice.courier = :courier AND told_at IS NOT NULL
                        ORDER BY finding.number DESC LIMIT 1))
                ON CONFLICT DO NOTHING
                """)
        try statement.execute(arguments: ["finding": number, "courier": courier, "key": finding.key])
    }

    private static func enlisted(_ db: Database) throws -> [String] {
        try String.fetchAll(db, sql: "SELECT name FROM courier WHERE enlisted = 1 ORDER BY name")
    }

    package func couriers() throws(JournalError) -> [CourierState] {
        try read { db in try Row.fetchAll(db, sql: "SELECT * FROM courier WHERE enlisted = 1 ORDER BY name").map(CourierState.init) }
    }

    package func desk(of courier: String, takenSince date: Date) throws(JournalError) -> CourierDesk? {
        try read { db in
            guard let row = try Row.fetchOne(db, sql: "SELECT * FROM courier WHERE name = ? AND enlisted = 1", arguments: [courier])
            else { return nil }
            let notices = try Row.fetchAll(
                db,
                sql: """
                    SELECT finding.*, told, told_at, told_severity, told_before FROM notice JOIN finding ON finding.number = notice.finding
                    WHERE courier = ? AND settled = 0 ORDER BY notice.finding
                    """, arguments: [courier]
            ).compactMap(Notice.init)
            let taken = try Date.fetchAll(
                db, sql: "SELECT taken_at FROM message WHERE courier = ? AND taken_at > ?", arguments: [courier, date])
            return CourierDesk(
                state: try CourierState(row), notices: notices, underWay: try SQLiteJournal.underWay(courier, db), taken: taken)
        }
    }

    private static func underWay(_ courier: String, _ db: Database) throws -> Dispatch? {
        guard let row = try Row.fetchOne(db, sql: "SELECT * FROM message WHERE courier = ? AND taken_at IS NULL", arguments: [courier])
        else { return nil }
        var words: [Int64: Notice.Word] = [:]
        let said = "SELECT finding, word FROM notice WHERE courier = ? AND settled = 0 AND message = ?"
        for notice in try Row.fetchAll(db, sql: said, arguments: [courier, row["number"] as Int64]) {
            words[try notice.value("finding")] = try notice.word("word")
        }
        return try Dispatch(row, words: words)
    }

    package func begin(_ dispatch: Dispatch, by courier: String) throws(JournalError) {
        try write { db in
            try db.execute(
                sql: "INSERT INTO message (courier, id, thread, begun_at) VALUES (?, ?, ?, ?)",
                arguments: [courier, dispatch.id, dispatch.thread, dispatch.begunAt])
            let number = db.lastInsertedRowID
            for (finding, word) in dispatch.words {
                try db.execute(
                    sql: "UPDATE notice SET message = ?, word = ? WHERE finding = ? AND courier = ?",
                    arguments: [number, word.rawValue, finding, courier])
            }
        }
    }

    package func took(_ dispatch: Dispatch, _ notices: [Notice], by courier: String, at date: Date) throws(JournalError) {
        try write { db in
            try db.execute(
                sql: "UPDATE message SET taken_at = ? WHERE courier = ? AND taken_at IS NULL AND id = ?",
                arguments: [date, courier, dispatch.id])
            for number in dispatch.words.keys {
                try db.execute(
                    sql: "UPDATE notice SET settled = 1, told_at = ?, message = NULL, word = NULL WHERE finding = ? AND courier = ?",
                    arguments: [date, number, courier])
            }
            for notice in notices {
                try db.execute(
                    sql: "UPDATE notice SET settled = 0, told = ?, told_at = ?, told_severity = ? WHERE finding = ? AND courier = ?",
                    arguments: [notice.told, notice.toldAt, notice.toldSeverity?.rawValue, notice.number, courier])
            }
            try db.execute(
                sql: """
                    UPDATE courier SET failures = 0, not_before = NULL, last_error = NULL, needs_person = 0, failing_since = NULL
                    WHERE name = ? AND failing_since IS NOT NULL
                    """, arguments: [courier])
        }
    }

    package func failed(
        _ dispatch: Dispatch, by courier: String, _ attempts: Attempts, since: Date, isUnclear: Bool
    ) throws(JournalError) {
        try write { db in
            if !isUnclear {
                for number in dispatch.words.keys {
                    try db.execute(
                        sql: "UPDATE notice SET message = NULL, word = NULL WHERE finding = ? AND courier = ?",
                        arguments: [number, courier])
                }
                try db.execute(
                    sql: "DELETE FROM message WHERE courier = ? AND taken_at IS NULL AND id = ?", arguments: [courier, dispatch.id])
            }
            var columns = attempts.columns
            columns["failing_since"] = since
            columns["name"] = courier
            try db.execute(
                sql: """
                    UPDATE courier SET failures = :failures, not_before = :not_before, last_error = :last_error,
                        needs_person = :needs_person, failing_since = :failing_since WHERE name = :name
                    """, arguments: StatementArguments(columns))
        }
    }

    package func urge() throws(JournalError) {
        try write { db in try db.execute(sql: "UPDATE courier SET not_before = NULL WHERE enlisted = 1 AND not_before IS NOT NULL") }
    }

    package func settle(_ numbers: [Int64], of courier: String) throws(JournalError) {
        try write { db in
            for number in numbers {
                try db.execute(sql: "UPDATE notice SET settled = 1 WHERE finding = ? AND courier = ?", arguments: [number, courier])
            }
        }
    }

    package func host() throws(JournalError) -> String {
        if let tag = try fact("outbox") { return tag }
        try setFact("outbox", UUID().uuidString.prefix(8).lowercased())
        return try fact("outbox") ?? ""
    }
}
