import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

/// What seeds of the simulation have found, each as the shortest story that still shows it.
@Suite struct SimulatedTroubleTests {
    private static let first = "prod-webapp-api-2026-01"
    private static let second = "prod-webapp-api-2026-01-2"

    @Test func `a key that no list shows yet is not given up as revoked`() async {
        let world = World()
        world.with { state in
            state.account.listLag = 1800
            state.script[.putRecord] = [.fails("no space left on device")]
            state.script[.revoke] = [.serverError]
        }
        var machine = Machine(world, [.sample()])
        await machine.run(for: .hours(3))
        #expect(world.alive == [SimulatedTroubleTests.second])
        world.isWell()
    }

    @Test func `a replaced generation that its own date has ended waits for nobody`() async throws {
        let end = World.start.addingTimeInterval(.days(5))
        let (world, made) = try await issued(.sample(overlap: Overlap(atLeast: .days(3)), expires: .on(end)), watchEvery: .hours(6))
        var machine = made
        await machine.run(for: .days(3))
        world.ask(.rotate, .webapp)
        await machine.run(for: .days(5))
        #expect(try world.webapp.generation(SimulatedTroubleTests.first) == nil)
        #expect(world.findings.isEmpty, "\(world.sentences)")
        world.isWell()
    }

    @Test func `use while a release is held up is seen before it`() async throws {
        var (world, machine) = try await issued(.sample(overlap: Overlap(atLeast: .zero, quietFor: .hours(1))), watchEvery: .hours(6))
        world.ask(.rotate, .webapp)
        await machine.run(for: .minutes(50))
        world.with { $0.account.clockError = 4000 }
        await machine.run(for: .minutes(50))
        world.use(SimulatedTroubleTests.first)
        world.with { $0.account.clockError = 0 }
        await machine.run(for: .minutes(45))
        #expect(world.alive.count == 2)
        await machine.run(for: .hours(4))
        #expect(world.alive == [SimulatedTroubleTests.second])
        world.isWell()
    }

    @Test func `what failed at a target of a token that has ended is nobody's trouble`() async throws {
        let policy = TokenPolicy.sample(rotate: .never, expires: .after(.days(2)))
        var (world, machine) = try await issued(policy, watchEvery: .hours(6))
        var wider = policy
        wider.targets.append(.sample("/etc/worker/token"))
        world.with { $0.places[.worker, default: Place()].isWritable = false }
        machine.policies = [wider]
        await machine.run(for: .hours(1))
        #expect(world.findings == [.tokenStuck])
        await machine.run(for: .days(3))
        #expect(try world.webapp.ending == .expired)
        #expect(world.findings.isEmpty, "\(world.sentences)")
        world.isWell()
    }

    @Test func `trouble with a rotation that is not wanted any more is over`() async throws {
        let policy = TokenPolicy.sample()
        var (world, machine) = try await issued(policy, watchEvery: .hours(6))
        world.with { $0.account.modelsOfNewKeys = [] }
        var changed = policy
        changed.attributes.billing = .payPerUse
        machine.policies = [changed]
        await machine.run(for: .hours(2))
        #expect(world.findings.contains(.tokenStuck))
        machine.policies = [policy]
        await machine.run(for: .hours(1))
        #expect(!world.findings.contains(.tokenStuck), "\(world.sentences)")
        world.isWell()
    }

    @Test func `what consumers were given is not taken from them before it is replaced, though its secret is lost`() async throws {
        let world = World()
        let targets = [TargetPolicy.sample("/etc/webapp/token"), .sample("/etc/worker/token", then: true)]
        world.with { $0.places[.worker, default: Place()].consumerTrouble = "busy" }
        var machine = Machine(world, [.sample(targets: targets)])
        await machine.pass()
        #expect(world.published() == SimulatedTroubleTests.first)
        world.with { $0.keyring.steal(SimulatedTroubleTests.first, of: .main) }
        await machine.run(for: .hours(1))
        world.isWell()
        world.with { $0.places[.worker]?.consumerTrouble = nil }
        world.ask(.rotate, .webapp)
        await machine.run(for: .days(3))
        #expect(world.alive == [try #require(world.webapp.current)])
        #expect(world.published() == world.published(.worker))
        world.isWell()
    }

    @Test func `a gateway that refuses every secret for an hour costs no consumer its only one`() async throws {
        let world = World()
        let targets = [TargetPolicy.sample("/etc/webapp/token"), .sample("/etc/worker/token", then: true)]
        world.with { $0.places[.worker, default: Place()].consumerTrouble = "busy" }
        var machine = Machine(world, [.sample(targets: targets)], watchEvery: .minutes(5))
        await machine.pass()
        world.with { $0.account.mood = .refusesTokens }
        await machine.run(for: .hours(1))
        world.isWell()
        #expect(world.alive.contains(SimulatedTroubleTests.first))
        world.with { $0.account.mood = .well }
        world.with { $0.places[.worker]?.consumerTrouble = nil }
        await machine.run(for: .days(3))
        #expect(world.alive == [try #require(world.webapp.current)])
        world.isWell()
    }

    @Test func `a target that somebody changes while its consumer is waited for is delivered again`() async throws {
        let policy = TokenPolicy.sample(targets: [.sample("/etc/webapp/token", then: true, confirm: true)])
        var (world, machine) = try await issued(policy, watchEvery: .hours(1))
        world.with { $0.places[.webapp]?.slowness = 4000 }
        world.ask(.rotate, .webapp)
        await machine.pass()
        let now = world.look { $0.now }
        world.with { $0.places[.webapp]?.edit("something else", at: now) }
        await machine.run(for: .hours(30))
        #expect(try world.webapp.rotation == nil)
        #expect(world.published() == SimulatedTroubleTests.second)
        world.isWell()
    }
}
