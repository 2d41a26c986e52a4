package import Foundation
import GRDB
package import KeyturnCore
package import KeyturnEngine
import Synchronization

/// `HistoryProof`.
extension SQLiteJournal {
    /// Rows looked at while nobody else has the connection: some milliseconds.
    private static let slice = 1000

    package func checkHistoryKey() throws(JournalError) {
        if let why = seal.withLock({ $0.obstacle }) { throw JournalError("journal \(path): \(why)") }
    }

    package func historyVerifiedAt() throws(JournalError) -> Date? {
        try read { db in try Row.fetchOne(db, sql: "SELECT at FROM history_verification")?.value("at") }
    }

    package func keepVerified(_ verdict: HistoryVerdict) throws(JournalError) {
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO history_verification (one, at, number, breaks) VALUES (1, ?, ?, ?)
                    ON CONFLICT (one) DO UPDATE SET at = excluded.at, number = excluded.number, breaks = excluded.breaks
                    """, arguments: [verdict.at, verdict.head.number, verdict.breakCount])
        }
    }

    package func verifyHistory(at date: Date) async throws(JournalError) -> HistoryVerdict? {
        guard var walk = try await walk(digestKey: nil, at: date) else { return nil }
        try finish(&walk)
        return walk.verdict
    }

    /// The whole history, in slices; nil when cancelled.
    private func walk(digestKey: String?, at date: Date) async throws(JournalError) -> ChainWalk? {
        let seal = seal.withLock { $0 }
        let checkpoint = CheckpointFile(beside: path).read(seal)
        let (accepted, isChained) = try read { db in
            (
                try SQLiteJournal.acceptedRow(db), try SQLiteJournal.isChained(db)
            )
        }
        // An older journal has neither; from the first chained row on there is a checkpoint, and it does not go.
        var isBegun = isChained
        if case .missing = checkpoint {} else { isBegun = true }
        if case .sound(let head) = checkpoint, head.number == 0, !isChained { isBegun = false }
        var walk = ChainWalk(
            code: { seal.code($0, $1) }, checkpoint: checkpoint.head, accepted: accepted, isBegun: isBegun, digestKey: digestKey, at: date)
        while true {
            let before = walk.verdict.rows
            try take(SQLiteJournal.slice, &walk)
            if walk.verdict.rows == before { break }
            if Task.isCancelled { return nil }
            await Task.yield()
        }
        if case .unkeyed = seal { return walk }
        guard isBegun else { return walk }
        switch checkpoint {
        case .sound: break
        case .missing: walk.report(HistoryBreak(number: walk.verdict.head.number, kind: .checkpointMissing))
        case .forged(let why): walk.report(HistoryBreak(number: walk.verdict.head.number, kind: .checkpointForged(why)))
        }
        return walk
    }

    private func take(_ limit: Int, _ walk: inout ChainWalk) throws(JournalError) {
        var next = walk
        // Rows with numbers that none of ours has are looked at as well.
        let after = next.verdict.rows == 0 ? Int64.min : next.verdict.head.number
        try read { db in try SQLiteJournal.chainedRows(after: after, limit: limit, db) { next.take($0) } }
        walk = next
    }

    private func finish(_ walk: inout ChainWalk) throws(JournalError) {
        walk.finish(numbered: try read { db in try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'history'") })
    }

    // MARK: The head

    package func noteHistoryHead(at date: Date, always: Bool) throws(JournalError) -> HistoryHead? {
        let seal = seal.withLock { $0 }
        guard case .keys = seal, path.hasPrefix("/") else { return try read { db in try SQLiteJournal.head(db, at: date) } }
        let file = CheckpointFile(beside: path)
        guard case .sound(let known) = file.read(seal) else { return nil }
        let head: HistoryHead? = try read { db in
            let head = try SQLiteJournal.head(db, at: date)
            return try isOnChain(known, seal, db) ? head : nil
        }
        guard let head else { return nil }
        if always || head.number != known.number || file.isUnfinished { try file.write(head, seal) }
        return head
    }

    /// Is what a checkpoint knows there still, or was something else accepted since?
    private func isOnChain(_ known: HistoryHead, _ seal: ChainSeal, _ db: Database) throws -> Bool {
        if known.number == 0 { return true }
        let row = try Row.fetchOne(db, sql: "SELECT CAST(hash AS BLOB) AS hash FROM history WHERE number = ?", arguments: [known.number])
        let hash: Data? = try row?.optional("hash")
        if hash.map(Array.init) == known.hash { return true }
        // Under the key in use: one that was replaced may have been stolen.
        guard let accepted = try SQLiteJournal.acceptedRow(db), accepted.keyID == seal.keyID, HistoryMark(accepted)?.kind == .accepted
        else { return false }
        return known.number < accepted.number && seal.code(accepted.keyID, accepted.content) == accepted.hash
    }

    // MARK: Accepting

    /// What a person said of a history that is not what was written: recorded in it, with all rows as they are found now, so that
    /// whatever is changed later shows again. Nil: there is nothing to accept.
    package func acceptHistory(because reason: String, at date: Date) async throws(JournalError) -> HistoryVerdict? {
        // Whose word goes on under the key that is there.
        let seal = seal.withLock { seal in
            if case .estranged(let keys, _) = seal { seal = .keys(keys) }
            return seal
        }
        guard let keyID = seal.keyID else {
            try checkHistoryKey()
            return nil
        }
        guard var walk = try await walk(digestKey: keyID, at: date) else { throw JournalError("journal \(path): stopped") }
        let isOpen = try openFindings().contains { $0.finding.code == .historyBroken }
        var done = walk
        let hasAccepted = try write { db in
            // What was written since, and nobody writes now.
            while true {
                let before = walk.verdict.rows
                let after = before == 0 ? Int64.min : walk.verdict.head.number
                try SQLiteJournal.chainedRows(after: after, limit: SQLiteJournal.slice, db) { walk.take($0) }
                if walk.verdict.rows == before { break }
            }
            done = walk
            done.finish(numbered: try Int64.fetchOne(db, sql: "SELECT seq FROM sqlite_sequence WHERE name = 'history'"))
            guard !done.verdict.isSound || isOpen else { return false }
            try accept(done, because: reason, at: date, db)
            return true
        }
        guard hasAccepted else { return nil }
        if case .keys = seal { try CheckpointFile(beside: path).write(try read { db in try SQLiteJournal.head(db, at: date) }, seal) }
        _ = try reconcile([], judged: { $0.code == .historyBroken }, at: date)
        return done.verdict
    }

    private func accept(_ walk: ChainWalk, because reason: String, at date: Date, _ db: Database) throws {
        let verdict = walk.verdict
        // Numbers that were given once are not given again, as far as anybody knows of them.
        if let known = verdict.checkpoint?.number, known > verdict.head.number {
            try db.execute(sql: "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'history'", arguments: [known])
            if db.changesCount == 0 {
                try db.execute(sql: "INSERT INTO sqlite_sequence (name, seq) VALUES ('history', ?)", arguments: [known])
            }
        }
        let what = verdict.complaint ?? "nothing is wrong any more"
        let mark = HistoryMark(
            kind: .accepted, through: verdict.head.number, from: verdict.head.keyID, digest: Hex.text(walk.foundDigest),
            broken: walk.everyBreak.map(\.key))
        try append([HistoryEntry(host: .accepted, at: date, "accepted by a person: \(what); because: \(reason)")], marks: mark, in: db)
    }
}
