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
    }

    package private(set) var turns: [Turn] = []
    /// Of our own tokens; what others hold at the gateway is not known here.
    package private(set) var peaks: [GatewayName: Peak] = [:]

    /// Turns of one token that are looked at: a policy of seconds would otherwise fill a year.
    private static let mostTurns = 400

    package init(tokens: [Token], policies: [TokenName: TokenPolicy], from now: Moment, until end: Date) {
        var changes: [GatewayName: [(at: Date, by: Int)]] = [:]
        for token in tokens {
            let living = token.generations.filter(\.isLiving)
            changes[token.gateway, default: []].append((now.wall, living.count))
            for generation in living where generation.state == .retiring {
                let at = generation.retirement.map { $0.overlap.end(seenAt: now) } ?? now.wall
                if at <= end {
                    turns.append(Turn(at: at, token: token.name, what: .revoke))
                    changes[token.gateway, default: []].append((at, -1))
                }
            }
            guard let policy = policies[token.name] else { continue }
            for turn in Agenda.turns(of: token, policy, now, end) {
                turns.append(turn)
                changes[token.gateway, default: []].append((turn.at, turn.what == .rotate ? 1 : -1))
            }
        }
        turns.sort { ($0.at, $0.token) < ($1.at, $1.token) }
        for (gateway, list) in changes { peaks[gateway] = Agenda.peak(of: list, from: now.wall) }
    }

    private static func turns(of token: Token, _ policy: TokenPolicy, _ now: Moment, _ end: Date) -> [Turn] {
        guard token.ending == nil, !policy.isToAdopt(token) else { return [] }
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
            if case .on(let date) = policy.expires, date <= now.wall { return [] }
            turns = [Turn(at: now.wall, token: token.name, what: .rotate)]
            let expiresAt = policy.expires.date(ofGenerationMadeAt: now.wall)
            generation = Generation(name: "", state: .held, intendedAt: now.wall, expiresAt: expiresAt, signature: "")
        }
        // What is on its way replaces the one in use.
        if rotation != nil, current != nil { turns.append(Turn(at: overlap.after(now.wall), token: token.name, what: .revoke)) }
        if policy.rotate == .never {
            turns += (generation.expiresAt.map { $0 <= end ? [Turn(at: $0, token: token.name, what: .end)] : [] } ?? [])
            return turns.filter { $0.at <= end }
        }
        while turns.count < mostTurns, let next = Schedule(of: generation, under: policy).next(from: now.wall), next <= end {
            turns.append(Turn(at: next, token: token.name, what: .rotate))
            turns.append(Turn(at: overlap.after(next), token: token.name, what: .revoke))
            generation.createdAt = next
            generation.expiresAt = policy.expires.date(ofGenerationMadeAt: next)
        }
        return turns.filter { $0.at <= end }
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
