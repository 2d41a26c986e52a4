package import Foundation

/// What a look from outside found out about a token's current generation, for the decision about it.
package struct Facts: Sendable, Equatable {
    /// Why it is certain that the current secret is refused; nil while it is not.
    package var dead: String?
    /// The keyring is whole, and the current secret is not in it.
    package var secretIsGone = false
    /// `adopt TOKEN` asked and was refused.
    package var adoptionIsRefused = false
    package init() {}
}

/// What is to be decided about one token now.
package enum Verdict: Sendable, Equatable {
    /// A rotation is under way already.
    case underWay
    case start(Rotation.Cause, reason: String?)
    case end(Token.Ending)
    /// Due, and waiting; nil: until something changes.
    case waits(until: Date?, why: String)
    /// Nothing is due before `until`; nil: never.
    case rests(until: Date?, why: String)
}

/// Policies, journal and clock make a plan; making it changes nothing. The daemon carries it out, `plan` prints it.
package enum Plan {
    package static func verdict(on token: Token, under policy: TokenPolicy, facts: Facts = Facts(), at now: Moment) -> Verdict {
        if token.rotation?.isOpen == true { return .underWay }
        // One that was ended because it had left the policies begins anew when a policy asks for it.
        if let ending = token.ending, ending != .leftPolicies {
            return .rests(until: nil, why: ending == .expired ? "expired" : "ended by request")
        }

        if policy.isToAdopt(token) { return .waits(until: nil, why: "`keyturn adopt \(token.name) --from FILE` is to take it over") }
        // Who wants to keep a token that exists does not want another one in its place because of a slip.
        if facts.adoptionIsRefused, token.serial == 0 { return .rests(until: nil, why: "its adoption was refused") }

        let isPast = if case .on(let date) = policy.expires { date <= now.wall } else { false }
        let isTemporary = policy.rotate == .never && policy.expires != .never
        guard let current = token.currentGeneration, current.state == .held else {
            if isPast { return .rests(until: nil, why: "its expires date is past: nothing is issued") }
            if token.serial == 0 { return begin(.first, reason: nil, token, now) }
            if token.generations.contains(where: \.isLeaked) { return begin(.leaked, reason: "it leaked", token, now) }
            return begin(.dead, reason: "no generation of it is in use", token, now)
        }
        let hasExpired = current.expiresAt.map { $0 <= now.wall } ?? false
        if hasExpired, isTemporary { return .end(.expired) }
        if isPast { return .rests(until: nil, why: "its expires date is past: nothing is issued") }
        if hasExpired { return begin(.dead, reason: "its generation has expired", token, now) }
        if let dead = facts.dead { return begin(.dead, reason: dead, token, now) }
        if facts.secretIsGone { return begin(.dead, reason: "its secret is not in the keyring any more", token, now) }

        let schedule = Schedule(of: current, under: policy)
        if current.signature != policy.attributes.signature {
            let reason = "the policy's attributes changed"
            if let window = schedule.window, !window.contains(now.wall) {
                // An expiry does not wait for the window that the change waits for.
                if case .now(let cause, let reason) = schedule.turn(at: now.wall) { return begin(cause, reason: reason, token, now) }
                let until = [window.nextOpening(from: now.wall), schedule.beforeExpiry].compactMap(\.self).min()
                return .waits(until: until, why: "\(reason); outside of its window")
            }
            return begin(.changed, reason: reason, token, now)
        }
        switch schedule.turn(at: now.wall) {
        case .now(let cause, let reason): return begin(cause, reason: reason, token, now)
        case .window(let until): return .waits(until: until, why: until == nil ? "its window never opens" : "outside of its window")
        case .later(let until): return rests(until: isTemporary ? current.expiresAt : until, isTemporary)
        }
    }

    /// What is decided about tokens that no policy asks for any more. A policy folder that was lost must not end everything in
    /// it: where more than three, or a tenth, are to go, whenever each of them would, `asks` names them and none is ended. Who
    /// asks has them undecided from then on, and they are counted for as long: one that comes back or is ended by a person must
    /// not make the rest few enough to end by themselves, only few enough to ask about no more.
    package static func verdicts(
        onRemoved tokens: [Token], outOf count: Int, at now: Moment
    ) -> (verdicts: [TokenName: Verdict], asks: [TokenName]) {
        let leaving = tokens.filter { $0.removalDue != nil || $0.isUndecided }
        let isMany = leaving.count > max(3, count / 10)
        let verdicts = leaving.map { token -> (TokenName, Verdict) in
            if token.isUndecided { return (token.name, .rests(until: nil, why: "many left the policies at once: a person decides")) }
            guard let end = token.removalDue, end <= now.wall else {
                return (token.name, .rests(until: token.removalDue, why: "no policy asks for it"))
            }
            return (token.name, isMany ? .rests(until: nil, why: "no policy asks for it, nor for many others") : .end(.leftPolicies))
        }
        return (Dictionary(verdicts) { first, _ in first }, isMany ? leaving.map(\.name).sorted() : [])
    }

    private static func rests(until: Date?, _ isTemporary: Bool) -> Verdict {
        guard let until else { return .rests(until: nil, why: "rotate: never") }
        return .rests(until: until, why: isTemporary ? "temporary: ends on \(until.formatted(.iso8601))" : "not due")
    }

    private static func begin(_ cause: Rotation.Cause, reason: String?, _ token: Token, _ now: Moment) -> Verdict {
        guard token.attempts.isDue(at: now.wall) else {
            return .waits(
                until: token.attempts.notBefore, why: "tried \(token.attempts.failures)x: \(token.attempts.lastError ?? "failed")")
        }
        return .start(cause, reason: reason)
    }

    /// Which rotations come first when not all can: what is broken, then what breaks soonest, then what somebody waits for.
    package static func urgency(of cause: Rotation.Cause) -> Int {
        switch cause {
        case .leaked: 0
        case .dead: 1
        case .expiring: 2
        case .requested, .adopted: 3
        case .first: 4
        case .changed: 5
        case .scheduled: 6
        }
    }
}
