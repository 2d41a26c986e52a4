package import Foundation
package import KeyturnCore

/// The durable memory: what each token's state is, what happened, what was asked for. No secret fits in it.
///
/// Whatever it has returned from is on the disk. If it cannot be written, nothing else may be done.
package protocol Journal: HistoryProof, Outbox, FingerprintLedger, UsageJournal, IncidentJournal {
    /// Every token it knows, with its open rotation and its generations that are not revoked.
    func ledger() throws(JournalError) -> [Token]

    func token(_ name: TokenName) throws(JournalError) -> Token?

    /// An open or ended rotation.
    func rotation(_ id: String) throws(JournalError) -> Rotation?

    /// A token's state and what happened to it, in one transaction.
    func record(_ token: Token, _ entries: [HistoryEntry]) throws(JournalError)

    /// The same for a token about to create a generation, unless the account is full: `others` living tokens of other
    /// people, ours, and creates whose outcome is unknown since `unknownSince` together must stay below `capacity`.
    func reserve(_ token: Token, _ entries: [HistoryEntry], others: Int, capacity: Int?, unknownSince: Date) throws(JournalError) -> Bool

    /// Which of our generations, in any state, bear a name with this beginning.
    func names(of gateway: GatewayName, startingWith prefix: String) throws(JournalError) -> Set<String>

    /// The states of these generations; a name that is missing from the answer was never ours.
    func states(of gateway: GatewayName, names: Set<String>) throws(JournalError) -> [String: Generation.State]

    /// Which generations, in any state, bear these names; a name that is missing from the answer was never ours.
    func past(of gateway: GatewayName, names: Set<String>) throws(JournalError) -> [String: PastGeneration]

    /// Entries after a number, oldest first; of one token or of all.
    func history(of token: TokenName?, after number: Int64, limit: Int) throws(JournalError) -> [HistoryEntry]

    func file(_ request: Request) throws(JournalError) -> Request
    func pendingRequests() throws(JournalError) -> [Request]
    func request(_ number: Int64) throws(JournalError) -> Request?
    func answer(_ request: Request, at date: Date) throws(JournalError)

    /// Makes `findings` the open ones among those that the pass could judge (`judged`): opens what is new, closes what is
    /// over, and returns both.
    func reconcile(_ findings: [Finding], judged: @Sendable (Finding) -> Bool, at date: Date) throws(JournalError) -> FindingChanges
    func openFindings() throws(JournalError) -> [OpenFinding]
}

/// A generation that the ledger may not show any more, and whose it was.
package struct PastGeneration: Sendable, Equatable {
    package var token: TokenName
    package var generation: Generation
    package init(token: TokenName, generation: Generation) {
        self.token = token
        self.generation = generation
    }
}

package struct OpenFinding: Sendable, Equatable {
    package var finding: Finding
    package var openedAt: Date
    package init(finding: Finding, openedAt: Date) {
        self.finding = finding
        self.openedAt = openedAt
    }
}

package struct FindingChanges: Sendable, Equatable {
    package var opened: [Finding]
    package var closed: [Finding]
    package init(opened: [Finding], closed: [Finding]) {
        self.opened = opened
        self.closed = closed
    }
}

/// One thing that happened, in words and in fields.
package struct HistoryEntry: Sendable, Equatable {
    /// Given by the journal.
    package var number: Int64
    package var at: Date
    package var token: TokenName
    package var environment: String
    package var rotation: String?
    package var generation: String?
    /// The past tense word of the event, `minted`.
    package var code: String
    package var sentence: String

    package init(
        number: Int64 = 0, at: Date, token: TokenName, environment: String, rotation: String?, generation: String?, code: String,
        sentence: String
    ) {
        self.number = number
        self.at = at
        self.token = token
        self.environment = environment
        self.rotation = rotation
        self.generation = generation
        self.code = code
        self.sentence = sentence
    }
}

/// What a command asks of whoever drives.
package struct Request: Sendable, Equatable {
    package enum Verb: String, Sendable {
        case rotate, revoke, adopt, leak
    }

    package var number: Int64
    package var verb: Verb
    package var token: TokenName
    package var reason: String?
    /// Of `adopt`: the file that holds the secret, and the generation's name where several would fit. Of `revoke`: the one
    /// replaced generation that it is about.
    package var file: String?
    package var generation: String?
    /// Of `leak`.
    package var mode: LeakMode?
    package var filedAt: Date
    /// When a driver has taken it up; the answer says what came of it.
    package var answeredAt: Date?
    /// Nil while all is well.
    package var refusal: String?
    package var rotation: String?

    package init(
        number: Int64 = 0, verb: Verb, token: TokenName, reason: String? = nil, file: String? = nil, generation: String? = nil,
        mode: LeakMode? = nil, filedAt: Date,
        answeredAt: Date? = nil, refusal: String? = nil, rotation: String? = nil
    ) {
        self.number = number
        self.verb = verb
        self.token = token
        self.reason = reason
        self.file = file
        self.generation = generation
        self.mode = mode
        self.filedAt = filedAt
        self.answeredAt = answeredAt
        self.refusal = refusal
        self.rotation = rotation
    }
}

/// The journal could not be read or written: the file, what happened and the way out.
package struct JournalError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
