package import Foundation

/// All that the journal knows of one token: its generations, the rotation under way, and what lies in its targets.
///
/// A value without effects: `step(for:at:)` says what is to be done next, `advance(_:for:at:)` takes in what happened.
/// Nothing is stored as "being done", so that a process which dies anywhere is continued by asking for the step again.
package struct Token: Sendable, Equatable {
    package enum Ending: String, Sendable {
        /// `revoke TOKEN`: its targets are left as they are.
        case requested
        /// A temporary token's time was up: its targets are removed.
        case expired
        /// It left the policies, which had said `when_removed: {revoke_after: ...}`; its targets are left as they are.
        case removed
    }

    package var name: TokenName
    package var environment: String
    package var gateway: GatewayName
    /// Rotations so far; numbers them.
    package var serial: Int
    /// The name of the generation that the targets are meant to hold; a finished rotation changes it.
    package var current: String?
    package var ending: Ending?
    package var endedAt: Date?
    /// Of the policy that asked for it last.
    package var whenRemoved: WhenRemoved
    /// When its policy was missed first; nil while one asks for it.
    package var leftAt: Date?
    /// Every generation that is not revoked, and those revoked in this run; oldest first.
    package var generations: [Generation]
    /// The open one.
    package var rotation: Rotation?
    package var targets: [TargetState]
    /// Rotations abandoned in a row.
    package var attempts: Attempts
    /// A digest of the policy and of the gateway's settings under which something last happened to it.
    package var basis: String?

    package init(
        name: TokenName, environment: String, gateway: GatewayName, serial: Int = 0, current: String? = nil, ending: Ending? = nil,
        endedAt: Date? = nil, whenRemoved: WhenRemoved = .keep, leftAt: Date? = nil, generations: [Generation] = [],
        rotation: Rotation? = nil, targets: [TargetState] = [], attempts: Attempts = Attempts(), basis: String? = nil
    ) {
        self.name = name
        self.environment = environment
        self.gateway = gateway
        self.serial = serial
        self.current = current
        self.ending = ending
        self.endedAt = endedAt
        self.whenRemoved = whenRemoved
        self.leftAt = leftAt
        self.generations = generations
        self.rotation = rotation
        self.targets = targets
        self.attempts = attempts
        self.basis = basis
    }

    /// Does something of it wait because it failed?
    package var isBackingOff: Bool {
        var all = [attempts] + targets.map(\.attempts) + generations.filter { $0.state == .revoking }.map(\.attempts)
        if let rotation, rotation.isOpen { all.append(rotation.attempts) }
        return all.contains { $0.failures > 0 }
    }

    package func generation(_ name: String?) -> Generation? {
        guard let name else { return nil }
        return generations.first { $0.name == name }
    }

    package func target(_ id: TargetID) -> TargetState {
        targets.first { $0.id == id } ?? TargetState(id: id)
    }

    /// When it is ended because no policy asks for it; nil while one does, or where it is kept.
    package var removalDue: Date? {
        guard let leftAt, ending == nil, case .revoke(let span) = whenRemoved else { return nil }
        return span.after(leftAt)
    }

    package var currentGeneration: Generation? { generation(current) }

    /// What the targets are to hold now; nil where they are to be left alone.
    package var desired: String? {
        guard let rotation, rotation.isOpen else { return ending == nil && currentGeneration?.state == .held ? current : nil }
        switch rotation.phase {
        case .publishing, .applying: return rotation.generation
        case .withdrawing: return rotation.restores == true ? current : nil
        case .minting, .verifying: return currentGeneration?.state == .held ? current : nil
        case .finished, .abandoned: return current
        }
    }
}

/// What is to be done next for one token. Every step may be carried out twice; the comment says why that is safe.
package enum Step: Sendable, Equatable {
    /// Journal a free name, create under it once, keep what comes back. An intent left by a dead process is never
    /// created again: its name is abandoned, and revoked should it turn up.
    case mint
    /// Try the new secret and compare its models. Only reads.
    case verify(String)
    /// Write the secret into a target. The same bytes are not written again.
    case publish(TargetID, String)
    /// Run the target's `then`. Documented as something that may run twice.
    case take(TargetID, String)
    /// Ask the target's `confirm`. Documented likewise.
    case confirm(TargetID, String)
    /// Try the new secret once more before what it replaces begins to retire. Only reads.
    case recheck(String)
    /// Is the old secret still accepted, so that a withdrawal may put it back? Only reads.
    case tryOld(String)
    /// Read the use of a retiring generation. Only reads.
    case read(String)
    /// The evidence is complete: see that the replacement is accepted, then put the old one up for revocation. Only reads.
    case release(String)
    /// Revoke by id. Already gone is done.
    case revoke(String)
    /// See a revoked secret refused. Only reads.
    case seeRefused(String)
    /// Take the secret of an expired temporary token out of a target. Already gone is done.
    case remove(TargetID)
    /// Nothing before that moment; nil: nothing until something changes.
    case wait(Date?)
}

/// What happened to one token; past tense.
package enum Event: Sendable, Equatable {
    /// No policy asks for it any more; or one does again.
    case left
    case returned
    case started(Rotation.Cause, reason: String?)
    case resumed
    /// A person asked, and may have said why: what failed may be tried again at once.
    case urged(String?)
    /// Its policy or its gateway's settings are others now: the same, because a person has mended something.
    case rebased
    case intended(name: String, expiresAt: Date?, signature: String, foreignIDs: [KeyID])
    case minted(String, KeyID?, fingerprint: String)
    case notMade(String, why: String, needsPerson: Bool, retryAfter: TimeInterval?)
    /// The outcome of a create will not be learnt.
    case lost(String, why: String)
    /// The current secret was tried, outside of any rotation.
    case trialAccepted(String)
    case trialRefused(String, why: String)
    /// Nothing was tried at the gateway, or only read there.
    case held(why: String, needsPerson: Bool, retryAfter: TimeInterval?)
    case identified(String, KeyID, Generation.Identity)
    /// Several keys bear its name, and none is known to be it.
    case confused(String)
    /// An abandoned create has not turned up in all the time that it could have.
    case neverCame(String)
    /// A generation that was taken for revoked lives.
    case resurfaced(String)
    case accepted(String)
    case refusedOnce(String, why: String)
    case refused(String, why: String)
    case published(TargetID, String)
    case took(TargetID, String)
    case confirmed(TargetID, String)
    case targetFailed(TargetID, why: String, needsPerson: Bool)
    case oldAccepted(String)
    case oldRefused(String)
    case read(String, Reading)
    case readFailed(String, why: String, retryAfter: TimeInterval?)
    case released(String)
    case revokeAnswered(String)
    case seenRefused(String)
    case revokeFailed(String, why: String, needsPerson: Bool, retryAfter: TimeInterval?)
    /// An abandoned create turned up at the gateway after all.
    case turnedUp(String, KeyID, Generation.Identity)
    case adopted(
        name: String, KeyID, Generation.Identity, foreignIDs: [KeyID], createdAt: Date?, expiresAt: Date?, fingerprint: String,
        signature: String
    )
    case ended(Token.Ending)
    case removed(TargetID)
    /// An expired token's target holds something that is not known to be its secret.
    case leftAlone(TargetID)
    /// A target was found holding something else than what was published.
    case drifted(TargetID)
    /// The token's policy does not name it any more; or does again.
    case targetLeft(TargetID)
    case targetReturned(TargetID)
    /// A target that has left the policy holds no living secret of the token any more.
    case targetVacated(TargetID)
}

/// An event that does not fit the state it met: a defect, or two drivers. The state is left as it was.
package struct Mismatch: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
