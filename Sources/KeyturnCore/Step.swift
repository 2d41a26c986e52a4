package import Foundation

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
    /// The evidence is complete: see that the replacement is accepted, then put the old one up for revocation. Of one that leaked:
    /// its time is up, and nothing is looked at. Only reads.
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

extension Step {
    /// Its name in the log; of `wait` nothing is told.
    package var word: String {
        switch self {
        case .mint: "mint"
        case .verify: "verify"
        case .publish: "publish"
        case .take: "take"
        case .confirm: "confirm"
        case .recheck: "recheck"
        case .tryOld: "try-old"
        case .read: "read"
        case .release: "release"
        case .revoke: "revoke"
        case .seeRefused: "see-refused"
        case .remove: "remove"
        case .wait: "wait"
        }
    }
}
