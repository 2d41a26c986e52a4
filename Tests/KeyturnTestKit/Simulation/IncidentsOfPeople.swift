import Foundation
import KeyturnCore
import KeyturnEngine

extension Simulation {
    private var draw: PolicyDraw {
        PolicyDraw(gateways: scenario.gateways, pace: scenario.watchEvery.approximateSeconds, length: scenario.length)
    }

    mutating func changePolicies(_ incident: Incident) {
        var policies = machine.policies
        if incident == .returnToPolicies {
            guard !absent.isEmpty else { return }
            policies.append(absent.remove(at: dice.number(0...absent.count - 1)))
            return enforce(policies)
        }
        guard !policies.isEmpty else { return }
        let index = dice.number(0...policies.count - 1)
        switch incident {
        case .changeAttributes: policies[index].attributes = draw.attributes(&dice)
        case .changeTimes:
            policies[index].overlap = draw.overlap(&dice)
            if policies[index].rotate != .never { policies[index].rotate = draw.rotation(&dice) }
        case .changeTargets:
            let number = dice.number(0...3)
            let target = draw.target(policies[index].project, number, &dice)
            if policies[index].targets.count > 1, dice.happens(0.5) {
                policies[index].targets.remove(at: dice.number(0...policies[index].targets.count - 1))
            } else if let known = policies[index].targets.firstIndex(where: { $0.id == target.id }) {
                policies[index].targets[known].confirm = target.confirm
            } else {
                policies[index].targets.append(target)
            }
        case .leavePolicies: absent.append(policies.remove(at: index))
        default: break
        }
        enforce(policies)
    }

    mutating func command(_ incident: Incident) {
        let ended = world.look { state in Set(state.journal.ledger.filter { $0.ending != nil }.map(\.name)) }
        // A leak may be of anything, what has ended included.
        let known = (machine.policies + absent).filter { incident == .leak || ended.contains($0.name) == (incident == .resume) }
        guard !known.isEmpty else { return }
        let policy = dice.pick(known)
        switch incident {
        case .rotate, .resume: world.ask(.rotate, policy.name)
        case .revoke: world.ask(.revoke, policy.name)
        case .adopt: offer(policy)
        case .leak: world.ask(.leak, policy.name, mode: dice.pick(LeakMode.allCases))
        default: break
        }
        if dice.happens(0.8) { wake() }
    }

    /// Before the first pass: some tokens exist already, made by hand.
    mutating func offerAtFirst() {
        for policy in machine.policies where dice.happens(0.1) { offer(policy) }
    }

    /// A person has made a key by hand and would have it taken over.
    private mutating func offer(_ policy: TokenPolicy) {
        let age = 86400 * dice.seconds(0...60)
        let attempt = dice.number(4...9)
        let name = policy.pattern.name(month: "2025-12", attempt: attempt)
        let file = "/root/\(policy.project)-\(attempt)"
        world.with { state in
            let madeAt = state.now.addingTimeInterval(-age)
            guard var key = state.accounts[policy.gateway]?.makeKey(named: name, by: .others, at: madeAt) else { return }
            key.isOffered = true
            state.accounts[policy.gateway]?.land(key)
            state.files[file] = key.secret
        }
        world.ask(.adopt, policy.name, file: file, generation: dice.happens(0.7) ? name : nil)
    }
}
