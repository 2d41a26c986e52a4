package import Foundation
package import KeyturnCore
import KeyturnEngine

/// What a world says when its history is asked to prove itself: that all is well, unless a test has decided otherwise.
package struct WorldHistory: Sendable {
    /// Why there is no key to chain rows with.
    package var missingKey: String?
    /// What a verification finds.
    package var breaks: [HistoryBreak] = []
    /// Does the checkpoint know of rows that are not there?
    package var isBehindCheckpoint = false
    package var verifiedAt: Date?
    package var verifications = 0
    package init() {}
}

/// None of these calls decides about a token, and none meets a fault.
extension WorldJournal {
    func checkHistoryKey() throws(JournalError) {
        if let why = world.look(\.historyProof.missingKey) { throw JournalError(why) }
    }

    func historyVerifiedAt() throws(JournalError) -> Date? { world.look(\.historyProof.verifiedAt) }

    func verifyHistory(at date: Date) async throws(JournalError) -> HistoryVerdict? {
        world.with { state in
            state.historyProof.verifications += 1
            var verdict = HistoryVerdict(at: date, head: state.historyHead(at: date))
            verdict.rows = state.journal.history.count
            verdict.breaks = state.historyProof.breaks
            verdict.breakCount = verdict.breaks.count
            return verdict
        }
    }

    func keepVerified(_ verdict: HistoryVerdict) throws(JournalError) { world.with { $0.historyProof.verifiedAt = verdict.at } }

    func noteHistoryHead(at date: Date, always: Bool) throws(JournalError) -> HistoryHead? {
        world.look { $0.historyProof.isBehindCheckpoint ? nil : $0.historyHead(at: date) }
    }
}

extension WorldState {
    fileprivate func historyHead(at date: Date) -> HistoryHead {
        HistoryHead(number: Int64(journal.history.count), hash: ChainedRow.origin, keyID: "world", at: date)
    }
}
