import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

/// Gateways whose times do not say their zone: nothing is taken for ours, or for another's, by such a time alone.
@Suite struct ZonelessTests {
    /// As far from UTC as places on earth are, and those between.
    static let zones = [-12, -8.5, -5, -1, 0, 1, 5.75, 8, 14].map { TimeInterval.hours($0) }

    @Test(arguments: zones) func `a create whose answer is lost is found`(zone: TimeInterval) async {
        let world = World()
        world.with { state in
            state.account.unsaidZone = zone
            state.script[.create] = [.lostAfter]
        }
        var machine = Machine(world, [.sample()])
        await machine.run(for: .minutes(1))
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        world.isWell()
    }

    @Test(arguments: zones, [2, 9, 13, 26, 300].map { TimeInterval.hours($0) })
    func `a key that somebody makes under a lost name hours after is not touched`(zone: TimeInterval, after: TimeInterval) async {
        let world = World()
        world.with { state in
            state.account.unsaidZone = zone
            state.script[.create] = [.lostBefore]
        }
        var machine = Machine(world, [.sample()])
        await machine.run(for: after)
        world.with { state in state.account.land(state.account.makeKey(named: "prod-webapp-api-2026-01", by: .others, at: state.now)) }
        await machine.run(for: .days(1))
        #expect(world.alive.sorted() == ["prod-webapp-api-2026-01", "prod-webapp-api-2026-01-2"])
        world.isWell()
    }

    @Test(arguments: zones) func `a key that is older in every zone is another's, though it shows up right now`(zone: TimeInterval) async {
        let world = World()
        world.with { state in
            state.account.unsaidZone = zone
            state.script[.create] = [.lostBefore]
        }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        world.with { state in
            let made = state.now.addingTimeInterval(-.hours(30))
            state.account.land(state.account.makeKey(named: "prod-webapp-api-2026-01", by: .others, at: made))
        }
        await machine.run(for: .days(1))
        #expect(world.alive.contains("prod-webapp-api-2026-01"))
        world.isWell()
    }

    @Test(arguments: zones) func `a last use holds the revocation back until it stays the same`(zone: TimeInterval) async throws {
        let overlap = Overlap(atLeast: .hours(1), quietFor: .hours(2), atMost: .days(14))
        var (world, machine) = try await issued(.sample(overlap: overlap), watchEvery: .days(1))
        world.with { state in
            state.account.showsUsage = false
            state.account.countsReadings = false
            state.account.unsaidZone = zone
        }
        world.ask(.rotate, .webapp)
        await machine.pass()
        for _ in 1...10 {
            world.use("prod-webapp-api-2026-01")
            await machine.run(for: .hours(1))
        }
        #expect(world.alive.count == 2)
        await machine.run(for: .hours(6))
        #expect(world.alive.count == 1)
        world.isWell()
    }

    @Test(arguments: zones)
    func `the zone is learnt from when the key was made, so our own reading is no use`(zone: TimeInterval) async throws {
        let overlap = Overlap(atLeast: .hours(1), quietFor: .hours(2), atMost: .days(2))
        var (world, machine) = try await issued(.sample(overlap: overlap), watchEvery: .hours(6))
        world.with { $0.account.unsaidZone = zone }
        world.advance(by: 60)
        world.ask(.rotate, .webapp)
        await machine.run(for: .hours(8))
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        world.isWell()
    }

    @Test func `where nothing tells the zone our own reading may be a consumer's use, and a person is asked`() async throws {
        let overlap = Overlap(atLeast: .hours(1), quietFor: .hours(2), atMost: .days(2))
        var (world, machine) = try await issued(.sample(overlap: overlap), watchEvery: .hours(6))
        world.with { state in
            state.account.unsaidZone = .hours(8)
            state.account.showsCreated = false
        }
        world.advance(by: 60)
        world.ask(.rotate, .webapp)
        await machine.run(for: .days(3))
        #expect(world.alive.count == 2)
        #expect(world.findings == [.overlapTooLong])
        world.isWell()
    }
}
