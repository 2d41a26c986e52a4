package import Foundation
import GRDB
import Glibc
package import KeyturnCore
package import KeyturnEngine
import Synchronization

/// Why a sound file does not serve as the journal, and the way out.
struct UnusableJournal: Error, CustomStringConvertible {
    let description: String
}

/// The journal in one SQLite file, in WAL mode so that commands may read while the daemon writes, with
/// `synchronous=FULL` so that what was recorded survives a power cut.
package final class SQLiteJournal: Journal {
    package let path: String
    /// The one connection; for the tests, which read its settings back.
    let queue: DatabaseQueue
    /// What new rows of the history are chained with.
    let seal: Mutex<ChainSeal>

    /// Opens the file, makes it (0600) where it is missing, and brings its tables up to date. Without a path it lives in
    /// memory, empty, for who looks at a host that has none.
    ///
    /// `seal`: what rows of the history are chained with until `chain(with:)` says otherwise.
    package init(path: String?, seal: ChainSeal = .unkeyed) throws(JournalError) {
        self.path = path ?? "in memory"
        self.seal = Mutex(seal)
        guard let path else {
            do {
                queue = try DatabaseQueue()
                try JournalSchema.migrator.migrate(queue)
            } catch { throw SQLiteJournal.explain(error, "in memory") }
            return
        }
        do {
            try SQLiteJournal.makeIfMissing(path)
            queue = try SQLiteJournal.open(path)
        } catch { throw SQLiteJournal.explain(error, path) }
    }

    /// Made whole under another name first: SQLite answers "locked", without waiting, to some of those who meet a file that
    /// is being turned into a WAL database.
    private static func makeIfMissing(_ path: String) throws {
        guard unsafe access(path, F_OK) != 0, errno == ENOENT else { return }
        let new = "\(path).\(UUID().uuidString)"
        defer { for suffix in ["", "-wal", "-shm", "-journal"] { unsafe unlink(new + suffix) } }
        // SQLite would make it as the umask says, and makes its other files as this one is.
        let descriptor = unsafe Glibc.open(new, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        // What is wrong with the place SQLite will say.
        if descriptor >= 0 { Glibc.close(descriptor) }
        let queue = try open(new)
        // Closing would do the same and say nothing where the disk has no room for it: the file would be linked without what is in its log.
        try queue.writeWithoutTransaction { db in _ = try db.checkpoint(.truncate) }
        try queue.close()
        guard unsafe link(new, path) == 0 || errno == EEXIST else {
            throw UnusableJournal(description: "it cannot be made: \(unsafe String(cString: strerror(errno)))")
        }
        let folder = unsafe Glibc.open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { Glibc.close(folder) }
        guard fsync(folder) == 0 else {
            throw UnusableJournal(description: "its folder cannot be synced: \(unsafe String(cString: strerror(errno)))")
        }
    }

    private static func open(_ path: String) throws -> DatabaseQueue {
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(15)
        configuration.label = "journal"
        // Not by GRDB's own setting, which means NORMAL (a power cut could take the last commits, and with them the name of a
        // token that exists) and writes at every opening.
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
            let mode = try String.fetchOne(db, sql: "PRAGMA journal_mode")
            let level = try Int.fetchOne(db, sql: "PRAGMA synchronous")
            guard mode == "wal", level == 2 else {
                throw UnusableJournal(description: "it does not take WAL and FULL: keep it on a local disk")
            }
        }
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        let migrator = JournalSchema.migrator
        if try queue.read({ db in try migrator.hasBeenSuperseded(db) }) {
            throw UnusableJournal(
                description: "it was written by a newer version of keyturn: install that version, or restore an older backup")
        }
        do { try migrator.migrate(queue) } catch {
            // A command and the daemon that bring it up to date at the same moment: the other one was faster.
            guard try queue.read({ db in try migrator.hasCompletedMigrations(db) }) else { throw error }
        }
        return queue
    }

    func read<Result>(_ body: (Database) throws -> Result) throws(JournalError) -> Result {
        do { return try queue.read(body) } catch { throw SQLiteJournal.explain(error, path) }
    }

    func write<Result>(_ body: (Database) throws -> Result) throws(JournalError) -> Result {
        do { return try queue.write(body) } catch { throw SQLiteJournal.explain(error, path) }
    }

    private static func explain(_ error: any Error, _ path: String) -> JournalError {
        if let error = error as? UnreadableRow {
            return JournalError(
                "journal \(path): it holds \(error), which keyturn never wrote; stop keyturn, keep the file, and restore a backup")
        }
        guard let error = error as? DatabaseError else { return JournalError("journal \(path): \(error)") }
        // Where not even the memory that its processes share can grow, SQLite speaks of an error of the disk.
        let isFull = error.resultCode == .SQLITE_FULL || error.extendedResultCode == .SQLITE_IOERR_SHMSIZE
        let help =
            switch isFull ? .SQLITE_FULL : error.resultCode {
            case .SQLITE_FULL: "the disk is full: make room; nothing is created or revoked until then"
            case .SQLITE_READONLY: "it cannot be written: see who owns it and whether its file system is read-only"
            case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: "it cannot be opened: see that its folder is there and who may use it"
            case .SQLITE_CORRUPT, .SQLITE_NOTADB:
                "it is damaged: stop keyturn, keep the file, and restore a backup; the keyring is untouched"
            case .SQLITE_IOERR: "the disk answers with errors"
            case .SQLITE_BUSY, .SQLITE_LOCKED: "another process has held it for too long"
            default: "restart keyturn; if it stays, report it"
            }
        return JournalError("journal \(path): \(error.message ?? "error \(error.resultCode.rawValue)"); \(help)")
    }

    // MARK: Tokens

    package func ledger() throws(JournalError) -> [Token] { try read { db in try SQLiteJournal.tokens(nil, db) } }

    package func token(_ name: TokenName) throws(JournalError) -> Token? {
        try read { db in try SQLiteJournal.tokens([name], db).first }
    }

    /// Those of some names, or all, by name; one query a table.
    static func tokens(_ names: Set<TokenName>?, _ db: Database) throws -> [Token] {
        let chosen: StatementArguments = try names.map { ["names": try json($0.map(\.text))] } ?? []
        func among(_ column: String, _ word: String) -> String {
            names == nil ? "" : "\(word) \(column) IN (SELECT value FROM json_each(:names))"
        }
        var tokens = try Row.fetchAll(db, sql: "SELECT * FROM token \(among("name", "WHERE")) ORDER BY name", arguments: chosen)
            .map(Token.init)
        let position = Dictionary(uniqueKeysWithValues: tokens.enumerated().map { ($1.name.text, $0) })
        let living = """
            SELECT generation.* FROM generation JOIN token ON token.name = generation.token AND token.gateway = generation.gateway
            WHERE state <> 'revoked' \(among("generation.token", "AND")) ORDER BY intended_at, generation.name
            """
        for row in try Row.fetchAll(db, sql: living, arguments: chosen) {
            if let index = try position[row.value("token")] { tokens[index].generations.append(try Generation(row)) }
        }
        let open = "SELECT * FROM rotation WHERE ended_at IS NULL \(among("token", "AND"))"
        for row in try Row.fetchAll(db, sql: open, arguments: chosen) {
            if let index = try position[row.value("token")] { tokens[index].rotation = try Rotation(row) }
        }
        for row in try Row.fetchAll(db, sql: "SELECT * FROM target \(among("token", "WHERE")) ORDER BY file, key", arguments: chosen) {
            if let index = try position[row.value("token")] { tokens[index].targets.append(try TargetState(row)) }
        }
        return tokens
    }

    /// A list as one argument of a query, for `json_each`.
    static func json(_ values: [some Encodable]) throws -> String { String(decoding: try JSONEncoder().encode(values), as: UTF8.self) }

    package func rotation(_ id: String) throws(JournalError) -> Rotation? {
        try read { db in try Row.fetchOne(db, sql: "SELECT * FROM rotation WHERE id = ?", arguments: [id]).map(Rotation.init) }
    }

    package func record(_ token: Token, _ entries: [HistoryEntry]) throws(JournalError) {
        try write { db in try save(token, entries, in: db) }
    }

    package func reserve(
        _ token: Token, _ entries: [HistoryEntry], others: Int, capacity: Int?, unknownSince: Date
    ) throws(JournalError) -> Bool {
        try write { db in
            if let capacity {
                // Both parts say what the index of the unrevoked ones is about, else it would not be used.
                let ours =
                    try Int.fetchOne(
                        db,
                        sql: """
                            SELECT (SELECT count(*) FROM generation
                                WHERE gateway = :gateway AND state <> 'revoked' AND state IN ('intended', 'held', 'retiring', 'revoking'))
                            + (SELECT count(*) FROM generation
                                WHERE gateway = :gateway AND state <> 'revoked' AND state = 'abandoned' AND intended_at >= :since)
                            """,
                        arguments: ["gateway": token.gateway.text, "since": unknownSince]
                    ) ?? 0
                guard others + ours < capacity else { return false }
            }
            try save(token, entries, in: db)
            return true
        }
    }

    func save(_ token: Token, _ entries: [HistoryEntry], in db: Database) throws {
        try upsert("token", key: ["name"], token.columns, in: db)
        // A name or a number that is another token's stays with it.
        for generation in token.generations {
            try upsert("generation", key: ["gateway", "name"], generation.columns(of: token), owned: true, in: db)
        }
        if let rotation = token.rotation { try upsert("rotation", key: ["id"], rotation.columns(of: token), owned: true, in: db) }
        let kept = Set(token.targets.map(\.id))
        for row in try Row.fetchAll(db, sql: "SELECT * FROM target WHERE token = ?", arguments: [token.name.text])
        where try !kept.contains(TargetState(row).id) {
            try db.execute(
                sql: "DELETE FROM target WHERE token = ? AND file = ? AND key = ?",
                arguments: [token.name.text, row["file"] as DatabaseValue, row["key"] as DatabaseValue]
            )
        }
        for target in token.targets { try upsert("target", key: ["token", "file", "key"], target.columns(of: token), in: db) }
        try append(entries, in: db)
    }

    func insert(_ table: String, _ columns: Columns, in db: Database) throws {
        let names = columns.keys.sorted()
        let places = names.map { ":\($0)" }.joined(separator: ", ")
        let statement = try db.cachedStatement(sql: "INSERT INTO \(table) (\(names.joined(separator: ", "))) VALUES (\(places))")
        try statement.execute(arguments: StatementArguments(columns))
    }

    /// `owned`: the row has a token, and only that token's row may be changed.
    private func upsert(_ table: String, key: [String], _ columns: Columns, owned: Bool = false, in db: Database) throws {
        let names = columns.keys.sorted()
        let places = names.map { ":\($0)" }.joined(separator: ", ")
        let changes = names.filter { !key.contains($0) }.map { "\($0) = excluded.\($0)" }.joined(separator: ", ")
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO \(table) (\(names.joined(separator: ", "))) VALUES (\(places))
                ON CONFLICT (\(key.joined(separator: ", "))) DO UPDATE SET \(changes)\(owned ? " WHERE \(table).token = excluded.token" : "")
                """
        )
        try statement.execute(arguments: StatementArguments(columns))
        if owned, db.changesCount == 0 {
            let row = key.map { "\(columns[$0].flatMap { $0 }?.databaseValue ?? .null)" }.joined(separator: " ")
            throw UnusableJournal(
                description: "\(table) \(row) belongs to another token than \(columns["token"].flatMap { $0 }?.databaseValue ?? .null)")
        }
    }

    // MARK: Names

    package func names(of gateway: GatewayName, startingWith prefix: String) throws(JournalError) -> Set<String> {
        try read { db in
            try Set(
                String.fetchAll(
                    // No name has the last of all characters in it.
                    db, sql: "SELECT name FROM generation WHERE gateway = ? AND name >= ? AND name < ?",
                    arguments: [gateway.text, prefix, "\(prefix)\u{10FFFF}"]
                )
            )
        }
    }

    package func states(of gateway: GatewayName, names: Set<String>) throws(JournalError) -> [String: Generation.State] {
        try read { db in
            let statement = try db.cachedStatement(sql: "SELECT state FROM generation WHERE gateway = ? AND name = ?")
            var states: [String: Generation.State] = [:]
            for name in names {
                if let row = try Row.fetchOne(statement, arguments: [gateway.text, name]) { states[name] = try row.word("state") }
            }
            return states
        }
    }

    package func past(of gateway: GatewayName, names: Set<String>) throws(JournalError) -> [String: PastGeneration] {
        try read { db in
            let statement = try db.cachedStatement(sql: "SELECT * FROM generation WHERE gateway = ? AND name = ?")
            var past: [String: PastGeneration] = [:]
            for name in names {
                guard let row = try Row.fetchOne(statement, arguments: [gateway.text, name]) else { continue }
                past[name] = try PastGeneration(token: TokenName(row.value("token")), generation: Generation(row))
            }
            return past
        }
    }

    // MARK: History, requests, findings

    package func history(of token: TokenName?, after number: Int64, limit: Int) throws(JournalError) -> [HistoryEntry] {
        try read { db in
            let condition = token == nil ? "" : "AND token = :token"
            // The newest of them, told oldest first.
            return try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM (SELECT * FROM history WHERE number > :number \(condition) ORDER BY number DESC LIMIT :limit) ORDER BY number
                    """,
                arguments: StatementArguments(
                    ["number": number, "limit": limit].merging(token == nil ? [:] : ["token": token?.text]) { $1 })
            ).map(HistoryEntry.init)
        }
    }

    package func file(_ request: Request) throws(JournalError) -> Request {
        try write { db in
            try insert("request", request.columns, in: db)
            var filed = request
            filed.number = db.lastInsertedRowID
            return filed
        }
    }

    package func pendingRequests() throws(JournalError) -> [Request] {
        try read { db in try Row.fetchAll(db, sql: "SELECT * FROM request WHERE answered_at IS NULL ORDER BY number").map(Request.init) }
    }

    package func request(_ number: Int64) throws(JournalError) -> Request? {
        try read { db in try Row.fetchOne(db, sql: "SELECT * FROM request WHERE number = ?", arguments: [number]).map(Request.init) }
    }

    package func answer(_ request: Request, at date: Date) throws(JournalError) {
        try write { db in
            try db.execute(
                sql: "UPDATE request SET answered_at = ?, refusal = ?, rotation = ? WHERE number = ?",
                arguments: [date, request.refusal, request.rotation, request.number]
            )
        }
    }

    package func reconcile(
        _ findings: [Finding], judged: @Sendable (Finding) -> Bool, at date: Date
    ) throws(JournalError) -> FindingChanges {
        try write { db in
            let open = try SQLiteJournal.openFindings(db).map(\.finding)
            let wanted = Dictionary(findings.map { ($0.key, $0) }) { first, _ in first }
            let known = Set(open.map(\.key))
            let opened = wanted.values.filter { !known.contains($0.key) }.sorted { $0.key < $1.key }
            let closed = open.filter { wanted[$0.key] == nil && judged($0) }
            for finding in opened {
                try insert("finding", finding.columns.merging(["opened_at": date]) { $1 }, in: db)
                try SQLiteJournal.owe(finding, db.lastInsertedRowID, in: db)
            }
            for finding in closed {
                try db.execute(sql: "UPDATE finding SET closed_at = ? WHERE key = ? AND closed_at IS NULL", arguments: [date, finding.key])
            }
            for finding in open {
                guard let now = wanted[finding.key], now != finding else { continue }
                try db.execute(
                    sql: """
                        UPDATE finding SET environment = ?, sentence = ?, help = ?, severity = ?, telling = ?
                        WHERE key = ? AND closed_at IS NULL
                        """,
                    arguments: [now.environment, now.sentence, now.help, now.severity.rawValue, now.telling.rawValue, now.key]
                )
            }
            return FindingChanges(opened: opened, closed: closed)
        }
    }

    package func openFindings() throws(JournalError) -> [OpenFinding] {
        try read { db in try SQLiteJournal.openFindings(db) }
    }

    static func openFindings(_ db: Database) throws -> [OpenFinding] {
        try Row.fetchAll(db, sql: "SELECT * FROM finding WHERE closed_at IS NULL ORDER BY number").compactMap { row in
            try Finding(row).map { try OpenFinding(finding: $0, openedAt: row.value("opened_at")) }
        }
    }

    // MARK: The host's own facts

    /// A fact that is set once and stays, such as which keyring belongs to this journal.
    package func fact(_ name: String) throws(JournalError) -> String? {
        try read { db in try String.fetchOne(db, sql: "SELECT value FROM host WHERE name = ?", arguments: [name]) }
    }

    package func setFact(_ name: String, _ value: String) throws(JournalError) {
        try write { db in
            try db.execute(sql: "INSERT INTO host (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", arguments: [name, value])
        }
    }
}
