import Foundation
import KeyturnCore

extension Simulation {
    /// Lets an incident happen, where the world has something for it to happen to.
    mutating func happen(_ incident: Incident) async {
        world.with { $0.note("** \(incident)") }
        incidents["\(incident)", default: 0] += 1
        switch incident {
        case .mood, .serverLag, .gatewayClock, .fewerModels, .fullAccount: changeGateway(incident)
        case .consoleRevoke, .consoleDelete, .rivalName, .rivalCreate, .otherKey, .endOther: useConsole(incident)
        case .use: useAll()
        case .useOld, .useOldLong: useOld(lasts: incident == .useOldLong)
        case .clockJump, .reboot, .restart, .secondDaemon, .ghost: await shakeHost(incident)
        case .editTarget, .lockTarget, .breakConsumer, .slowConsumer, .restartConsumer: touchTarget(incident)
        case .stealRecord, .hideKeyring, .hideRecord: touchKeyring(incident)
        case .standingFault:
            let operation = dice.pick(PortCall.allCases)
            let faults = Fault.possible(for: operation, &dice).filter { $0 != .diesBefore && $0 != .diesAfter }
            guard !faults.isEmpty else { return }
            let fault = dice.pick(faults)
            world.with { $0.standing[operation] = fault }
            last(.standing(operation), dice.seconds(0.05...3))
        case .changeAttributes, .changeTargets, .changeTimes, .leavePolicies, .returnToPolicies: changePolicies(incident)
        case .rotate, .revoke, .resume, .adopt, .leak: command(incident)
        }
    }

    /// It lasts so many watches.
    mutating func last(_ relief: Relief, _ watches: Double) {
        let seconds = watches * scenario.watchEvery.approximateSeconds
        reliefs.append((world.look { $0.now }.addingTimeInterval(seconds), relief))
    }

    private mutating func changeGateway(_ incident: Incident) {
        let name = dice.pick(scenario.gateways)
        switch incident {
        case .mood:
            let mood = dice.pick([Account.Mood.unreachable, .unreachable, .broken, .refusesEverybody, .refusesAdmin, .refusesTokens])
            world.with { $0.accounts[name]?.mood = mood }
            last(.mood(name), dice.seconds(0.05...6))
        case .serverLag:
            let (validity, list, revocation) = (dice.seconds(0...200), dice.seconds(0...900), dice.seconds(0...900))
            world.with { state in
                state.accounts[name]?.validityLag = validity
                state.accounts[name]?.listLag = list
                state.accounts[name]?.revocationLag = revocation
            }
        case .gatewayClock:
            let error = dice.pick([-90_000, -700, 100, 400, 4000])
            world.with { $0.accounts[name]?.clockError = Double(error) }
            last(.gatewayClock(name), dice.seconds(0.2...8))
        case .fewerModels:
            world.with { $0.accounts[name]?.modelsOfNewKeys = [] }
            last(.models(name), dice.seconds(0.2...4))
        case .fullAccount:
            let count = dice.number(1...5)
            let ids = world.with { state -> [KeyID] in
                guard var account = state.accounts[name] else { return [] }
                let keys = (0..<count).map { account.makeKey(named: "crowd-\($0)", by: .others, at: state.now) }
                for key in keys { account.land(key) }
                account.capacity = account.keys.count { $0.isAlive(at: state.now) }
                state.accounts[name] = account
                return keys.map(\.id)
            }
            last(.others(ids, name), dice.seconds(0.2...6))
        default: break
        }
    }

    private mutating func useConsole(_ incident: Incident) {
        let now = world.look { $0.now }
        switch incident {
        case .consoleRevoke, .consoleDelete:
            let keys = ours()
            guard !keys.isEmpty else { return }
            let (key, token) = dice.pick(keys)
            world.with { state in
                state.note("   \(key.id) \(key.name)")
                state.accounts[token.gateway]?.end(key.id, by: .others, at: now)
                if incident == .consoleDelete { state.accounts[token.gateway]?.change(key.id) { $0.isDeleted = true } }
            }
        case .rivalName:
            guard !machine.policies.isEmpty else { return }
            let policy = dice.pick(machine.policies)
            let known = world.token(policy.name)?.generations.map(\.name) ?? []
            let month = now.addingTimeInterval(dice.pick([0, 31 * 86400])).formatted(Date.ISO8601FormatStyle(timeZone: .gmt).year().month())
            let coming = policy.pattern.name(month: month, attempt: dice.number(1...3))
            makeOther(known.isEmpty || dice.happens(0.5) ? coming : dice.pick(known), at: policy.gateway)
        case .rivalCreate:
            let (name, rival) = (dice.pick(scenario.gateways), dice.pick([Account.Rival.before, .after]))
            world.with { $0.accounts[name]?.rival = rival }
        case .otherKey: makeOther("somebody-else-\(dice.number(1...99))", at: dice.pick(scenario.gateways))
        case .endOther:
            let name = dice.pick(scenario.gateways)
            let others = world.look { $0.accounts[name]?.keys.filter { $0.maker == .others && $0.isAlive(at: now) } ?? [] }
            guard !others.isEmpty else { return }
            let id = dice.pick(others).id
            world.with { $0.accounts[name]?.end(id, by: .others, at: now) }
        default: break
        }
    }

    private func makeOther(_ name: String, at gateway: GatewayName) {
        world.with { state in
            let now = state.now
            guard var key = state.accounts[gateway]?.makeKey(named: name, by: .others, at: now) else { return }
            // Within the hour after a create of that name whose answer was lost nothing tells the two apart: docs/reliability.md says so.
            if let lost = state.journal.generation(name, of: gateway), [.intended, .abandoned, .revoking].contains(lost.state),
                lost.fingerprint == nil
            {
                key.isTwin = abs(now.timeIntervalSince(lost.intendedAt)) <= Sighting.longestWay + Sighting.tolerance
            }
            state.note("   \(key.id) \(name)")
            state.accounts[gateway]?.land(key)
        }
    }

    private mutating func useOld(lasts: Bool) {
        let old = ours { generation, _ in generation.state == .retiring }
        guard !old.isEmpty else { return }
        let (key, token) = dice.pick(old)
        use(key.id, at: token.gateway)
        guard lasts else { return }
        shadows.append((key.id, token.gateway))
        last(.oldUse(key.id, token.gateway), dice.seconds(1...30))
    }
}
