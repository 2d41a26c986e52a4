package import Foundation

/// A token as people see it: one word, and why.
package struct TokenStatus: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        case absent, active, rotating, overlapping, revoking, stuck, ended
    }

    package var state: State
    /// What it is waiting for, or why it is as it is; nil when there is nothing to say.
    package var reason: String?
    /// The last error of what does not go on by itself; nil while nothing is stuck.
    package var stuck: String?
    /// When the next rotation begins, as far as it can be told.
    package var nextRotation: Date?

    package init(of token: Token, under policy: TokenPolicy?, verdict: Verdict?, at now: Moment) {
        let trouble = Trouble(of: token, under: policy, at: now)
        stuck = trouble.stuck
        state = stuck != nil ? .stuck : TokenStatus.plainState(of: token)
        switch verdict {
        case .waits(let until, let why):
            reason = why
            nextRotation = until
        case .rests(let until, let why):
            nextRotation = token.ending == nil && policy?.rotate != .never ? until : nil
            if let policy, let current = token.currentGeneration, nextRotation != nil {
                nextRotation = Schedule(of: current, under: policy).next(from: now.wall)
            }
            if until == nil || policy?.rotate == .never { reason = why }
        case .start(let cause, let why):
            nextRotation = now.wall
            reason = why ?? "due: \(cause.rawValue)"
        case .end(let how): reason = how == .expired ? "has expired" : "no policy asks for it any more: it ends"
        case .underWay, nil: break
        }
        reason = trouble.waiting ?? reason
        if policy == nil, token.ending == nil {
            let fate = token.removalDue.map { "; it ends after \($0.formatted(.iso8601))" } ?? ""
            reason = "no policy asks for it any more\(fate)"
        }
        if token.ending == .leftPolicies, reason == nil {
            reason = "ended: no policy asks for it any more; its targets still hold its last secret"
        }
    }

    private static func plainState(of token: Token) -> State {
        if token.rotation?.isOpen == true { return .rotating }
        let states = Set(token.generations.map(\.state))
        if states.contains(.revoking) { return .revoking }
        if token.ending != nil { return .ended }
        if states.contains(.retiring) { return .overlapping }
        return token.currentGeneration?.state == .held ? .active : .absent
    }
}

/// What holds a token up: the first thing that failed, and whether that will end by itself.
private struct Trouble {
    var stuck: String?
    var waiting: String?

    init(of token: Token, under policy: TokenPolicy?, at now: Moment) {
        let wanted = Set((policy?.targets ?? []).map(\.id))
        for target in token.targets where wanted.contains(target.id) && target.attempts.failures > 0 {
            // What a consumer does not take up holds the revoke back, whether or not it will one day.
            note(target.attempts, alwaysStuck: true)
        }
        if let rotation = token.rotation, rotation.isOpen {
            note(rotation.attempts, alwaysStuck: false)
            waiting = waiting ?? "\(rotation.phase.rawValue) \(rotation.generation ?? "a new generation")"
        }
        if token.rotation?.isOpen != true { note(token.attempts, alwaysStuck: false) }
        for generation in token.generations {
            switch generation.state {
            case .revoking:
                // Gateways let a revoked secret live on for minutes; a lag is waiting, not trouble, for about as long.
                note(generation.attempts, alwaysStuck: generation.attempts.failures >= Trouble.lag, isLag: true)
                let since = generation.releasedAt.map { " since \($0.formatted(.iso8601))" } ?? ""
                waiting = waiting ?? "revoking \(generation.name)\(since)"
            case .retiring:
                note(generation.attempts, alwaysStuck: false)
                waiting = waiting ?? Trouble.overlap(of: generation, token, policy, at: now)
            case .unmade, .intended, .abandoned, .held, .revoked: break
            }
        }
    }

    /// Failures in a row of a revocation that gateways' caches explain: nine minutes by the table of waits.
    private static let lag = 8

    private mutating func note(_ attempts: Attempts, alwaysStuck: Bool, isLag: Bool = false) {
        guard attempts.failures > 0, let error = attempts.lastError else { return }
        if alwaysStuck || attempts.needsPerson || (attempts.isStuck && !isLag) { stuck = stuck ?? error }
        waiting = waiting ?? error
    }

    private static func overlap(of generation: Generation, _ token: Token, _ policy: TokenPolicy?, at now: Moment) -> String? {
        guard let retirement = generation.retirement else { return nil }
        if generation.isLeaked {
            let end = retirement.overlap.end(seenAt: now)
            return "\(generation.name), which leaked, is kept for its replacement until \(end.formatted(.iso8601)) at most"
        }
        if !retirement.overlap.isOver(at: now) {
            return "\(generation.name) is kept until \(retirement.overlap.end(seenAt: now).formatted(.iso8601))"
        }
        guard let lack = Lack(of: generation, of: token, under: policy, at: now) else {
            return "nobody needs \(generation.name) any more: it is revoked in the next pass"
        }
        let asks = now.wall >= retirement.askAt
        return "\(generation.name) is not revoked yet: \(lack.sentence)" + (asks ? "; a person must decide" : "")
    }
}
