import Foundation
import KeyturnCore
import KeyturnEngine

/// One seed's life of the whole engine: rough times, then calm ones, and in the end a house in order.
///
/// Everything that is random comes from the seed, so that a seed repeats itself call by call. Every run is bounded: the
/// calls of a pass, the passes of an hour, and the time that calm may take; a bound that is hit is a violation.
package struct Simulation {
    package let seed: UInt64
    package let size: Scenario.Size
    package let world: World
    let scenario: Scenario
    var machine: Machine
    var dice: Dice
    /// What ends by itself later, and when.
    var reliefs: [(at: Date, what: Relief)] = []
    /// Policies of tokens that have left for a while.
    var absent: [TokenPolicy] = []
    /// Keys that somebody goes on using whatever Keyturn does.
    var shadows: [(id: KeyID, gateway: GatewayName)] = []
    package internal(set) var incidents: [String: Int] = [:]
    private var alarm: Alarm
    private var tempo = Tempo()

    package init(seed: UInt64, size: Scenario.Size, keepsTrace: Bool = false) {
        self.seed = seed
        self.size = size
        dice = Dice(seed: seed)
        let scenario = Scenario(size, &dice)
        self.scenario = scenario
        world = World(gateways: scenario.gateways, seed: dice.next())
        world.with { state in
            state.accounts = scenario.accounts
            state.latency = scenario.latency
            state.couriers = scenario.couriers
            (state.keepsLog, state.keepsTrace) = (scenario.keepsLog, keepsTrace)
        }
        machine = Machine(world, [], watchEvery: scenario.watchEvery, capacity: scenario.capacity)
        alarm = Alarm(for: world.moment.wall, at: world.moment, world.look { $0.now })
        enforce(scenario.policies)
        offerAtFirst()
    }

    /// Runs it to its end, or to the first violation.
    package mutating func run() async -> SimulationReport {
        let start = world.look { $0.now }
        for phase in scenario.phases where !isBroken { await live(through: phase) }
        if !isBroken { await calmDown() }
        if !isBroken, scenario.keepsLog { world.with { $0.checkSilence() } }
        return report(since: start)
    }

    var isBroken: Bool { world.look { !$0.violations.isEmpty } }

    private func report(since start: Date) -> SimulationReport {
        world.look { state in
            SimulationReport(
                seconds: state.now.timeIntervalSince(start), passes: machine.passes, finished: state.witness.finished,
                abandoned: state.witness.abandoned, created: state.created, revoked: state.revoked, deaths: state.deaths,
                faults: state.faults,
                incidents: incidents,
                failures: state.violations.isEmpty ? [] : [.init(seed: seed, size: size, violations: state.violations)]
            )
        }
    }

    // MARK: Rough times

    private mutating func live(through phase: Scenario.Phase) async {
        world.with { $0.faultRate = phase.faultRate }
        let end = world.look { $0.now }.addingTimeInterval(phase.length)
        var next = world.look { $0.now }.addingTimeInterval(dice.seconds(0...2) * phase.incidentEvery)
        while !isBroken {
            let now = world.look { $0.now }
            guard now < end else { return }
            let look = now.addingTimeInterval(alarm.rest(at: world.moment, now))
            let relief = reliefs.map(\.at).min() ?? end
            let moment = min(look, next, relief, end)
            world.advance(by: moment.timeIntervalSince(now))
            relieve(before: moment)
            if next <= moment {
                await happen(Incident.draw(&dice))
                next = moment.addingTimeInterval(dice.seconds(0...2) * phase.incidentEvery)
            }
            trade()
            if alarm.rest(at: world.moment, world.look { $0.now }) <= 0 { await pass() }
        }
    }

    /// One pass within its bounds; sets the alarm for the next one.
    mutating func pass() async {
        let budget = 3000 + 400 * machine.policies.count
        world.with { $0.budget = budget }
        let deaths = world.look { $0.deaths }
        let next = await machine.pass()
        world.with { $0.budget = nil }
        let (moment, now) = (world.moment, world.look { $0.now })
        alarm = Alarm(for: next, at: moment, now)
        let died = world.look { $0.deaths } != deaths
        if let why = tempo.passed(at: now, wait: alarm.rest(at: moment, now), died: died, tokens: machine.policies.count) {
            world.with { $0.violate(why) }
        }
    }

    /// As a signal would.
    mutating func wake() { alarm = Alarm(for: world.moment.wall, at: world.moment, world.look { $0.now }) }

    /// Puts policies into force, as a reload does.
    mutating func enforce(_ policies: [TokenPolicy]) {
        machine.policies = policies
        let wanted = Set((policies + absent).flatMap(\.targets).map(\.id))
        world.with { state in
            state.witness.policies = Dictionary(policies.map { ($0.name, $0) }) { first, _ in first }
            for id in state.places.keys where !wanted.contains(id) { state.places[id]?.leave() }
            for id in wanted { state.places[id, default: Place()].isManaged = true }
        }
        wake()
    }

    // MARK: Calm

    private mutating func calmDown() async {
        world.with { $0.note("== calm") }
        settle()
        enforce(machine.policies + absent.filter { _ in dice.happens(0.5) })
        absent.removeAll { policy in machine.policies.contains { $0.name == policy.name } }
        for policy in absent { world.ask(.revoke, policy.name) }
        machine.settings.gateways = machine.settings.gateways.mapValues { settings in
            var settings = settings
            settings.capacity = nil
            return settings
        }
        await run(for: size == .short ? 86400 : 2 * 86400)
        // A window may open once a week.
        if machine.policies.contains(where: { if case .every(_, .some, _) = $0.rotate { true } else { false } }) {
            await run(for: 7 * 86400)
        }
        guard !isBroken else { return }
        checkAges()
        // Short periods would never come to rest.
        enforce(
            machine.policies.map { policy in
                var policy = policy
                guard case .every(_, let window, let jitter) = policy.rotate else { return policy }
                policy.rotate = .every(.months(1200), window: window, jitter: jitter)
                if case .after = policy.expires { policy.expires = .never }
                return policy
            })
        await run(for: 60 * 86400, until: { $0.unrest == nil })
        guard !isBroken, let unrest else { return }
        world.with { $0.violate("no rest after two months of calm: \(unrest)") }
    }

    /// Calm passes; a person does once a day what the findings ask for.
    private mutating func run(for seconds: TimeInterval, until isOver: (Simulation) -> Bool = { _ in false }) async {
        var day = world.look { $0.now }
        let end = day.addingTimeInterval(seconds)
        while !isBroken {
            let now = world.look { $0.now }
            guard now < end else { return }
            let moment = min(now.addingTimeInterval(alarm.rest(at: world.moment, now)), end)
            world.advance(by: moment.timeIntervalSince(now))
            await pass()
            if isOver(self) { return }
            if moment >= day {
                answerFindings()
                day = moment.addingTimeInterval(86400)
            }
        }
    }

    /// All that comes from outside ends.
    private mutating func settle() {
        relieve(before: .distantFuture)
        shadows = []
        world.with { state in
            state.faultRate = 0
            state.script = [:]
            state.standing = [:]
        }
    }

    /// By the end of calm no token is older than its policy lets it be.
    private func checkAges() {
        for policy in machine.policies {
            guard case .every(let every, let window, let jitter) = policy.rotate, let token = world.token(policy.name),
                let current = token.currentGeneration, token.ending == nil
            else { continue }
            world.with { state in
                guard let account = state.accounts[token.gateway], account.showsTime,
                    let key = account.living(named: current.name, at: state.now).last(where: { $0.maker == .keyturn && !$0.isOffered })
                else { return }
                let age = state.now.timeIntervalSince(key.createdAt)
                let most = every.approximateSeconds * 1.05 + jitter.approximateSeconds + (window == nil ? 1 : 8) * 86400
                if case .on = policy.expires { return }
                if age > most { state.violate("\(current.name) is \(Int(age / 3600)) h old and rotates every \(every)") }
            }
        }
    }
}

/// The service's sleep until a moment of the wall clock: a clock set forward ends it early, one set back does not prolong it.
private struct Alarm {
    private let wall: Date
    private let end: Date

    init(for wall: Date, at moment: Moment, _ now: Date) {
        self.wall = wall
        end = now.addingTimeInterval(wall.timeIntervalSince(moment.wall))
    }

    func rest(at moment: Moment, _ now: Date) -> TimeInterval {
        max(0, min(wall.timeIntervalSince(moment.wall), end.timeIntervalSince(now)))
    }
}

/// Sees a service that looks again and again while nothing can have changed.
private struct Tempo {
    private var hurried = 0
    private var lately: [Date] = []

    /// Says what is wrong, or nil.
    mutating func passed(at now: Date, wait: TimeInterval, died: Bool, tokens: Int) -> String? {
        hurried = wait <= 0 ? hurried + 1 : 0
        if hurried >= 20 { return "a hot loop: twenty passes in a row ask for the next one at once" }
        guard !died else { return nil }
        lately.append(now)
        if let first = lately.first, now.timeIntervalSince(first) > 7200 { lately.removeAll { now.timeIntervalSince($0) > 3600 } }
        // A gateway that accepts no new secret for two hours: nine trials and as many looks after the revocation, a dozen times a token.
        return lately.count > 300 + 220 * tokens ? "a hot loop: \(lately.count) passes in two hours" : nil
    }
}
