package import Foundation
import GRDB
package import KeyturnCore
package import KeyturnEngine
import Synchronization

/// The link that the next row of the history follows.
private struct Link {
    var number: Int64
    var hash: [UInt8]
}

extension SQLiteJournal {
    /// Adds rows, each chained to the one before it. In the transaction of what they tell of, so that no two processes follow the
    /// same row.
    func append(_ entries: [HistoryEntry], marks: HistoryMark? = nil, in db: Database) throws {
        guard !entries.isEmpty else { return }
        let seal = seal.withLock { $0 }
        guard let keyID = seal.keyID else { throw UnusableJournal(description: seal.obstacle ?? "it has no key") }
        var link = try link(keyID, db, isMarked: marks != nil)
        for entry in entries {
            var columns = entry.columns
            columns["mark"] = try marks.map(SQLiteJournal.text)
            var row = ChainedRow(number: link.number + 1, previous: link.hash, keyID: keyID, body: SQLiteJournal.body(columns))
            guard let hash = seal.code(keyID, row.content) else { throw UnusableJournal(description: "its key \(keyID) is gone") }
            row.hash = hash
            columns["number"] = row.number
            columns["previous"] = Data(row.previous)
            columns["hash"] = Data(row.hash)
            columns["key_id"] = row.keyID
            try insert("history", columns, in: db)
            link = Link(number: row.number, hash: row.hash)
        }
    }

    /// No number is given twice, also where the newest rows were removed: the gap shows.
    private func link(_ keyID: String, _ db: Database, isMarked: Bool) throws -> Link {
        let given = try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'history'") ?? 0
        let newest = "SELECT number, key_id, hash FROM history WHERE number = (SELECT max(number) FROM history)"
        guard let head = try Row.fetchOne(db, sql: newest) else {
            return Link(number: given, hash: ChainedRow.origin)
        }
        // A process that was started before the key was replaced must not go on under the old one.
        if let found: String = try head.optional("key_id"), found != keyID, !isMarked {
            throw UnusableJournal(
                description: "its history is under the key \(found), and this process has \(keyID): restart it; if that does not help, "
                    + "see `keyturn history --verify`")
        }
        let hash: Data? = try head.optional("hash")
        return Link(number: max(given, try head.value("number")), hash: hash.map(Array.init) ?? ChainedRow.origin)
    }

    private static func text(_ mark: HistoryMark) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(mark), as: UTF8.self)
    }

    /// The fields of a row about to be written. SQLite takes a text up to its first NUL.
    private static func body(_ columns: Columns) -> [UInt8] {
        var bytes: [UInt8] = []
        for name in ChainedRow.bodyColumns {
            if let text = String.fromDatabaseValue(columns[name].flatMap { $0 }?.databaseValue ?? .null) {
                ChainedRow.append(text: text.utf8.prefix { $0 != 0 }, to: &bytes)
            } else {
                ChainedRow.appendNull(to: &bytes)
            }
        }
        return bytes
    }

    // MARK: Reading

    /// Byte for byte as they are stored, whatever another hand has put there.
    private static let chainedColumns =
        "number, CAST(previous AS BLOB), CAST(hash AS BLOB), CAST(key_id AS BLOB), "
        + ChainedRow.bodyColumns.map { "CAST(\($0) AS BLOB)" }.joined(separator: ", ")

    /// Rows after a number, oldest first.
    static func chainedRows(after number: Int64, limit: Int, _ db: Database, _ body: (ChainedRow) throws -> Void) throws {
        let statement = try db.cachedStatement(
            sql: "SELECT \(chainedColumns) FROM history WHERE number > ? ORDER BY number LIMIT ?")
        let cursor = try Row.fetchCursor(statement, arguments: [number, limit])
        while let row = try cursor.next() { try body(try chainedRow(row)) }
    }

    static func acceptedRow(_ db: Database) throws -> ChainedRow? {
        let rows = try Row.fetchAll(
            db,
            sql: "SELECT \(chainedColumns) FROM history WHERE mark IS NOT NULL AND code = ? ORDER BY number DESC LIMIT 1",
            arguments: [HistoryMark.Kind.accepted.code])
        return try rows.first.map(chainedRow)
    }

    private static func chainedRow(_ row: Row) throws -> ChainedRow {
        func bytes(_ index: Int) throws -> [UInt8]? { try row.withUnsafeData(atIndex: index) { $0.map(Array.init) } }
        var body: [UInt8] = []
        for index in 4..<(4 + ChainedRow.bodyColumns.count) {
            try row.withUnsafeData(atIndex: index) { data in
                if let data { ChainedRow.append(text: data, to: &body) } else { ChainedRow.appendNull(to: &body) }
            }
        }
        return ChainedRow(
            number: row[0], previous: try bytes(1) ?? [], hash: try bytes(2) ?? [],
            keyID: String(decoding: try bytes(3) ?? [], as: UTF8.self), body: body
        )
    }

    /// The newest row; number 0 where there is none.
    static func head(_ db: Database, at date: Date) throws -> HistoryHead {
        let sql = "SELECT number, CAST(hash AS BLOB), key_id FROM history WHERE number = (SELECT max(number) FROM history)"
        guard let row = try Row.fetchOne(db, sql: sql) else {
            return HistoryHead(number: 0, hash: ChainedRow.origin, keyID: "", at: date)
        }
        let hash: Data? = row[1]
        return HistoryHead(number: row[0], hash: hash.map(Array.init) ?? [], keyID: try row.optional("key_id") ?? "", at: date)
    }

    package func historyHead(at date: Date) throws(JournalError) -> HistoryHead { try read { db in try SQLiteJournal.head(db, at: date) } }

    // MARK: Beginning

    /// Rows of an older journal that are chained in one transaction.
    private static let batch = 10_000

    /// Neither a row nor the checkpoint says otherwise.
    package func wasNeverChained() throws(JournalError) -> Bool {
        guard CheckpointFile(beside: path).number ?? 0 == 0 else { return false }
        return try read { db in try !SQLiteJournal.isChained(db) }
    }

    static func isChained(_ db: Database) throws -> Bool {
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM history WHERE hash IS NOT NULL)") ?? false
    }

    /// The first checkpoint, of a chain without rows, before its key is there.
    package func layCheckpoint(_ keys: ChainKeys, at date: Date) throws(JournalError) {
        guard try wasNeverChained() else { return }
        let origin = HistoryHead(number: 0, hash: ChainedRow.origin, keyID: keys.id, at: date)
        try CheckpointFile(beside: path).write(origin, .keys(keys))
    }

    /// For who only looks, or has no key: nothing is changed.
    package func chain(with seal: ChainSeal) { self.seal.withLock { $0 = seal } }

    /// Chains from now on with these keys. What an older journal holds is chained as it is found; but rows without a hash are
    /// given one only as long as the checkpoint says that nothing was ever chained.
    package func begin(with keys: ChainKeys, at date: Date) throws(JournalError) {
        chain(with: .keys(keys))
        if case .sound(let known) = CheckpointFile(beside: path).read(.keys(keys)), known.number == 0 {
            while try write({ db in try chainOlder(keys, at: date, db) }) {}
            // Where that fails the end of the next pass does it.
            _ = try? noteHistoryHead(at: date, always: false)
        }
        let needsFollowing = try read { db in try SQLiteJournal.head(db, at: date).isUnder(anotherKeyThan: keys.id) }
        if needsFollowing { try write { db in try followKey(keys, at: date, db) } }
    }

    /// False when all are chained.
    private func chainOlder(_ keys: ChainKeys, at date: Date, _ db: Database) throws -> Bool {
        let firstUnchained = "SELECT min(number) FROM history WHERE hash IS NULL"
        guard let first = try Int64.fetchOne(db, sql: firstUnchained) else { return false }
        let before = try Row.fetchOne(
            db, sql: "SELECT CAST(hash AS BLOB) AS hash FROM history WHERE number < ? ORDER BY number DESC LIMIT 1", arguments: [first])
        let hash: Data? = try before?.optional("hash")
        var previous = hash.map(Array.init) ?? ChainedRow.origin
        var rows: [ChainedRow] = []
        try SQLiteJournal.chainedRows(after: first - 1, limit: SQLiteJournal.batch, db) { rows.append($0) }
        let statement = try db.makeStatement(sql: "UPDATE history SET previous = ?, hash = ?, key_id = ? WHERE number = ?")
        for var row in rows {
            (row.previous, row.keyID) = (previous, keys.id)
            guard let hash = keys.code(keys.id, row.content) else { throw UnusableJournal(description: "its key \(keys.id) is gone") }
            previous = hash
            try statement.execute(arguments: [Data(row.previous), Data(hash), row.keyID, row.number])
        }
        guard try Int64.fetchOne(db, sql: firstUnchained) == nil, let last = rows.last else { return true }
        let entry = HistoryEntry(
            host: .begun, at: date,
            "the history is chained from here on; rows up to \(last.number) were written before, and are as they were found")
        try append([entry], marks: HistoryMark(kind: .begun, through: last.number), in: db)
        return false
    }

    /// Another key than the newest row's goes on with the chain where the other one was put aside; a key that is gone, or one
    /// that comes back, does not.
    private func followKey(_ keys: ChainKeys, at date: Date, _ db: Database) throws {
        let head = try SQLiteJournal.head(db, at: date)
        guard head.isUnder(anotherKeyThan: keys.id) else { return }
        let old = try String.fetchAll(db, sql: "SELECT mark FROM history WHERE mark IS NOT NULL").compactMap {
            try? JSONDecoder().decode(HistoryMark.self, from: Data($0.utf8)).from
        }
        guard keys.retired.contains(head.keyID), !old.contains(keys.id) else {
            // Verifying goes on with what is there; writing does not.
            seal.withLock { $0 = .estranged(keys, head.keyID) }
            return
        }
        let entry = HistoryEntry(host: .key, at: date, "the history's key was replaced: \(head.keyID) by \(keys.id)")
        try append([entry], marks: HistoryMark(kind: .key, from: head.keyID), in: db)
    }
}

extension HistoryHead {
    fileprivate func isUnder(anotherKeyThan id: String) -> Bool { number > 0 && !keyID.isEmpty && keyID != id }
}

extension HistoryMark.Kind {
    /// The word of the row that bears it.
    var code: String {
        switch self {
        case .begun: "history-chained"
        case .key: "history-key-replaced"
        case .accepted: "history-loss-accepted"
        }
    }
}

extension HistoryEntry {
    /// Of the host itself, no token's.
    init(host kind: HistoryMark.Kind, at date: Date, _ sentence: String) {
        self.init(
            at: date, token: TokenName(""), environment: "", rotation: nil, generation: nil, code: kind.code, sentence: sentence)
    }
}
