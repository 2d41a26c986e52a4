import GRDB

/// The host's journal as any other program sees it that opens the file.
extension Host {
    /// How many requests commands have filed.
    func requests() -> Int {
        (try? withJournal { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM request") }) ?? 0
    }

    func withJournal<Result>(_ body: (Database) throws -> Result) throws -> Result {
        let queue = try DatabaseQueue(path: path("state/journal.db"))
        let result = try queue.inDatabase(body)
        try queue.close()
        return result
    }
}
