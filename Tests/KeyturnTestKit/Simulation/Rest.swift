import Foundation
import KeyturnCore
import KeyturnEngine

extension Simulation {
    /// What is not yet as it shall be once all is calm, in words; nil when everything is.
    var unrest: String? {
        world.look { state in
            let wanted = machine.policies
            for policy in wanted {
                if let why = Simulation.unrest(of: policy, state) { return why }
            }
            let names = Set(wanted.map(\.name))
            for token in state.journal.ledger {
                if let why = Simulation.unrest(ofGenerationsOf: token, isWanted: names.contains(token.name), state) { return why }
            }
            for (name, account) in state.accounts.sorted(by: { $0.key < $1.key }) {
                for key in account.keys where key.maker == .keyturn && key.isAlive(at: state.now) {
                    if state.leaked.contains(key.secret) { return "\(key.id) (\(key.name)) leaked and is alive" }
                    if state.journal.owner(of: key.name, at: name) == nil { return "\(key.id) (\(key.name)) is nobody's" }
                }
            }
            for (id, place) in state.places.sorted(by: { $0.key < $1.key }) where !place.isManaged {
                guard let (_, key) = place.content.flatMap({ state.key(withSecret: $0) }), key.maker == .keyturn else { continue }
                if key.isAlive(at: state.now) { return "\(id), which no policy names, holds \(key.name), which is alive" }
            }
            for courier in state.couriers {
                if let finding = state.journal.outbox.untold(courier.name, courier.severity).first {
                    return "\(courier.name) was not told of \(finding.key)"
                }
            }
            return state.journal.openFindings.map(\.finding).first { !Simulation.mayStay($0, state) }.map {
                "still open: \($0.key): \($0.sentence)"
            }
        }
    }

    private static func unrest(of policy: TokenPolicy, _ state: WorldState) -> String? {
        guard let token = state.journal.token(policy.name) else {
            if case .on(let date) = policy.expires, date <= state.now { return nil }
            return "\(policy.name) was never issued"
        }
        if let rotation = token.rotation {
            return "\(rotation.id) is \(rotation.phase), \(rotation.attempts.lastError ?? "without trouble")"
        }
        if token.ending != nil { return nil }
        if case .on(let date) = policy.expires, date <= state.now { return nil }
        guard let current = token.currentGeneration, current.state == .held else { return "\(policy.name) has no generation in use" }
        let living = state.accounts[token.gateway]?.living(named: current.name, at: state.now).filter { $0.maker == .keyturn } ?? []
        guard let key = living.first, living.count == 1 else { return "\(current.name) is alive \(living.count) times" }
        guard key.isAccepted(at: state.now) else { return "\(current.name) is not accepted" }
        for target in policy.targets {
            guard let place = state.places[target.id] else { return "\(target.id) does not exist" }
            if place.content != key.secret { return "\(target.id) does not hold \(current.name)" }
            if place.inUse != key.secret, !place.usesEdited { return "the consumer of \(target.id) does not use \(current.name)" }
        }
        return nil
    }

    private static func unrest(ofGenerationsOf token: Token, isWanted: Bool, _ state: WorldState) -> String? {
        for generation in token.generations {
            let living = state.accounts[token.gateway]?.living(named: generation.name, at: state.now).filter { $0.maker == .keyturn } ?? []
            switch generation.state {
            case .held where generation.name == token.current && token.ending == nil: continue
            case .revoking, .retiring, .held, .intended:
                return "\(generation.name) is \(generation.state.rawValue): \(generation.attempts.lastError ?? "no trouble")"
            case .abandoned, .unmade, .revoked: if !living.isEmpty { return "\(generation.name) is \(generation.state.rawValue) and alive" }
            }
        }
        return nil
    }

    /// Findings that are true of a house in order: what a gateway does not show, and a name that somebody else bears.
    private static func mayStay(_ finding: Finding, _ state: WorldState) -> Bool {
        switch finding.code {
        case .attributesUnconfirmed, .unknownKey: true
        // What expires for good is not issued again, whatever it lacks.
        case .tokenStuck: finding.token.flatMap { state.witness.policies[$0] }.map { $0.expires.isPast(state.now) } ?? false
        case .ambiguousKey:
            finding.token.flatMap { state.journal.token($0)?.current } == finding.subject
                || state.accounts.values.contains { account in
                    account.living(named: finding.subject, at: state.now).contains { $0.maker == .others }
                }
        default: false
        }
    }
}

extension Expiry {
    fileprivate func isPast(_ now: Date) -> Bool { if case .on(let date) = self { date <= now } else { false } }
}
