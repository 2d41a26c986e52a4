package import Foundation

/// One key of a token at the gateway, from the moment its name is written down until it is seen refused.
package struct Generation: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        /// Its create was answered with no: nothing exists, the name may be used again. Can become: intended.
        case unmade
        /// Its name is in the journal; the create may be on its way. Can become: held, unmade, abandoned.
        case intended
        /// The outcome of its create was never learnt. Should it turn up at the gateway it is revoked. Can become: revoking,
        /// and revoked once it is too late for it to turn up.
        case abandoned
        /// In the keyring, verified or about to be. Can become: retiring, revoking.
        case held
        /// Replaced; waits for the evidence that nobody needs it. Can become: revoking.
        case retiring
        /// To be revoked as soon as the gateway lets us, for ever. Can become: revoked.
        case revoking
        /// Seen refused, or gone. The end.
        case revoked
    }

    /// How well its id is known.
    package enum Identity: String, Sendable, CaseIterable {
        /// The gateway's answer to its create named the id, or its list shows enough of the key.
        case told
        /// It is the only key of its name: true until another one appears.
        case alone
        /// Several keys have borne its name: whichever remains may be somebody else's, for ever.
        case ambiguous
    }

    package var name: String
    package var keyID: KeyID?
    /// Nil until an id is known, or known not to be knowable.
    package var identity: Identity?
    package var state: State
    /// When the name was journaled, before anything was asked of the gateway.
    package var intendedAt: Date
    /// When the gateway answered with it, or what the gateway shows of an adopted one.
    package var createdAt: Date?
    package var expiresAt: Date?
    /// When its secret was accepted first, or a list first showed it: from then on a gateway's lag after create is over.
    package var seenAt: Date?
    /// When its secret was accepted first; nil: never, so that a refusal says nothing about its end.
    package var acceptedAt: Date?
    package var fingerprint: String?
    /// `Attributes.signature` of what was asked for.
    package var signature: String
    /// Ids that stood under this name before our create, other people's.
    package var foreignIDs: [KeyID]
    package var retirement: Retirement?
    /// The trials in a row that refused it while it was in use.
    package var refusals: Refusals?
    /// When a person said that its token had leaked; nil: it has not, as far as anybody said.
    package var leakedAt: Date?
    /// When it was put up for revocation; nil until then.
    package var releasedAt: Date?
    /// When the gateway last answered its revocation with yes; it is over only when the secret is seen refused.
    package var revokeAnsweredAt: Date?
    /// Of its revocation, or of the reading of its evidence.
    package var attempts: Attempts

    package init(
        name: String, keyID: KeyID? = nil, identity: Identity? = nil, state: State, intendedAt: Date,
        createdAt: Date? = nil, expiresAt: Date? = nil, seenAt: Date? = nil, acceptedAt: Date? = nil,
        fingerprint: String? = nil,
        signature: String, foreignIDs: [KeyID] = [], retirement: Retirement? = nil, refusals: Refusals? = nil,
        leakedAt: Date? = nil, releasedAt: Date? = nil, revokeAnsweredAt: Date? = nil,
        attempts: Attempts = Attempts()
    ) {
        self.name = name
        self.keyID = keyID
        self.identity = identity ?? (keyID == nil ? nil : .told)
        self.state = state
        self.intendedAt = intendedAt
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.seenAt = seenAt
        self.acceptedAt = acceptedAt
        self.fingerprint = fingerprint
        self.signature = signature
        self.foreignIDs = foreignIDs
        self.retirement = retirement
        self.refusals = refusals
        self.leakedAt = leakedAt
        self.releasedAt = releasedAt
        self.revokeAnsweredAt = revokeAnsweredAt
        self.attempts = attempts
    }

    /// A create that turned up after it was given up: alive, and its secret is nobody's.
    package var isOrphan: Bool { state == .revoking && fingerprint == nil }

    /// May its secret be alive and known to us.
    package var isLiving: Bool { state == .held || state == .retiring || state == .revoking }
}

/// The evidence about a replaced generation that nobody needs it any more.
package struct Retirement: Sendable, Equatable {
    package var since: Date
    /// The `at_least` of the overlap.
    package var overlap: Hold
    package var quietFor: TimeSpan
    /// Starts anew with every sign of use; nil while `quietFor` is zero or before the first reading.
    package var quiet: Hold?
    /// When a person is asked.
    package var askAt: Date
    package var reading: Reading?
    package var readAt: Date?

    package init(
        since: Date, overlap: Hold, quietFor: TimeSpan, quiet: Hold? = nil, askAt: Date, reading: Reading? = nil, readAt: Date? = nil
    ) {
        self.since = since
        self.overlap = overlap
        self.quietFor = quietFor
        self.quiet = quiet
        self.askAt = askAt
        self.reading = reading
        self.readAt = readAt
    }

    package init(under overlap: Overlap, from now: Moment) {
        self.init(
            since: now.wall, overlap: Hold(for: overlap.atLeast, from: now), quietFor: overlap.quietFor,
            askAt: overlap.atMost.after(now.wall)
        )
    }

    package var wantsQuiet: Bool { !quietFor.isZero }

    package func isOver(at now: Moment) -> Bool {
        overlap.isOver(at: now) && (!wantsQuiet || quiet?.isOver(at: now) == true)
    }

    /// May its use be read for the sums alone? A gateway may count a reading as a use of the key: from one quiet time before the
    /// overlap's end on only those readings are taken that look for use themselves.
    package func mayBeRead(at now: Moment) -> Bool {
        guard wantsQuiet else { return true }
        let eve = overlap.end(seenAt: now).addingTimeInterval(-quietFor.approximateSeconds)
        return now.wall < eve && readAt.map { $0 < eve } ?? false
    }
}

/// The gateway's own figures of one generation's use; which of them it shows differs.
package struct Reading: Sendable, Equatable {
    package var today: Decimal?
    package var month: Decimal?
    /// The last use that Keyturn did not make itself.
    package var lastUsedAt: Date?
    /// Why the counters cannot be taken for money of the gateway's currency; a change of them is a sign of use all the same.
    package var trouble: String?

    package init(today: Decimal?, month: Decimal?, lastUsedAt: Date?, trouble: String? = nil) {
        self.today = today
        self.month = month
        self.lastUsedAt = lastUsedAt
        self.trouble = trouble
    }

    package var saysNothing: Bool { today == nil && month == nil && lastUsedAt == nil }

    /// Does `later` show use since this reading? A counter that fell was reset, and what was counted just before that is
    /// not to be seen any more: it counts as use, unless a last use that both show, or for a day's end the month, vouches.
    package func shows(useIn later: Reading) -> Bool {
        if let last = later.lastUsedAt, last > (lastUsedAt ?? .distantPast) { return true }
        let (day, month) = (Reading.change(today, later.today), Reading.change(self.month, later.month))
        if day == .rose || month == .rose { return true }
        if lastUsedAt != nil, later.lastUsedAt != nil { return false }
        return month == .fell || (day == .fell && month != .stayed)
    }

    private enum Change { case rose, stayed, fell }

    /// A counter that is above zero after it fell has risen since; nil where one of the readings does not show it.
    private static func change(_ old: Decimal?, _ new: Decimal?) -> Change? {
        guard let old, let new else { return nil }
        if new == old { return .stayed }
        return new > old || new > 0 ? .rose : .fell
    }
}
