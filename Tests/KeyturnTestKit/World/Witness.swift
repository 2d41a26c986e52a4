import Foundation
package import KeyturnCore
import KeyturnEngine

/// Remembers, by the true clock, what the journal's writes claimed, and knows which policies are in force: with that the
/// world can judge each claim at the moment it is made.
package struct Witness: Sendable {
    /// Policies in force; a token that none is known of is judged by its journal alone.
    package var policies: [TokenName: TokenPolicy] = [:]
    package private(set) var finished = 0
    package private(set) var abandoned = 0
    fileprivate var retiredAt: [String: Date] = [:]

    fileprivate mutating func count(_ before: Token?, _ after: Token) {
        guard let rotation = after.rotation, !rotation.isOpen, before?.rotation?.id == rotation.id || before?.serial != after.serial else {
            return
        }
        if rotation.phase == .finished { finished += 1 } else { abandoned += 1 }
    }
}

extension WorldState {
    /// Compares one write with the truth.
    mutating func witness(_ before: Token?, _ after: Token) {
        witness.count(before, after)
        for generation in after.generations {
            // What a person has ended stays so, should they take the token up again before the gateway has done it.
            if after.ending != nil, generation.state == .revoking {
                for key in accounts[after.gateway]?.living(named: generation.name, at: now) ?? [] { ended.insert(key.secret) }
            }
            if generation.isLeaked, before?.generation(generation.name)?.isLeaked != true { leak(generation, at: after.gateway) }
            switch (before?.generation(generation.name)?.state, generation.state) {
            case (.held, .retiring): witness.retiredAt["\(after.gateway) \(generation.name)"] = now
            // Of what leaked nothing is asked but that it ends.
            case (.retiring, .revoking) where after.ending == nil && !generation.isLeaked: checkRelease(of: generation, after)
            case (nil, .held): checkAdoption(of: generation, after)
            default: break
            }
        }
    }

    /// Consumers may fail with it from here on, and none may be given it.
    private mutating func leak(_ generation: Generation, at gateway: GatewayName) {
        let keys = (accounts[gateway]?.living(named: generation.name, at: now) ?? []) + (accounts[gateway]?.underWay.map(\.key) ?? [])
        for key in keys where key.name == generation.name && key.maker == .keyturn {
            leaked.insert(key.secret)
            ended.insert(key.secret)
        }
    }

    /// Nothing is let go before its time, before every consumer has its successor, or while it is in use.
    private mutating func checkRelease(of generation: Generation, _ token: Token) {
        guard let retirement = generation.retirement, let account = accounts[token.gateway],
            let key = account.living(named: generation.name, at: now).last(where: { $0.maker == .keyturn }), key.refusedFrom == nil
        else { return }
        // A person's word stands in for the evidence.
        if journal.requests.contains(where: { $0.verb == .revoke && $0.generation == generation.name }) { return }
        if let since = witness.retiredAt["\(token.gateway) \(generation.name)"] {
            let kept = now.timeIntervalSince(since)
            let wanted = retirement.overlap.until.timeIntervalSince(retirement.since)
            if kept < wanted - 1 { violate("\(generation.name) was released after \(Int(kept)) s of an overlap of \(Int(wanted)) s") }
        }
        if retirement.wantsQuiet {
            if !account.showsUsage, !account.showsLastUse {
                violate("\(generation.name) was released as quiet where nothing shows its use")
            }
            let quiet = key.consumerUsedAt.map { now.timeIntervalSince($0) } ?? .infinity
            // What is used in the minute after the last reading cannot be seen by it.
            if quiet < retirement.quietFor.approximateSeconds - 1, quiet > 60 {
                violate("\(generation.name) was released \(Int(quiet)) s after its last use, not \(retirement.quietFor)")
            }
        }
        checkSuccessor(of: generation, token)
    }

    private mutating func checkSuccessor(of generation: Generation, _ token: Token) {
        guard let policy = witness.policies[token.name] else { return }
        let secret = token.current.flatMap { name in
            accounts[token.gateway]?.living(named: name, at: now).last { $0.maker == .keyturn }?.secret
        }
        guard let secret else { return violate("\(generation.name) was released while what replaces it is dead") }
        for target in policy.targets {
            guard let place = places[target.id], place.content == secret else {
                violate("\(generation.name) was released while \(target.id) does not hold \(token.current ?? "anything")")
                continue
            }
            if place.inUse != secret, !place.usesEdited {
                violate("\(generation.name) was released while the consumer of \(target.id) does not use \(token.current ?? "")")
            }
        }
    }

    /// Only what a person offered becomes ours.
    private mutating func checkAdoption(of generation: Generation, _ token: Token) {
        guard let id = generation.keyID, let key = accounts[token.gateway]?.key(id), key.maker == .others else { return }
        guard key.isOffered else { return violate("\(id) (\(key.name)), which is another's, was taken over") }
        accounts[token.gateway]?.change(id) { $0.maker = .keyturn }
    }
}
