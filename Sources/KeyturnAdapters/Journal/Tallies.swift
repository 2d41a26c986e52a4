import GRDB
package import KeyturnEngine

/// What the journal has counted since it began; never less than before.
package struct Tallies: Sendable, Equatable {
    /// Rotations that are over, by environment and by how they ended: `finished` or `abandoned`.
    package struct Rotations: Sendable, Equatable {
        package var environment: String
        package var outcome: String
        package var count: Int
    }

    /// Requests of commands that were answered: `done` or `refused`.
    package struct Requests: Sendable, Equatable {
        package var verb: String
        package var outcome: String
        package var count: Int
    }

    package var rotations: [Rotations]
    package var requests: [Requests]
    package var historyRows: Int64
    /// Of the last verification; nil before the first.
    package var historyBreaks: Int?
}

extension SQLiteJournal {
    /// Kept by the database itself, so that nothing has to be counted anew.
    package func tallies() throws(JournalError) -> Tallies {
        try read { db in
            let rows = try Row.fetchAll(db, sql: "SELECT * FROM tally ORDER BY what, part, outcome")
            func counted<Count>(_ what: String, _ count: (String, String, Int) -> Count) throws -> [Count] {
                try rows.filter { try $0.value("what") == what }.map { try count($0.value("part"), $0.value("outcome"), $0.value("count")) }
            }
            return Tallies(
                rotations: try counted("rotation") { Tallies.Rotations(environment: $0, outcome: $1, count: $2) },
                requests: try counted("request") { Tallies.Requests(verb: $0, outcome: $1, count: $2) },
                historyRows: try Int64.fetchOne(db, sql: "SELECT number FROM history WHERE number = (SELECT max(number) FROM history)")
                    ?? 0,
                historyBreaks: try Int.fetchOne(db, sql: "SELECT breaks FROM history_verification")
            )
        }
    }
}
