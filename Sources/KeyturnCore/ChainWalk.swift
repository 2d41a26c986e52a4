package import Foundation

/// Goes over the rows of the history once, from the first to the last, in memory of a bounded size, and finds where they are not
/// what was written.
package struct ChainWalk: Sendable {
    /// HMAC-SHA-256 of bytes under the key of this id; nil: there is no such key here.
    package typealias Code = @Sendable (_ keyID: String, _ bytes: [UInt8]) -> [UInt8]?

    /// The newest row by which a person has accepted what was wrong before it.
    private struct Acceptance: Sendable {
        var row: ChainedRow
        var mark: HistoryMark
        var digest = ChainedRow.origin
        var isCompared = false
        /// Are the rows it speaks of as they were then?
        var holds = false
    }

    /// As many places are named one by one; the rest is counted.
    package static let most = 100

    private let code: Code
    private var last: (number: Int64, hash: [UInt8], isBad: Bool, keyID: String) = (0, ChainedRow.origin, false, "")
    private var acceptance: Acceptance?
    private var acceptedBreaks: [HistoryBreak] = []
    private var acceptedCount = 0
    /// Changed rows, to see whether they have only changed places.
    private var misfits: [ChainedRow] = []
    /// Ids of keys that others have replaced by now.
    private var replaced: Set<String> = []
    private let checkpoint: HistoryHead?
    private var isBegun: Bool
    private let digestKey: String?
    /// Of all rows so far as they are found; stays as it begins where no key for it was named.
    package private(set) var foundDigest = ChainedRow.origin
    package private(set) var verdict: HistoryVerdict

    /// Also those that a person had accepted before; as many as a list takes.
    package var everyBreak: [HistoryBreak] { Array((acceptedBreaks + verdict.breaks).prefix(ChainWalk.most)) }

    /// - Parameters:
    ///   - accepted: the newest row whose mark says so.
    ///   - isBegun: false while rows without hash are only those of an older journal.
    ///   - digestKey: the id of the key for `foundDigest`, for who is about to accept the rows.
    package init(
        code: @escaping Code, checkpoint: HistoryHead?, accepted: ChainedRow?, isBegun: Bool, digestKey: String? = nil, at date: Date
    ) {
        self.code = code
        self.digestKey = digestKey
        self.checkpoint = checkpoint
        self.isBegun = isBegun
        verdict = HistoryVerdict(at: date, head: HistoryHead(number: 0, hash: ChainedRow.origin, keyID: "", at: date))
        verdict.checkpoint = checkpoint
        // One that was forged accepts nothing.
        if let accepted, let mark = HistoryMark(accepted), mark.kind == .accepted, code(accepted.keyID, accepted.content) == accepted.hash {
            acceptance = Acceptance(row: accepted, mark: mark)
        }
    }

    /// The next row, by number.
    package mutating func take(_ row: ChainedRow) {
        compareAccepted(before: row.number)
        if let acceptance, !acceptance.isCompared {
            let digest = digest(acceptance.digest, row, acceptance.row.keyID)
            self.acceptance?.digest = digest
        }
        if let digestKey { foundDigest = digest(foundDigest, row, digestKey) }
        verdict.rows += 1
        let expected = max(last.number + 1, 1)
        let isGap = row.number > expected
        if isGap { report(HistoryBreak(number: expected, kind: .missing(through: row.number - 1))) }
        let isBad = judge(row, isGap: isGap)
        if let checkpoint, !isBad, row.number == checkpoint.number, row.hash != checkpoint.hash, !isSuperseded(checkpoint) {
            report(HistoryBreak(row, .replaced(witness: ChainWalk.witness(checkpoint))))
        }
        last = (row.number, row.hash, isBad, isBad ? last.keyID : row.keyID)
        verdict.head = HistoryHead(number: row.number, hash: row.hash, keyID: row.keyID, at: verdict.at)
    }

    /// True: the row itself is not what was written.
    private mutating func judge(_ row: ChainedRow, isGap: Bool) -> Bool {
        guard !row.hash.isEmpty || !row.keyID.isEmpty || !row.previous.isEmpty else {
            if isBegun { report(HistoryBreak(row, .unchained)) } else { verdict.unchained += 1 }
            return true
        }
        isBegun = true
        guard let wanted = code(row.keyID, row.content) else {
            report(HistoryBreak(row, .unknownKey(row.keyID)))
            return true
        }
        guard wanted == row.hash else {
            if misfits.count < ChainWalk.most { misfits.append(row) }
            report(HistoryBreak(row, .changed))
            return true
        }
        let isAcceptance = row.number == acceptance?.row.number
        if row.previous != last.hash, !last.isBad, !isGap || isAcceptance { report(HistoryBreak(row, .unlinked)) }
        if row.keyID != last.keyID, !last.keyID.isEmpty, !mayChangeKey(row, isAcceptance: isAcceptance) {
            report(HistoryBreak(row, .retiredKey(row.keyID)))
        }
        return false
    }

    /// Only a row that says so brings another key, or a person's word where rows under a lost one stand before it; and none that had
    /// been replaced comes back.
    private mutating func mayChangeKey(_ row: ChainedRow, isAcceptance: Bool) -> Bool {
        let from = HistoryMark(row)?.from
        guard !replaced.contains(row.keyID), from == last.keyID || isAcceptance else { return false }
        replaced.formUnion([last.keyID, from].compactMap(\.self))
        return true
    }

    /// All rows were taken.
    /// - Parameter numbered: the highest number that the database ever gave, where it knows.
    package mutating func finish(numbered: Int64?) {
        compareAccepted(before: .max)
        if let checkpoint, checkpoint.number > last.number {
            report(
                HistoryBreak(
                    number: last.number + 1, kind: .beheaded(through: checkpoint.number, witness: ChainWalk.witness(checkpoint))))
        } else if let numbered, numbered > last.number {
            report(HistoryBreak(number: last.number + 1, kind: .beheaded(through: numbered, witness: "the database's own count")))
        }
        findMisplaced()
        settleAccepted()
    }

    /// What was found wrong outside of the rows.
    package mutating func report(_ found: HistoryBreak) {
        if covers(found) {
            acceptedCount += 1
            if acceptedBreaks.count < ChainWalk.most { acceptedBreaks.append(found) }
            return
        }
        verdict.breakCount += 1
        if verdict.breaks.count < ChainWalk.most { verdict.breaks.append(found) }
    }

    private static func witness(_ checkpoint: HistoryHead) -> String { "the checkpoint of \(checkpoint.at.formatted(.iso8601))" }

    // MARK: What a person has accepted

    /// Digest of all rows up to this one as they were found.
    private func digest(_ before: [UInt8], _ row: ChainedRow, _ keyID: String) -> [UInt8] { code(keyID, before + row.found) ?? [] }

    private mutating func compareAccepted(before number: Int64) {
        guard let acceptance, !acceptance.isCompared, number > acceptance.mark.through ?? 0 else { return }
        self.acceptance?.isCompared = true
        self.acceptance?.holds = Hex.text(acceptance.digest) == acceptance.mark.digest
    }

    private func covers(_ found: HistoryBreak) -> Bool {
        guard let acceptance, let through = acceptance.mark.through else { return false }
        switch found.kind {
        case .checkpointMissing, .checkpointForged, .beheaded: return false
        case .missing(let last): return last <= through || (found.number == through + 1 && last == acceptance.row.number - 1)
        default: return found.number <= through
        }
    }

    private func isSuperseded(_ checkpoint: HistoryHead) -> Bool { acceptance.map { checkpoint.number < $0.row.number } ?? false }

    private mutating func settleAccepted() {
        guard let acceptance else { return }
        verdict.acceptedCount = acceptedCount
        guard !acceptance.holds else { return }
        let known = acceptance.mark.broken ?? []
        // Where there were more than a list takes, it does not tell old from new.
        let fresh = known.count < ChainWalk.most ? acceptedBreaks.filter { !known.contains($0.key) } : []
        self.acceptance = nil
        acceptedBreaks.removeAll { fresh.contains($0) }
        for found in fresh { report(found) }
        if fresh.isEmpty { report(HistoryBreak(number: acceptance.mark.through ?? 0, kind: .changedSinceAccepted)) }
        verdict.acceptedCount -= fresh.count
        verdict.breaks.sort { $0.number < $1.number }
    }

    // MARK: Rows that have changed places

    private mutating func findMisplaced() {
        for row in misfits {
            guard let other = misfits.first(where: { $0.number != row.number && isContent(of: row, writtenAs: $0) }) else { continue }
            for list in [\ChainWalk.verdict.breaks, \ChainWalk.acceptedBreaks] {
                guard let index = self[keyPath: list].firstIndex(where: { $0.number == row.number && $0.kind == .changed }) else {
                    continue
                }
                self[keyPath: list][index].kind = .misplaced(writtenAs: other.number)
            }
        }
    }

    /// Moved with its hash, or only what it says.
    private func isContent(of row: ChainedRow, writtenAs other: ChainedRow) -> Bool {
        var moved = row
        moved.number = other.number
        return code(moved.keyID, moved.content) == row.hash || code(other.keyID, other.content(of: row.body)) == other.hash
    }
}

extension HistoryMark {
    /// Nil where the row has none that can be read.
    package init?(_ row: ChainedRow) {
        guard let text = row.text("mark"), let mark = try? JSONDecoder().decode(HistoryMark.self, from: Data(text.utf8)) else { return nil }
        self = mark
    }
}
