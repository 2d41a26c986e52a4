package import Foundation

/// What a replaced generation still lacks before it may be revoked: of several things the first, for the others wait for it.
package enum Lack: Sendable, Equatable {
    /// A target that does not hold the new one yet, or whose consumer has not taken it up; with its last error.
    case applied(TargetID, String?)
    /// A target that may hold it, with no policy to say what belongs there.
    case released(TargetID)
    /// Another rotation, or nothing that replaces it, stands in the way.
    case replacement
    /// The `at_least` of its overlap, counted as rest as well.
    case time
    /// A reading that failed, with its error.
    case evidence(String)
    /// It was never read.
    case reading
    /// The gateway shows no usage figures and no last use, or its secret, which they are asked with, is lost: no evidence will come.
    case figures
    /// It was used within that time; its last known use, where the gateway shows that.
    case quiet(TimeSpan, lastUse: Date?)

    /// Nil: nothing lacks, or it is not retiring.
    package init?(of generation: Generation, of token: Token, under policy: TokenPolicy?, at now: Moment) {
        guard generation.state == .retiring, let retirement = generation.retirement else { return nil }
        guard let current = token.currentGeneration, current.state == .held, current.name != generation.name else {
            self = .replacement
            return
        }
        if let late = policy?.targets.first(where: { !token.target($0.id).isApplied(current.name) }) {
            self = .applied(late.id, token.target(late.id).attempts.lastError)
        } else if policy == nil,
            let target = token.targets.first(where: { $0.leftAt == nil && ($0.generation == nil || $0.generation == generation.name) })
        {
            self = .released(target.id)
        } else if token.rotation.map({ $0.isOpen && $0.phase != .minting && $0.phase != .verifying }) ?? false {
            self = .replacement
        } else if !retirement.overlap.isOver(at: now) {
            self = .time
        } else if generation.attempts.failures > 0, let error = generation.attempts.lastError {
            self = .evidence(error)
        } else if retirement.wantsQuiet, retirement.readAt == nil {
            // An empty reading leaves nothing but the moment of the next one.
            self = generation.attempts.notBefore == nil ? .reading : .figures
        } else if retirement.wantsQuiet, retirement.quiet?.isOver(at: now) != true {
            self = .quiet(retirement.quietFor, lastUse: retirement.reading?.lastUsedAt)
        } else {
            return nil
        }
    }

    /// What is so, behind the generation's name.
    package var sentence: String {
        switch self {
        case .applied(let target, let error): error.map { target.sentence($0) } ?? "\(target) has not taken up the new one"
        case .released(let target): "\(target) may still hold it, and no policy says what belongs there"
        case .replacement: "nothing is in use that replaces it"
        case .time: "its overlap is not over, counted as this host's running time"
        case .evidence(let why): why
        case .reading: "its use was never read"
        case .figures: "no figures of its use are to be had, so whether it is quiet is not known"
        case .quiet(let span, let date):
            "it has not been quiet for \(span) yet" + (date.map { ", last used at \($0.formatted(.iso8601))" } ?? "")
        }
    }

    /// What helps.
    package func help(_ token: TokenName, _ generation: Generation) -> String {
        let anyway = "`keyturn revoke \(token) --generation \(generation.name)`"
        switch self {
        case .applied: return "mend the target, then `keyturn rotate \(token)` to go on at once; it is revoked by itself after that"
        case .released: return "bring its policy back; `keyturn revoke \(token)` ends the whole token"
        case .replacement: return "see `keyturn status \(token)`; it is revoked by itself once another one is in use"
        case .time: return "do nothing, and it is revoked by itself; to revoke it now: \(anyway)"
        case .evidence, .reading: return "mend what keeps it from being read; to revoke it unread, when nobody uses it: \(anyway)"
        case .figures: return "make sure that nobody uses it, then \(anyway); `quiet_for: 0s` asks for no figures"
        case .quiet(let span, _):
            return "find who uses it: it is revoked by itself once it has been quiet for \(span); to wait longer do nothing, "
                + "to revoke it in spite of its use: \(anyway)"
        }
    }
}
