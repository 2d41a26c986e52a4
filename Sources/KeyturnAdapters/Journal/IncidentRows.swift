import Foundation
import GRDB
package import KeyturnCore
package import KeyturnEngine

extension SQLiteJournal {
    package func open(_ incident: LeakIncident, of token: Token, _ entries: [HistoryEntry]) throws(JournalError) {
        try write { db in
            // One writer at a time: what follows the newest entry now is ours.
            let newest = try Int64.fetchOne(db, sql: "SELECT max(number) FROM history") ?? 0
            try save(token, entries, in: db)
            let first = try Int64.fetchOne(db, sql: "SELECT min(number) FROM history WHERE number > ?", arguments: [newest])
            var opened = incident
            opened.firstEntry = first ?? newest + 1
            try insert("incident", opened.columns, in: db)
            let number = db.lastInsertedRowID
            for (position, generation) in incident.generations.enumerated() {
                try insert("incident_generation", generation.columns(of: number, at: position), in: db)
            }
        }
    }

    package func close(_ number: Int64, of token: Token, _ entry: HistoryEntry) throws(JournalError) {
        try write { db in
            try save(token, [entry], in: db)
            try db.execute(
                sql: "UPDATE incident SET closed_at = ? WHERE number = ? AND closed_at IS NULL", arguments: [entry.at, number])
        }
    }

    package func openIncidents() throws(JournalError) -> [LeakIncident] {
        try read { db in try SQLiteJournal.incidents("closed_at IS NULL", [], db) }
    }

    package func incidents(of token: TokenName) throws(JournalError) -> [LeakIncident] {
        try read { db in try SQLiteJournal.incidents("token = ?", [token.text], db) }
    }

    private static func incidents(_ condition: String, _ arguments: StatementArguments, _ db: Database) throws -> [LeakIncident] {
        var incidents = try Row.fetchAll(db, sql: "SELECT * FROM incident WHERE \(condition) ORDER BY number", arguments: arguments)
            .map(LeakIncident.init)
        for index in incidents.indices {
            incidents[index].generations = try Row.fetchAll(
                db, sql: "SELECT * FROM incident_generation WHERE incident = ? ORDER BY position", arguments: [incidents[index].number]
            ).map(LeakIncident.Generation.init)
        }
        return incidents
    }

    package func isLeaked(fingerprint: String) throws(JournalError) -> Bool {
        try read { db in
            try Row.fetchOne(
                db, sql: "SELECT 1 FROM generation WHERE fingerprint = ? AND leaked_at IS NOT NULL LIMIT 1", arguments: [fingerprint])
                != nil
        }
    }
}

extension LeakIncident {
    fileprivate init(_ row: Row) throws {
        try self.init(
            number: row.value("number"), token: TokenName(row.value("token")), environment: row.value("environment"),
            gateway: GatewayName(row.value("gateway")), mode: row.word("mode"), reason: row.optional("reason"),
            openedAt: row.value("opened_at"), closedAt: row.optional("closed_at"), firstEntry: row.value("first_entry"), generations: [])
    }

    fileprivate var columns: Columns {
        [
            "token": token.text, "environment": environment, "gateway": gateway.text, "mode": mode.rawValue, "reason": reason,
            "opened_at": openedAt, "closed_at": closedAt, "first_entry": firstEntry,
        ]
    }
}

extension LeakIncident.Generation {
    fileprivate init(_ row: Row) throws {
        let reading = try Reading(
            today: row.decimal("read_today"), month: row.decimal("read_month"), lastUsedAt: row.optional("read_last_used_at"))
        let cost: String? = try row.optional("cost")
        try self.init(
            name: row.value("name"), state: row.word("state"), before: reading.saysNothing ? nil : reading, readAt: row.optional("read_at"),
            cost: cost.map { try JSONDecoder().decode(UsageCost.self, from: Data($0.utf8)) })
    }

    fileprivate func columns(of incident: Int64, at position: Int) throws -> Columns {
        [
            "incident": incident, "position": position, "name": name, "state": state.rawValue,
            "read_today": before?.today.map { "\($0)" }, "read_month": before?.month.map { "\($0)" },
            "read_last_used_at": before?.lastUsedAt, "read_at": readAt,
            "cost": try cost.map { String(decoding: try JSONEncoder().encode($0), as: UTF8.self) },
        ]
    }
}
