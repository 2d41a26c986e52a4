import Foundation
import KeyturnCore
import KeyturnEngine

extension Simulation {
    /// Does what the findings say that somebody should do.
    mutating func answerFindings() {
        for open in world.look({ $0.journal.openFindings }) { answer(open.finding) }
    }

    private mutating func answer(_ finding: Finding) {
        switch finding.code {
        case .tokenStuck:
            guard let name = finding.token, let token = world.token(name) else { return }
            if token.rotation != nil { world.ask(.rotate, name) }
            // Only a person can tell which of several keys of one name is whose.
            for generation in token.generations where generation.state == .revoking {
                endByHand(generation.name, of: token)
                if generation.identity == .ambiguous { renameOthers(generation.name, of: token) }
            }
        case .ambiguousKey:
            guard let token = finding.token.flatMap(world.token), let generation = token.generation(finding.subject) else { return }
            // One that is in use is left alone.
            if generation.state == .abandoned || generation.state == .revoking { endByHand(generation.name, of: token) }
            renameOthers(generation.name, of: token)
        case .overlapTooLong: if let token = finding.token { world.ask(.revoke, token, generation: finding.subject) }
        case .revocationLate: if let token = finding.token.flatMap(world.token) { endByHand(finding.subject, of: token) }
        case .manyDead:
            for policy in machine.policies {
                guard let token = world.token(policy.name), let current = token.currentGeneration, token.ending == nil else { continue }
                let isAlive = world.look { state in
                    state.accounts[token.gateway]?.living(named: current.name, at: state.now).contains { $0.maker == .keyturn } ?? false
                }
                if !isAlive { world.ask(.rotate, policy.name) }
            }
        case .manyRemoved: for policy in absent { world.ask(.revoke, policy.name) }
        case .leftPolicies: if let token = finding.token { world.ask(.revoke, token) }
        case .leftTarget:
            world.with { state in
                let now = state.now
                for id in state.places.keys where id.description == finding.subject { state.places[id]?.edit(nil, at: now) }
            }
        case .strayRecord: clearRecord(finding.subject)
        case .adminTokenRefused, .gatewayUnreachable, .clockOff, .keyringUnknown, .secretUnreadable, .attributesUnconfirmed,
            .attributesDiffer, .gatewayChanged, .gatewayMissing, .reloadRefused, .historyBroken,
            .unknownKey, .courierFailing, .expiryAhead, .rotationAhead, .exposedTarget, .strayCopy, .usageUnreadable, .budgetCrossed,
            .budgetSpent, .budgetForecast, .leakOpen:
            break
        }
    }

    /// Revokes in the console what Keyturn made under a name; not what somebody else did.
    private func endByHand(_ name: String, of token: Token) {
        world.with { state in
            let now = state.now
            for key in state.accounts[token.gateway]?.living(named: name, at: now) ?? [] where key.maker == .keyturn {
                state.note("   a person revokes \(key.id) \(key.name)")
                state.accounts[token.gateway]?.end(key.id, by: .others, at: now)
            }
        }
    }

    /// Has whoever made a key under a name of ours give it another one.
    private func renameOthers(_ name: String, of token: Token) {
        world.with { state in
            let now = state.now
            for key in state.accounts[token.gateway]?.living(named: name, at: now) ?? [] where key.maker == .others {
                state.note("   a person renames \(key.id) \(key.name)")
                state.accounts[token.gateway]?.rename(key.id, to: "renamed-\(key.id)")
            }
        }
    }

    private func clearRecord(_ subject: String) {
        let words = subject.split(separator: " ", maxSplits: 1).map(String.init)
        guard words.count == 2 else { return }
        let gateway = GatewayName(words[0])
        world.with { $0.keyring.steal(words[1], of: gateway) }
    }
}
