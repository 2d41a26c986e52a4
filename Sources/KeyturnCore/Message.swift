package import Foundation

/// What a courier is given to hand over: what is to be said of findings, and what its reader has to know beside.
package struct Message: Sendable, Equatable {
    /// The same whenever this message is handed over again, so that who gets it twice can tell.
    package var id: String
    /// The id of the first message about the one finding that it is about; nil where it is about several.
    package var thread: String?
    /// When it was made.
    package var at: Date
    /// What happened, the worst first; empty in a trial.
    package var items: [Owed.Item]
    /// Other findings that are open now, the worst first.
    package var others: [Finding]
    /// Since when nothing could be handed over this way; nil where it could.
    package var failingSince: Date?

    package init(
        id: String, thread: String? = nil, at: Date, items: [Owed.Item], others: [Finding] = [], failingSince: Date? = nil
    ) {
        self.id = id
        self.thread = thread
        self.at = at
        self.items = items
        self.others = others
        self.failingSince = failingSince
    }

    /// A message that tells nothing, to prove that a way is open.
    package var isTrial: Bool { items.isEmpty && failingSince == nil }
}

/// A message as the journal keeps it from before it is handed over until it was taken: what it tells of whom.
package struct Dispatch: Sendable, Equatable {
    package var id: String
    package var thread: String?
    package var begunAt: Date
    package var words: [Int64: Notice.Word]

    package init(id: String, thread: String?, begunAt: Date, words: [Int64: Notice.Word]) {
        self.id = id
        self.thread = thread
        self.begunAt = begunAt
        self.words = words
    }

    /// - Parameter host: what tells this journal's messages from those of any other.
    package init(of items: [Owed.Item], host: String, at now: Date) {
        let spoken = items.filter { $0.word != .passed }
        let moment = Int64(now.timeIntervalSince1970 * 1000)
        begunAt = now
        words = Dictionary(items.map { ($0.notice.number, $0.word) }) { first, _ in first }
        if spoken.count == 1, let one = spoken.first {
            // The first one is what all others of its finding refer to.
            let first = "finding.\(one.notice.number).\(host)"
            thread = first
            id = one.word == .opened ? first : "finding.\(one.notice.number).\(one.word.rawValue)-\(moment).\(host)"
        } else {
            thread = nil
            id = "digest.\(moment)-\(items.first?.notice.number ?? 0).\(host)"
        }
    }
}
