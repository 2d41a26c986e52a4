import Foundation
import KeyturnCore
import KeyturnTestKit
import Testing

@testable import KeyturnEngine

/// A gateway's list is as long as the account is full: a pass asks for it as often as it needs new evidence, whatever the number of
/// tokens.
@Suite(.timeLimit(.minutes(1))) struct EconomyTests {
    @Test(arguments: [1, 8]) func `many revocations of one pass are seen in one list`(concurrent: Int) async throws {
        let (world, many) = try await issuedMany(60, concurrent: concurrent)
        for policy in many.policies { world.ask(.revoke, policy.name) }
        let before = world.calls(.list)
        _ = try await many.pass(watches: false)
        #expect(world.alive.isEmpty)
        #expect(world.codes.count { $0 == "revoked" } == 60)
        // One before the first revocation and one after the last; each that is still under way when a list begins may need another.
        let lists = world.calls(.list) - before
        #expect(concurrent == 1 ? lists == 2 : (2...2 + concurrent).contains(lists))
        world.isWell()
    }

    @Test(arguments: [1, 8])
    func `a list that was asked for before a revocation was answered is no evidence of it`(concurrent: Int) async throws {
        let (world, many) = try await issuedMany(60, concurrent: concurrent)
        world.with { $0.keepsTrace = true }
        for policy in many.policies { world.ask(.revoke, policy.name) }
        _ = try await many.pass(watches: false)
        let trace = world.look { $0.trace }
        let lists = trace.indices.filter { trace[$0].contains(" list ") }
        for number in 0..<60 {
            let id = try #require(world.with { $0.account.key(KeyID("key_\(number + 1)")) })
            let asked = try #require(trace.lastIndex { $0.hasSuffix(" revoke \(id.id)") })
            let seen = try #require(trace.lastIndex { $0.hasSuffix(": revoked \(id.name)") })
            #expect(lists.contains { asked < $0 && $0 < seen }, "\(id.name)")
        }
    }

    @Test func `new secrets that are refused at first ask for one list together`() async throws {
        let world = World()
        world.with { $0.account.validityLag = 60 }
        let many = Many(world, 60)
        _ = try await many.pass(watches: true)
        #expect(world.calls(.list) == 2)
        #expect(world.codes.count { $0 == "refused-once" } == 60)
        world.advance(by: 300)
        _ = try await many.pass(watches: false)
        #expect(world.calls(.list) == 2)
        #expect(many.policies.allSatisfy { world.token($0.name)?.current != nil })
        world.isWell()
    }

    @Test func `ids that no answer tells are found in one list`() async throws {
        let world = World()
        world.with { $0.account.answersIDs = false }
        let many = Many(world, 60)
        _ = try await many.pass(watches: true)
        #expect(world.calls(.list) == 2)
        #expect(many.policies.allSatisfy { world.token($0.name)?.currentGeneration?.keyID != nil })
        world.isWell()
    }

    @Test func `a limited account costs no reading of the whole journal for each list`() async throws {
        let (world, many) = try await issuedMany(20, capacity: 60)
        for policy in many.policies { world.ask(.rotate, policy.name) }
        world.with { $0.account.answersIDs = false }
        let before = (world.look { $0.reads["ledger"] ?? 0 }, world.calls(.list))
        _ = try await many.pass(watches: true)
        #expect(world.alive.count == 40)
        #expect(world.calls(.list) - before.1 == 2)
        #expect(world.look { $0.reads["ledger"] ?? 0 } - before.0 == 1)
        world.isWell()
    }

    @Test func `what was made and seen after a list began frees no place by its absence from it`() async throws {
        let world = World()
        world.with { state in state.account.land(state.account.makeKey(named: "others", by: .others, at: state.now)) }
        let ports = world.ports()
        let desk = Desk(.main, try #require(ports.gateways[.main]), capacity: 6, now: ports.now, pulse: Pulse(now: ports.now))
        await desk.list()
        world.advance(by: 1)
        let policies = [TokenPolicy.sample()]
        let settings = Machine(world, policies).settings
        _ = try await Keeper(ports: ports, policies: policies, settings: settings, log: world.logger()).pass(watches: true)
        desk.expect(try world.webapp.generations)
        #expect(try desk.othersAlive(ports.journal) == 1)
        // Absent from a list that is younger than it, it takes none.
        world.advance(by: 1)
        world.with { state in state.account.unlisted = Set(state.account.keys.filter { $0.maker == .keyturn }.map(\.id)) }
        await desk.list()
        #expect(try desk.othersAlive(ports.journal) == 0)
    }

    @Test func `the last reading before a release is of a list that was asked for after the quiet time`() async throws {
        let quiet = Overlap(atLeast: .hours(2), quietFor: .hours(1), atMost: .days(14))
        let world = World()
        world.with { $0.account.showsUsage = false }
        let slow = TokenPolicy.sample("worker", targets: [.sample("/etc/worker/token", then: true)])
        var machine = Machine(world, [.sample(overlap: quiet), slow])
        await machine.pass()
        world.ask(.rotate, .webapp)
        await machine.run(for: .minutes(118))
        try #require(world.alive.filter { $0.contains("webapp") }.count == 2)
        // The pass that begins now gets to the old one only after its quiet time; meanwhile it is used.
        var ports = world.ports()
        let consumer = ports.consumer
        ports.consumer = { $0.file == "/etc/worker/token" ? Meanwhile(world) : consumer($0) }
        world.ask(.rotate, .worker)
        let keeper = Keeper(ports: ports, policies: machine.policies, settings: machine.settings, log: world.logger())
        _ = try await keeper.pass(watches: true)
        #expect(world.alive.filter { $0.contains("webapp") }.count == 2)
        world.isWell()
    }
}

/// A consumer that needs five minutes to take a secret up; in the midst of them another one uses an old secret.
private struct Meanwhile: Consumer {
    let world: World
    init(_ world: World) { self.world = world }

    func preflight() {}
    func take() async {
        world.advance(by: .minutes(3))
        world.use("prod-webapp-api-2026-01")
        world.advance(by: .minutes(2))
    }
    func confirm() async {}
}

/// Many tokens at the one gateway of a world, and passes over them.
struct Many {
    let policies: [TokenPolicy]
    let settings: Settings
    private let keeper: Keeper

    init(_ world: World, _ count: Int, concurrent: Int = 1, capacity: Int? = nil) {
        world.with { $0.account.capacity = capacity }
        policies = (0..<count).map { TokenPolicy.sample("app\(String(repeating: "0", count: 3 - "\($0)".count))\($0)") }
        var settings = Machine(world, policies, capacity: capacity).settings
        settings.gateways[.main]?.concurrent = concurrent
        self.settings = settings
        keeper = Keeper(ports: world.ports(), policies: policies, settings: settings, log: world.logger())
    }

    func pass(watches: Bool) async throws -> Keeper.Outlook { try await keeper.pass(watches: watches) }
}

/// A world in which each of many tokens has its first generation.
func issuedMany(_ count: Int, concurrent: Int = 1, capacity: Int? = nil) async throws -> (World, Many) {
    let world = World()
    let many = Many(world, count, concurrent: concurrent, capacity: capacity)
    _ = try await many.pass(watches: true)
    try #require(world.alive.count == count)
    return (world, many)
}
