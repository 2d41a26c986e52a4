import Foundation
import KeyturnCore
import KeyturnEngine

extension Simulation {
    mutating func shakeHost(_ incident: Incident) async {
        switch incident {
        case .clockJump:
            let jump = dice.pick([60, 250, 400, 4000, 86_000, 40 * 86400.0]) * (dice.happens(0.5) ? 1 : -1) * dice.seconds(0.5...1)
            // Where the gateway shows no clock a wrong one cannot be told, and what a wrong one decides is not asked.
            let isSeen = scenario.accounts.values.allSatisfy(\.showsTime)
            world.with { $0.clock.error = isSeen ? jump : max(-250, min(250, jump)) }
            last(.clock, dice.seconds(0.05...6))
        case .reboot:
            world.with { $0.clock.reboot() }
            machine.restart()
            wake()
        case .restart:
            machine.restart()
            wake()
        case .secondDaemon:
            // Refused while the first one lives; where that has just died the second is the first.
            guard world.portsIfUndriven() != nil else { return }
            machine.restart()
            wake()
        case .ghost: await haunt()
        default: break
        }
    }

    /// A process that was thought dead goes on: nothing that it does may have any effect.
    private mutating func haunt() async {
        let ghost = Keeper(ports: world.ports(), policies: machine.policies, settings: machine.settings, log: world.logger())
        machine.restart()
        await pass()
        let before = world.look { ($0.journal.history.count, PortCall.allCases.map($0.calls)) }
        _ = try? await ghost.pass(watches: true)
        let after = world.look { ($0.journal.history.count, PortCall.allCases.map($0.calls)) }
        if before != after { world.with { $0.violate("a second driver had an effect") } }
    }

    mutating func touchTarget(_ incident: Incident) {
        let ids = (machine.policies + absent).flatMap(\.targets).map(\.id)
        guard !ids.isEmpty else { return }
        let id = dice.pick(ids)
        let now = world.look { $0.now }
        world.with { $0.note("   \(id)") }
        switch incident {
        case .editTarget:
            let old = ours { $1.targets.contains { $0.id == id } }.map(\.key.secret)
            let text = dice.happens(0.5) && !old.isEmpty ? dice.pick(old) : dice.pick([nil, "something else", ""])
            world.with { $0.places[id, default: Place()].edit(text, at: now) }
        case .lockTarget:
            world.with { $0.places[id, default: Place()].isWritable = false }
            last(.target(id), dice.seconds(0.2...12))
        case .breakConsumer:
            world.with { $0.places[id, default: Place()].consumerTrouble = "unit failed" }
            last(.consumer(id), dice.seconds(0.2...20))
        case .slowConsumer:
            let seconds = dice.seconds(1...4000)
            world.with { $0.places[id, default: Place()].slowness = seconds }
        case .restartConsumer: world.with { $0.places[id]?.restartConsumer() }
        default: break
        }
    }

    mutating func touchKeyring(_ incident: Incident) {
        if incident == .hideKeyring {
            guard let records = world.look({ $0.keyring.records }) else { return }
            world.with { $0.keyring.records = nil }
            return last(.keyring(records), dice.seconds(0.01...0.3))
        }
        let keys = ours { generation, _ in generation.isLiving }
        guard !keys.isEmpty else { return }
        let (key, token) = dice.pick(keys)
        world.with { $0.note("   \(key.name)") }
        if incident == .stealRecord {
            world.with { $0.keyring.steal(key.name, of: token.gateway) }
        } else {
            world.with { _ = $0.keyring.unreadable.insert(key.name) }
            last(.record(key.name), dice.seconds(0.1...8))
        }
    }

    /// Ends what was to end by then.
    mutating func relieve(before moment: Date) {
        let due = reliefs.filter { $0.at <= moment }
        guard !due.isEmpty else { return }
        reliefs.removeAll { $0.at <= moment }
        for relief in due { relieve(relief.what) }
    }

    private mutating func relieve(_ relief: Relief) {
        let now = world.look { $0.now }
        world.with { $0.note("** over: \(relief.word)") }
        switch relief {
        case .mood(let name): world.with { $0.accounts[name]?.mood = .well }
        case .clock: world.with { $0.clock.error = 0 }
        case .gatewayClock(let name): world.with { $0.accounts[name]?.clockError = 0 }
        case .target(let id): world.with { $0.places[id]?.isWritable = true }
        case .consumer(let id): world.with { $0.places[id]?.consumerTrouble = nil }
        case .keyring(let records): world.with { $0.keyring.records = records }
        case .record(let name): world.with { _ = $0.keyring.unreadable.remove(name) }
        case .standing(let operation): world.with { $0.standing[operation] = nil }
        case .models(let name): world.with { $0.accounts[name]?.modelsOfNewKeys = nil }
        case .others(let ids, let name):
            world.with { state in
                for id in ids { state.accounts[name]?.end(id, by: .others, at: now) }
                state.accounts[name]?.capacity = nil
            }
        case .oldUse(let id, let name): shadows.removeAll { $0.id == id && $0.gateway == name }
        }
    }
}

extension Relief {
    /// For the trace, without what it holds.
    var word: String { "\(self)".prefix { $0 != "(" }.description }
}
