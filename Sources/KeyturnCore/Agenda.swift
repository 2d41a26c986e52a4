package import Foundation

/// The calendar ahead, as policies and journal promise it today: when each token turns, and how many tokens the account
/// then holds at once.
package struct Agenda: Sendable, Equatable {
    package enum What: String, Sendable {
        case rotate, revoke, end
    }

    package struct Turn: Sendable, Equatable {
        package var at: Date
        package var token: TokenName
        package var what: What
    }

    package struct Peak: Sendable, Equatable {
        package var at: Date
        package var count: Int

        package init(at: Date, count: Int) {
            self.at = at
            self.count = count
        }
    }

    /// Where the calendar had to stop before its end, and the token that turns so often.
    package struct Cut: Sendable, Equatable {
        /// All that happens up to here is in it, and nothing that happens later.
        package var at: Date
        package var token: TokenName
        /// Turns of one token that were looked at.
        package var turns: Int

        package init(at: Date, token: TokenName, turns: Int) {
            self.at = at
            self.token = token
            self.turns = turns
        }
    }

    package private(set) var turns: [Turn] = []
    /// Of our own tokens; what others hold at the gateway is not known here.
    package private(set) var peaks: [GatewayName: Peak] = [:]
    /// Nil: it is whole.
    package private(set) var cut: Cut?

    /// Turns that are looked at, of one token and of all: a policy of seconds would otherwise fill a year.
    private static let mostTurns = (each: 400, all: 50_000)

    package init(tokens: [Token], policies: [TokenName: TokenPolicy], from now: Moment, until end: Date) {
        let most = max(2, min(Agenda.mostTurns.each, Agenda.mostTurns.all / max(1, tokens.count)))
        let unasked = tokens.filter { policies[$0.name] == nil }
        let removals = Plan.verdicts(onRemoved: unasked, outOf: tokens.count { $0.generations.contains(where: \.isLiving) }, at: now)
        var changes: [GatewayName: [(at: Date, by: Int)]] = [:]
        for token in tokens {
            let living = token.generations.count(where: \.isLiving)
            changes[token.gateway, default: []].append((now.wall, living))
            let removal =
                policies[token.name] == nil && !removals.asks.contains(token.name) ? token.removalDue.map { max($0, now.wall) } : nil
            var own = Agenda.retirements(of: token, now).filter { $0.at < removal ?? .distantFuture }
            if let removal { own.append(Turn(at: removal, token: token.name, what: .end)) }
            changes[token.gateway]? += own.map { ($0.at, $0.what == .end ? own.count - 1 - living : -1) }
            if let policy = policies[token.name] {
                // What comes after another's cut is not looked at any more.
                let (turns, cut) = Agenda.turns(of: token, policy, now, self.cut?.at ?? end, most)
                if let cut { self.cut = Cut(at: cut, token: token.name, turns: most) }
                own += turns
                changes[token.gateway]? += turns.map { ($0.at, $0.what == .rotate ? 1 : -1) }
            }
            turns += own
        }
        let whole = cut?.at ?? end
        turns = turns.filter { $0.at <= whole }.sorted { ($0.at, $0.token) < ($1.at, $1.token) }
        for (gateway, list) in changes { peaks[gateway] = Agenda.peak(of: list.filter { $0.at <= whole }, from: now.wall) }
    }

    /// When the overlaps that are under way are over.
    private static func retirements(of token: Token, _ now: Moment) -> [Turn] {
        token.generations.filter { $0.state == .retiring }.map { generation in
            // What is over and waits for other evidence may be revoked at any moment.
            Turn(at: max(now.wall, generation.retirement?.overlap.end(seenAt: now) ?? now.wall), token: token.name, what: .revoke)
        }
    }

    /// `cut`: up to when they are all, where there are more than `most`.
    private static func turns(
        of token: Token, _ policy: TokenPolicy, _ now: Moment, _ end: Date, _ most: Int
    ) -> (turns: [Turn], cut: Date?) {
        guard token.ending == nil, !policy.isToAdopt(token) else { return ([], nil) }
        let overlap = policy.overlap.atLeast
        var turns: [Turn] = []
        var generation: Generation
        let current = token.currentGeneration.flatMap { $0.state == .held ? $0 : nil }
        let rotation = token.rotation.flatMap { $0.isOpen && $0.phase != .withdrawing ? $0 : nil }
        if let coming = token.generation(rotation?.generation), coming.isLiving {
            generation = coming
        } else if rotation == nil, let current {
            generation = current
        } else {
            if case .on(let date) = policy.expires, date <= now.wall { return ([], nil) }
            turns = [Turn(at: now.wall, token: token.name, what: .rotate)]
            let expiresAt = policy.expires.date(ofGenerationMadeAt: now.wall)
            generation = Generation(name: "", state: .held, intendedAt: now.wall, expiresAt: expiresAt, signature: "")
        }
        // What is on its way replaces the one in use.
        if rotation != nil, current != nil { turns.append(Turn(at: overlap.after(now.wall), token: token.name, what: .revoke)) }
        if policy.rotate == .never {
            turns += generation.expiresAt.map { [Turn(at: $0, token: token.name, what: .end)] } ?? []
            return (turns.filter { $0.at <= end }, nil)
        }
        var last = now.wall
        while let next = Schedule(of: generation, under: policy).next(from: now.wall), next <= end {
            guard turns.count < most else { return (turns.filter { $0.at <= last }, last) }
            turns.append(Turn(at: next, token: token.name, what: .rotate))
            turns.append(Turn(at: overlap.after(next), token: token.name, what: .revoke))
            generation.createdAt = next
            generation.expiresAt = policy.expires.date(ofGenerationMadeAt: next)
            last = next
        }
        return (turns.filter { $0.at <= end }, nil)
    }

    private static func peak(of changes: [(at: Date, by: Int)], from now: Date) -> Peak {
        var count = 0
        var peak = Peak(at: now, count: 0)
        // At one moment what comes is counted before what goes.
        for change in changes.sorted(by: { ($0.at, -$0.by) < ($1.at, -$1.by) }) {
            count += change.by
            if count > peak.count { peak = Peak(at: change.at, count: count) }
        }
        return peak
    }
}
