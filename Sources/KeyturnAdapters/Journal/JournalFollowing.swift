import GRDB
package import KeyturnCore
package import KeyturnEngine

/// What the journal says about some requests, read at once: for who waits for what another process makes of them.
package struct Followed: Sendable {
    /// As they are now, in the order in which they were filed.
    package var requests: [Request]
    package var tokens: [TokenName: Token]
    /// Those that the answers name, over or not.
    package var rotations: [String: Rotation]
    package var findings: [OpenFinding]
}

extension SQLiteJournal {
    /// Changes whenever another connection has written, and costs next to nothing. Our own writes do not change it.
    package func version() throws(JournalError) -> Int {
        try read { db in try Int.fetchOne(db, sql: "PRAGMA data_version") ?? 0 }
    }

    /// As many queries as there are tables, whatever the number of requests.
    package func follow(_ numbers: [Int64]) throws(JournalError) -> Followed {
        try read { db in
            let requests = try Row.fetchAll(
                db, sql: "SELECT * FROM request WHERE number IN (SELECT value FROM json_each(?)) ORDER BY number",
                arguments: [SQLiteJournal.json(numbers)]
            ).map(Request.init)
            let rotations = try Row.fetchAll(
                db, sql: "SELECT * FROM rotation WHERE id IN (SELECT value FROM json_each(?))",
                arguments: [SQLiteJournal.json(requests.compactMap(\.rotation))]
            ).map(Rotation.init)
            let tokens = try SQLiteJournal.tokens(Set(requests.map(\.token)), db)
            return Followed(
                requests: requests, tokens: Dictionary(uniqueKeysWithValues: tokens.map { ($0.name, $0) }),
                rotations: Dictionary(uniqueKeysWithValues: rotations.map { ($0.id, $0) }), findings: try SQLiteJournal.openFindings(db)
            )
        }
    }
}
