package import Foundation
package import KeyturnCore

/// The history proves that it is what was written.
package protocol HistoryProof: Sendable {
    /// Is there a key to chain the next row with? Without one no row can be written, and nothing may be done.
    func checkHistoryKey() throws(JournalError)

    /// When all of it was last verified by whoever drives; nil: never.
    func historyVerifiedAt() throws(JournalError) -> Date?

    /// Looks at every row, in memory of a bounded size and letting others at the journal all the time. Nil when the task was
    /// cancelled on the way.
    func verifyHistory(at date: Date) async throws(JournalError) -> HistoryVerdict?

    /// Keeps when it was verified, and with what result.
    func keepVerified(_ verdict: HistoryVerdict) throws(JournalError)

    /// Writes the newest row's number and hash to the checkpoint file: where there is a newer one than it knows, or in any case
    /// (`always`). Nil, and nothing is written, where the checkpoint speaks of a row that is not there.
    func noteHistoryHead(at date: Date, always: Bool) throws(JournalError) -> HistoryHead?
}
