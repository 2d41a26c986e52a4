package import Foundation
package import KeyturnCore
package import KeyturnEngine
package import Logging
import Synchronization

/// One coherent world in memory behind every port of the engine: gateways, keyring, journal, targets, consumers, clocks.
///
/// Time is virtual and moves only when somebody moves it. Faults come from a script or from a seed. Each set of ports
/// belongs to one process: when a process dies, at any call, all its later calls fail without effect, and `ports()` is
/// the restart. After every call the world asks its own invariants; what breaks one is in `violations`.
package final class World: Sendable {
    private let state: Mutex<WorldState>

    package init(gateways: [GatewayName] = [.main], startingAt time: Date = World.start, seed: UInt64 = 0) {
        state = Mutex(WorldState(gateways: gateways, clock: WorldClock(startingAt: time), dice: Dice(seed: seed)))
    }

    /// Monday 5 January 2026, 10:00 UTC.
    package static let start = Date(timeIntervalSince1970: 1_767_607_200)

    /// Looks at the world, or changes it from outside: nobody's call, nobody's fault.
    @discardableResult
    package func with<Result: Sendable>(_ body: (inout WorldState) -> Result) -> Result {
        state.withLock { state in
            state.settle()
            let result = body(&state)
            state.checkInvariants(after: "an outside event")
            return result
        }
    }

    /// Only looks at it.
    package func look<Result: Sendable>(_ body: (WorldState) -> Result) -> Result {
        state.withLock { state in
            state.settle()
            return body(state)
        }
    }

    /// The ports of a new process; those of any earlier one are dead from here on.
    package func ports() -> Ports {
        let process = state.withLock { state in
            state.process += 1
            state.isDriven = true
            return state.process
        }
        return ports(of: process)
    }

    /// The ports of a second daemon that asks for the driver's lock: none while the first one lives.
    package func portsIfUndriven() -> Ports? { state.withLock { $0.isDriven } ? nil : ports() }

    private func ports(of process: Int) -> Ports {
        let names = state.withLock { Array($0.accounts.keys) }
        var ports = Ports(
            gateways: Dictionary(uniqueKeysWithValues: names.map { ($0, WorldGateway(world: self, process: process, name: $0)) }),
            journal: WorldJournal(world: self, process: process), keyring: WorldKeyring(world: self, process: process),
            delivery: { target, _ in WorldDelivery(world: self, process: process, target: target) },
            consumer: { target in WorldConsumer(world: self, process: process, target: target) },
            secretInFile: { [self] file, _ throws(DeliveryError) in
                try call(.secretInFile, by: process, file, dead: DeliveryError("dead")) { state, _ throws(DeliveryError) in
                    state.files[file]
                }
                .map { Secret($0) }
            },
            stillHolds: { [self] id, secret throws(DeliveryError) in
                let text = secret.text
                return try call(.stillHolds, by: process, id.description, dead: DeliveryError("dead")) {
                    state, fault throws(DeliveryError) in
                    if case .fails(let why) = fault { throw DeliveryError("\(id.file): \(why)") }
                    return state.places[id]?.content == text
                }
            },
            couriers: state.withLock { $0.couriers }.map {
                WorldCourier(world: self, process: process, name: $0.name, severity: $0.severity)
            },
            now: { [self] in state.withLock { $0.clock.moment } }
        )
        ports.surroundings = WorldSurroundings(world: self)
        return ports
    }

    /// A logger whose lines the world keeps, to see that no secret is in them.
    package func logger() -> Logger {
        var logger = Logger(label: "world") { _ in WorldLog(world: self) }
        logger.logLevel = .trace
        return logger
    }

    func keep(_ line: String) {
        state.withLock { if $0.keepsLog { $0.log.append(line) } }
    }

    /// One call of a port: meets its fault, has its effect, and leaves the world to its invariants.
    func call<Result: Sendable, Failure: Error>(
        _ operation: PortCall, by process: Int, _ detail: String = "", dead: Failure,
        _ body: (inout WorldState, Fault?) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try state.withLock { state throws(Failure) -> Result in
            guard state.process == process else { throw dead }
            state.settle()
            state.count(operation, detail)
            guard state.isWithinBudget(operation) else { throw dead }
            let fault = state.nextFault(of: operation)
            if fault == .diesBefore {
                state.die(operation)
                throw dead
            }
            let result: Swift.Result<Result, Failure>
            do throws(Failure) { result = .success(try body(&state, fault == .diesAfter ? nil : fault)) } catch { result = .failure(error) }
            if operation.changesTheWorld, state.checksEachCall { state.checkInvariants(after: "\(operation) \(detail)") }
            if fault == .diesAfter {
                state.die(operation)
                throw dead
            }
            return try result.get()
        }
    }
}

extension GatewayName {
    /// The gateway of a world that has only one.
    package static let main = GatewayName("main")
}

/// Everything that is true at one moment.
package struct WorldState: Sendable {
    package var clock: WorldClock
    package var accounts: [GatewayName: Account]
    package var journal = JournalTables()
    package var historyProof = WorldHistory()
    package var keyring = KeyringState()
    package var places: [TargetID: Place] = [:]
    /// Files of an administrator's, by path.
    package var files: [String: String] = [:]
    /// What lies around targets, by their files.
    package var exposures: [String: [Exposure]] = [:]
    package var copies: [String: [FileCopy]] = [:]
    package var dice: Dice
    /// Of what is told to people.
    private var outboxDice = Dice(seed: 0x6d61_696c)
    /// The share of calls that meet a random fault.
    package var faultRate = 0.0
    /// Faults to come, for each operation in the order of its calls; nil lets one call go well.
    package var script: [PortCall: [Fault?]] = [:]
    /// Faults that stay until they are taken away.
    package var standing: [PortCall: Fault] = [:]
    /// Seconds that a gateway takes to answer, at most.
    package var latency = 0.0
    package var violations: [String] = []
    /// Who tells people of findings; none at first.
    package var couriers: [(name: String, severity: Severity)] = []
    /// What was accepted by them, in order.
    package var letters: [Letter] = []
    var tellings: Set<String> = []
    /// Where there are many hundred tokens, only outside events ask the invariants: each asks about all tokens.
    package var checksEachCall = true
    /// Secrets that Keyturn revoked because somebody ended their token.
    var ended: Set<String> = []
    /// Secrets that existed when a person said that their token had leaked.
    var leaked: Set<String> = []
    package private(set) var calls: [PortCall: Int] = [:]
    /// What of the journal was read how often.
    package private(set) var reads: [String: Int] = [:]
    /// Faults met, by their kind.
    package private(set) var faults: [String: Int] = [:]
    /// Calls that the pass under way may still make; nil is any number. A pass that runs out of it never ends by itself.
    package var budget: Int?
    /// What the journal's writes have claimed so far.
    package var witness = Witness()
    package var created = 0
    package var revoked = 0
    /// What happened last, for the report of a failing seed.
    private var events: [(at: Date, what: String)] = []
    /// Keep all of it, not only the end.
    package var keepsTrace = false
    package var log: [String] = []
    package var keepsLog = false
    /// Nothing happens by itself while time stands still.
    private var settledAt: Date?
    package private(set) var deaths = 0
    package internal(set) var process = 0
    /// Does a living process hold the driver's lock?
    fileprivate(set) var isDriven = false

    init(gateways: [GatewayName], clock: WorldClock, dice: Dice) {
        self.clock = clock
        self.dice = dice
        var own = dice
        outboxDice = Dice(seed: own.next() ^ 0x6d61_696c)
        accounts = Dictionary(uniqueKeysWithValues: gateways.map { ($0, Account(name: $0)) })
    }

    package var now: Date { clock.time }

    package func calls(_ operation: PortCall) -> Int { calls[operation] ?? 0 }

    /// The account of a world with one gateway.
    package var account: Account {
        get { accounts[.main] ?? Account(name: .main) }
        set { accounts[.main] = newValue }
    }

    mutating func settle() {
        let time = clock.time
        guard settledAt != time else { return }
        settledAt = time
        for name in accounts.keys { accounts[name]?.settle(at: time) }
        for (id, place) in places where place.isTaking { places[id]?.settle(at: time) }
    }

    mutating func count(_ operation: PortCall, _ detail: String) {
        calls[operation, default: 0] += 1
        guard operation != .readJournal, operation != .readOutbox else {
            reads[detail, default: 0] += 1
            return
        }
        note("\(operation) \(detail)")
    }

    package mutating func note(_ line: String) {
        events.append((clock.time, line))
        if events.count > 1000, !keepsTrace { events.removeFirst(500) }
    }

    /// One line an event, oldest first.
    package var trace: [String] { events.map { "\($0.at.formatted(.iso8601)) \($0.what)" } }

    mutating func nextFault(of operation: PortCall) -> Fault? {
        if var faults = script[operation], !faults.isEmpty {
            let fault = faults.removeFirst()
            script[operation] = faults
            if let fault { meet(fault) }
            return fault
        }
        if let fault = standing[operation] {
            meet(fault)
            return fault
        }
        guard faultRate > 0 else { return nil }
        let isOutbox = PortCall.ofOutbox.contains(operation)
        if isOutbox {
            guard !couriers.isEmpty else { return nil }
            swap(&dice, &outboxDice)
        }
        defer { if isOutbox { swap(&dice, &outboxDice) } }
        guard dice.happens(faultRate) else { return nil }
        var fault = dice.pick(Fault.possible(for: operation, &dice))
        // Deaths stand in every list: drawn plainly they would be half of all faults.
        if fault == .diesBefore || fault == .diesAfter { fault = dice.pick(Fault.possible(for: operation, &dice)) }
        meet(fault)
        return fault
    }

    private mutating func meet(_ fault: Fault) {
        faults[fault.kind, default: 0] += 1
        note("  fault: \(fault)")
    }

    /// False, and the process ends, when a pass has made more calls than any honest one.
    mutating func isWithinBudget(_ operation: PortCall) -> Bool {
        guard let left = budget else { return true }
        budget = left - 1
        guard left <= 0 else { return true }
        violate("a pass without an end: it was stopped at \(operation)")
        die(operation)
        return false
    }

    mutating func die(_ operation: PortCall) {
        process += 1
        isDriven = false
        deaths += 1
        note("  the process died at \(operation)")
    }

    /// A promise is broken; told once, with the event that it was seen after.
    mutating func violate(_ sentence: String, after event: String? = nil) {
        guard !violations.contains(where: { $0.hasPrefix(sentence) }) else { return }
        violations.append(sentence + (event.map { ", after \($0)" } ?? ""))
        note("VIOLATION \(sentence)")
    }
}
