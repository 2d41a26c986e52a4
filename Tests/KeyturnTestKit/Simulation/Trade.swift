import Foundation
import KeyturnCore

extension Simulation {
    /// Consumers call with what they use, and so do those who hold on to an old secret.
    mutating func trade() {
        guard dice.happens(0.3) else { return }
        useAll()
        for shadow in shadows where dice.happens(0.5) { use(shadow.id, at: shadow.gateway) }
    }

    func useAll() {
        world.with { state in
            for secret in state.places.values.compactMap(\.inUse) {
                guard let (gateway, key) = state.key(withSecret: secret), key.isAccepted(at: state.now) else { continue }
                let now = state.now
                state.accounts[gateway]?.change(key.id) { $0.use(at: now) }
            }
        }
    }

    func use(_ id: KeyID, at gateway: GatewayName) {
        world.with { state in
            guard let key = state.accounts[gateway]?.key(id), key.isAccepted(at: state.now) else { return }
            let now = state.now
            state.accounts[gateway]?.change(id) { $0.use(at: now) }
        }
    }

    /// Living keys that Keyturn answers for, and whose they are.
    func ours(_ isWanted: (Generation, Token) -> Bool = { _, _ in true }) -> [(key: Key, token: Token)] {
        world.look { state in
            var found: [(key: Key, token: Token)] = []
            for token in state.journal.ledger {
                for generation in token.generations where isWanted(generation, token) {
                    let living = state.accounts[token.gateway]?.living(named: generation.name, at: state.now) ?? []
                    found += living.filter { $0.maker == .keyturn }.map { ($0, token) }
                }
            }
            return found
        }
    }
}
