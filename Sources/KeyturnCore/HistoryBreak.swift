package import Foundation

/// One place where the history is not what was written, named for who has to find out why.
package struct HistoryBreak: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Its hash is not that of what it holds: it was changed, or written by somebody without the key.
        case changed
        /// It has no hash: inserted, or its hash was taken away.
        case unchained
        /// It is a row that was written, but as another number's.
        case misplaced(writtenAs: Int64)
        /// Its key is none that this host has.
        case unknownKey(String)
        /// Written with a key that had been replaced before.
        case retiredKey(String)
        /// It is a row that was written, but after another one than the one that stands before it.
        case unlinked
        /// From its number through this one no row is there.
        case missing(through: Int64)
        /// The newest ones, through this number, are gone, as this witness knows.
        case beheaded(through: Int64, witness: String)
        /// It is not the row that this witness knows under its number.
        case replaced(witness: String)
        /// Rows up to its number are not what a person accepted.
        case changedSinceAccepted
        /// The checkpoint file is gone.
        case checkpointMissing
        /// The checkpoint file is none that this host wrote: why.
        case checkpointForged(String)
    }

    /// The row's number, or the first of those that are missing.
    package var number: Int64
    package var kind: Kind
    /// As the row says, which may be what was changed.
    package var at: String?
    package var token: String?

    package init(number: Int64, kind: Kind, at: String? = nil, token: String? = nil) {
        self.number = number
        self.kind = kind
        self.at = at
        self.token = token
    }

    init(_ row: ChainedRow, _ kind: Kind) {
        self.init(number: row.number, kind: kind, at: row.text("at"), token: row.text("token"))
    }

    /// One word for programs.
    package var word: String {
        switch kind {
        case .changed: "changed"
        case .unchained: "unchained"
        case .misplaced: "misplaced"
        case .unknownKey: "unknown-key"
        case .retiredKey: "retired-key"
        case .unlinked: "unlinked"
        case .missing: "missing"
        case .beheaded: "newest-missing"
        case .replaced: "replaced"
        case .changedSinceAccepted: "changed-since-accepted"
        case .checkpointMissing: "checkpoint-missing"
        case .checkpointForged: "checkpoint-forged"
        }
    }

    /// Tells it from any other; stays the same as long as the same thing is wrong.
    package var key: String {
        switch kind {
        case .missing(let through), .beheaded(let through, _): "\(word) \(number)-\(through)"
        case .misplaced: "changed \(number)"
        default: "\(word) \(number)"
        }
    }

    package var sentence: String {
        let about = [at.map { "of \($0) UTC" }, token.flatMap { $0.isEmpty ? nil : "about \($0)" }].compactMap(\.self)
        let row = "row \(number)" + (about.isEmpty ? "" : " (\(about.joined(separator: ", ")))")
        return switch kind {
        case .changed: "\(row) was changed, or was not written by keyturn"
        case .unchained: "\(row) has no hash: it was not written by keyturn, or its hash was taken away"
        case .misplaced(let other): "\(row) was written as row \(other)"
        case .unknownKey(let id): "\(row) is under the key \(id), which this host does not have"
        case .retiredKey(let id): "\(row) is under the key \(id), which had been replaced before it was written"
        case .unlinked: "\(row) was written after another row than row \(number - 1)"
        case .missing(let through): HistoryBreak.rows(number, through) + " missing"
        case .beheaded(let through, let witness):
            "\(HistoryBreak.rows(number, through)) missing: the newest ones were removed, or an older copy was put in place (\(witness) knows row \(through))"
        case .replaced(let witness): "\(row) is not the one that \(witness) knows: it and rows before it were replaced"
        case .changedSinceAccepted: "rows up to \(number) are not what a person has accepted: one of them was changed since"
        case .checkpointMissing: "the checkpoint file is missing"
        case .checkpointForged(let why): "the checkpoint file is none of keyturn's: \(why)"
        }
    }

    private static func rows(_ first: Int64, _ last: Int64) -> String { first == last ? "row \(first) is" : "rows \(first) to \(last) are" }
}

/// What came of looking at every row of the history.
package struct HistoryVerdict: Sendable, Equatable {
    package var at: Date
    package var rows = 0
    /// The newest row that is there.
    package var head: HistoryHead
    /// The first of them; there may be more.
    package var breaks: [HistoryBreak] = []
    package var breakCount = 0
    /// Breaks that a person has accepted.
    package var acceptedCount = 0
    /// Rows that were written before the history was chained; they are chained when keyturn next drives.
    package var unchained = 0
    /// What the checkpoint file knows; nil where it cannot be used.
    package var checkpoint: HistoryHead?

    package init(at: Date, head: HistoryHead) {
        self.at = at
        self.head = head
    }

    package var isSound: Bool { breakCount == 0 }

    /// The first break and how many more there are; nil where there is none.
    package var complaint: String? {
        breaks.first.map { $0.sentence + (breakCount > 1 ? "; and \(breakCount - 1) more" : "") }
    }
}
