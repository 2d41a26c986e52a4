import GRDB
import KeyturnTestHost

/// The host's journal as any other program sees it that opens the file.
extension Host {
    /// How many requests commands have filed.
    func requests() -> Int {
        (try? withJournal { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM request") }) ?? 0
    }

    /// Puts off for an hour what waits in a table because it failed, so that it is not tried again while the test runs unless
    /// something hurries it.
    func putOff(_ table: String) throws {
        try withJournal { db in
            let sql = "UPDATE \(table) SET not_before = strftime('%Y-%m-%d %H:%M:%f', 'now', '+1 hour') WHERE failures > 0"
            try db.execute(sql: sql)
            guard db.changesCount > 0 else { throw Unexpected("nothing waits in \(table)") }
        }
    }

    func withJournal<Result>(_ body: (Database) throws -> Result) throws -> Result {
        var configuration = GRDB.Configuration()
        // A daemon may be writing.
        configuration.busyMode = .timeout(10)
        let queue = try DatabaseQueue(path: path("state/journal.db"), configuration: configuration)
        let result = try queue.inDatabase(body)
        try queue.close()
        return result
    }
}
