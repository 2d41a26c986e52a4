import Foundation

/// A leak: every generation that exists when a person says so is marked for good and ends, whatever its overlap still asks for.
///
/// The mark alone carries it through every death and restart. A marked generation is never the current one, so that nothing
/// writes its secret anywhere, puts it back, or takes its models for a measure. Contain first puts all of them up for
/// revocation in the same breath. Replace first has them retire instead, under a hold of their own: ten minutes for a
/// replacement to be published, one minute from then on.
extension Token {
    /// How long consumers may take to take up a published replacement before what leaked is revoked.
    package static let leakGrace = TimeSpan.seconds(60)
    /// How long a replacement may take to be published before what leaked is revoked without one.
    package static let leakPatience = TimeSpan.minutes(10)

    /// May something that leaked be accepted still?
    package var hasOpenLeak: Bool { generations.contains { $0.isLeaked && $0.isLiving } }

    /// Has nothing replaced what leaked yet? Not so of a name alone, which may be looked for at the gateway for ever.
    private var isBeingReplaced: Bool {
        current == nil && (hasOpenLeak || rotation.map { $0.isOpen && $0.cause == .leaked } ?? false)
    }

    /// What a person's word that it leaked brings about. A second one, before anything has replaced what leaked, joins the
    /// first: it hurries what failed, and contains what was to wait. Nothing: no generation exists that could have leaked.
    ///
    /// The replacement is the plan's, for nothing is in use any more. Where it would not come, without a policy, of an ended token
    /// or after the date that it expires, nothing is waited for either.
    package func events(onLeak mode: LeakMode, reason: String?, under policy: TokenPolicy?, at now: Moment) -> [Event] {
        guard generations.contains(where: { $0.state != .unmade && $0.state != .revoked }) else { return [] }
        if isBeingReplaced {
            let waiting = mode == .containFirst ? generations.filter(\.outlivesLeak) : []
            let contained: [Event] = waiting.map { .contained($0.name, why: "it was asked for again, contain first") }
            return [.urged(reason)] + contained
        }
        let isPast = if case .on(let date) = policy?.expires { date <= now.wall } else { false }
        let isReplaced = policy != nil && ending == nil && !isPast
        return [.leaked(isReplaced ? mode : .containFirst, reason: reason)]
    }

    mutating func leak(_ mode: LeakMode, _ now: Moment) {
        // What it was about to bring is among what leaked.
        if rotation?.isOpen == true {
            rotation?.attempts.lastError = "the token leaked"
            close(.abandoned, now)
        }
        current = nil
        urge()
        for index in generations.indices {
            let state = generations[index].state
            guard state != .unmade, state != .revoked else { continue }
            let isNews = !generations[index].isLeaked
            generations[index].leakedAt = generations[index].leakedAt ?? now.wall
            switch state {
            case .held, .retiring:
                // An ended token is not replaced.
                if mode == .containFirst || ending != nil {
                    generations[index].release(now)
                } else if isNews {
                    let wait = Overlap(atLeast: Token.leakPatience, atMost: Token.leakPatience)
                    (generations[index].state, generations[index].attempts) = (.retiring, Attempts())
                    generations[index].retirement = Retirement(under: wait, from: now)
                }
            case .intended: generations[index].state = .abandoned
            case .unmade, .abandoned, .revoking, .revoked: break
            }
        }
    }

    /// Once the replacement lies wherever it could be put, what leaked has a minute left; never more than it had.
    mutating func hastenLeaks(_ policy: TokenPolicy?, _ now: Moment) {
        guard generations.contains(where: \.outlivesLeak), let policy, isReplacementPublished(policy) else { return }
        let grace = Hold(for: Token.leakGrace, from: now)
        for index in generations.indices where generations[index].outlivesLeak {
            guard let hold = generations[index].retirement?.overlap, grace.end(seenAt: now) < hold.end(seenAt: now) else { continue }
            generations[index].retirement?.overlap = grace
            generations[index].retirement?.askAt = grace.until
        }
    }

    /// Into every target that would take it.
    private func isReplacementPublished(_ policy: TokenPolicy) -> Bool {
        var coming = current
        if let rotation, rotation.isOpen {
            guard rotation.phase == .publishing || rotation.phase == .applying else { return false }
            coming = rotation.generation
        }
        guard let coming else { return false }
        return policy.targets.map { target($0.id) }.allSatisfy { $0.generation == coming || $0.attempts.failures > 0 }
    }

    /// Why what leaked is to be revoked now although nothing replaces it yet, or not everywhere; nil: it has time left.
    package func reasonToContain(_ generation: Generation, under policy: TokenPolicy?, at now: Moment) -> String? {
        guard generation.outlivesLeak else { return nil }
        if let rotation, rotation.isOpen, rotation.phase == .minting, rotation.attempts.needsPerson {
            return "no replacement can be created: \(rotation.attempts.lastError ?? "unknown")"
        }
        guard generation.retirement?.overlap.isOver(at: now) ?? true else { return nil }
        guard let policy, isReplacementPublished(policy) else { return "no replacement was published within \(Token.leakPatience)" }
        let coming = rotation?.isOpen == true ? rotation?.generation : current
        let late = policy.targets.map(\.id).filter { id in coming.map { !target(id).isApplied($0) } ?? true }
        let trailing = late.isEmpty ? "" : ", though it is not taken up at \(late.map(\.description).joined(separator: ", "))"
        return "its replacement was published a minute ago\(trailing)"
    }
}

extension Generation {
    /// It was there when its token leaked: it ends, and nothing ever uses it again.
    package var isLeaked: Bool { leakedAt != nil }

    /// It leaked and is kept until its replacement is published.
    package var outlivesLeak: Bool { isLeaked && state == .retiring }
}
