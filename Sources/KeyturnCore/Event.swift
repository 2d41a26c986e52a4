package import Foundation

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
    /// What had made a new generation due is over before there was one, and the current one was accepted.
    case noLongerDue
    case trialRefused(String, why: String)
    /// Nothing was tried at the gateway, or only read there.
    case heldBack(why: String, needsPerson: Bool, retryAfter: TimeInterval?)
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
    /// A person said that every generation which exists now is in the wrong hands.
    case leaked(LeakMode, reason: String?)
    /// One that leaked and was to be replaced first is up for revocation.
    case contained(String, why: String)
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
