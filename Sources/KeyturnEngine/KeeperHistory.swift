package import Foundation
package import KeyturnCore
import Logging

extension Keeper {
    /// Seconds.
    package static let verifiesHistoryEvery: TimeInterval = 86400

    /// Verifies the history where that was not done for a day, or where the checkpoint knows more than the journal. What is wrong
    /// becomes a finding that stays until a person has accepted it.
    package func verifyHistoryWhenDue() async {
        do {
            guard try isVerificationDue(), let verdict = try await ports.journal.verifyHistory(at: ports.now().wall) else { return }
            if let complaint = verdict.complaint {
                let finding = Finding(
                    code: .historyBroken, severity: .error, sentence: "the history is not what keyturn wrote: \(complaint)",
                    help: "`keyturn history --verify` names every place; restore journal.db from a backup, or, once you know why it is so, "
                        + "`keyturn history --verify --accept-loss REASON`"
                )
                // The sentence may be another one than yesterday's; it is one finding all the same.
                try tell([finding], judged: { _ in false })
            }
            try ports.journal.keepVerified(verdict)
            tellHistoryHead(verified: verdict)
        } catch { log.error("the history could not be verified: \(error)") }
    }

    private func isVerificationDue() throws -> Bool {
        let now = ports.now().wall
        // Also after a clock was set back.
        guard let last = try ports.journal.historyVerifiedAt(), abs(now.timeIntervalSince(last)) < Keeper.verifiesHistoryEvery else {
            return true
        }
        guard try ports.journal.noteHistoryHead(at: now, always: false) == nil else { return false }
        return try !ports.journal.openFindings().contains { $0.finding.code == .historyBroken }
    }

    /// Without the key no row can be written, and what cannot be written down is not done.
    func historyKeyFinding() -> Finding? {
        do throws(JournalError) { try ports.journal.checkHistoryKey() } catch {
            return Finding(
                code: .keyringUnknown, severity: .error, sentence: "\(error); nothing is created or revoked until then",
                help: "restore the keyring from a backup, together with the journal that it belongs to"
            )
        }
        return nil
    }

    /// At the end of a pass: the checkpoint follows the history, not every row of it.
    func noteHistoryHead() {
        do { _ = try ports.journal.noteHistoryHead(at: ports.now().wall, always: false) } catch { log.warning("\(error)") }
    }

    /// Leaves the newest row's number and hash with the host's journal, which may be kept elsewhere, and in the checkpoint file.
    package func tellHistoryHead(verified verdict: HistoryVerdict? = nil) {
        do {
            let head = try ports.journal.noteHistoryHead(at: ports.now().wall, always: true) ?? verdict?.head
            guard let head, head.number > 0 else { return }
            let fields: Logger.Metadata = [
                LogKeys.historyNumber: "\(head.number)", LogKeys.historyHash: "\(head.hexHash)", LogKeys.historyKey: "\(head.keyID)",
            ]
            let how = verdict.map { $0.isSound ? "verified, " : "verified and not what was written, " } ?? ""
            log.notice("the history is \(how)\(head.number) rows long; its newest hash is \(head.hexHash)", metadata: fields)
        } catch { log.warning("\(error)") }
    }
}
