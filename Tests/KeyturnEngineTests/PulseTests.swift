import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Synchronization
import Testing

/// However long a gateway makes Keyturn wait, and however often: the watchdog ends what hangs, not what waits.
@Suite struct PulseTests {
    @Test func `many delivered secrets that cannot be tried are no hang`() async throws {
        let world = World()
        let policies = (1...30).map { TokenPolicy.sample("app\($0)", targets: [.sample("/etc/app\($0)/token", then: true, confirm: true)]) }
        var machine = Machine(world, policies)
        world.with { $0.standing[.confirm] = .fails("not yet") }
        await machine.pass()
        try #require(policies.allSatisfy { world.token($0.name)?.rotation?.phase == .applying })
        let doctor = Doctor(world)
        doctor.probing = 30
        _ = try await doctor.keeper(machine).pass(watches: true)
        #expect(doctor.waits >= 31)
        #expect(doctor.sick.isEmpty, "\(doctor.sick)")
        world.isWell()
    }

    @Test func `one list after another, each of which takes minutes, is no hang`() async throws {
        var (world, machine) = try await issued()
        machine.policies = [.sample()] + (1...3).map { .sample("app\($0)") }
        for policy in machine.policies { world.ask(.rotate, policy.name) }
        world.with { $0.account.answersIDs = false }
        let doctor = Doctor(world)
        (doctor.listing, doctor.probing) = (329, 30)
        _ = try await doctor.keeper(machine).pass(watches: true)
        #expect(doctor.waits > 4)
        #expect(doctor.sick.isEmpty, "\(doctor.sick)")
        world.isWell()
    }

    @Test func `calls that may take as long as the settings say are no hang`() async throws {
        var (world, machine) = try await issued()
        machine.settings.gateways[.main]?.timeout = .minutes(15)
        world.ask(.rotate, .webapp)
        let doctor = Doctor(world)
        (doctor.listing, doctor.probing) = (1199, 900)
        _ = try await doctor.keeper(machine).pass(watches: true)
        #expect(doctor.waits > 3)
        #expect(doctor.sick.isEmpty, "\(doctor.sick)")
        world.isWell()
    }

    @Test func `a list that never ends is a hang`() async throws {
        let (world, machine) = try await issued()
        let doctor = Doctor(world)
        doctor.listing = 721
        _ = try await doctor.keeper(machine).pass(watches: true)
        #expect(doctor.sick == ["list"])
    }
}

/// A world's gateway that takes its time, and feels the pulse when each of its answers is about to come.
private final class Doctor: Sendable {
    private struct Notes {
        var listing: TimeInterval = 0
        var probing: TimeInterval = 0
        var waits = 0
        var sick: [String] = []
    }

    private let notes = Mutex(Notes())
    private let world: World
    private let pulse: Pulse

    init(_ world: World) {
        self.world = world
        pulse = Pulse(now: { world.moment })
    }

    var listing: TimeInterval {
        get { notes.withLock { $0.listing } }
        set { notes.withLock { $0.listing = newValue } }
    }
    var probing: TimeInterval {
        get { notes.withLock { $0.probing } }
        set { notes.withLock { $0.probing = newValue } }
    }
    var waits: Int { notes.withLock { $0.waits } }
    var sick: [String] { notes.withLock { $0.sick } }

    func keeper(_ machine: Machine) -> Keeper {
        var ports = world.ports()
        ports.gateways = ports.gateways.mapValues { Slow($0, self) }
        return Keeper(ports: ports, policies: machine.policies, settings: machine.settings, log: world.logger(), pulse: pulse)
    }

    func wait(_ call: String, _ seconds: TimeInterval) {
        world.advance(by: seconds)
        let isHealthy = pulse.isHealthy
        notes.withLock { notes in
            notes.waits += 1
            if !isHealthy { notes.sick.append(call) }
        }
    }

    private struct Slow: Gateway {
        let gateway: any Gateway
        let doctor: Doctor

        init(_ gateway: any Gateway, _ doctor: Doctor) { (self.gateway, self.doctor) = (gateway, doctor) }

        func create(_ order: CreateOrder) async -> CreateOutcome {
            doctor.wait("create", doctor.probing)
            return await gateway.create(order)
        }

        func list() async throws(GatewayError) -> Listing {
            let listing = try await gateway.list()
            doctor.wait("list", doctor.listing)
            return Listing(keys: listing.keys, gatewayTime: nil)
        }

        func revoke(_ id: KeyID) async throws(GatewayError) { try await gateway.revoke(id) }

        func probe(_ secret: borrowing Secret) async throws(GatewayError) -> ProbeOutcome {
            doctor.wait("probe", doctor.probing)
            return try await gateway.probe(secret)
        }

        func usage(_ secret: borrowing Secret) async throws(GatewayError) -> Reading {
            doctor.wait("usage", doctor.probing)
            return try await gateway.usage(secret)
        }
    }
}
