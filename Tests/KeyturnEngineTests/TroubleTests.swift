import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

@Suite struct TroubleTests {
    @Test func `a missing keyring creates and revokes nothing and is one finding`() async throws {
        var (world, machine) = try await issued()
        world.ask(.rotate, .webapp)
        await machine.run(for: .hours(23))
        let records = world.with { $0.keyring.records }
        world.with { $0.keyring.records = nil }
        await machine.run(for: .days(2))
        #expect(world.alive.count == 2)
        #expect(world.calls(.create) == 2)
        #expect(world.findings == [.keyringUnknown])
        world.with { $0.keyring.records = records }
        await machine.run(for: .hours(1))
        #expect(world.findings.isEmpty)
        #expect(world.alive.count == 1)
        world.isWell()
    }

    @Test func `a dead admin token is one finding and everything that does not need it goes on`() async throws {
        let world = World()
        var machine = Machine(world, [.sample(targets: [.sample("/etc/webapp/token", then: true)]), .sample("worker"), .sample("third")])
        await machine.pass()
        world.ask(.rotate, .webapp)
        world.with { $0.places[.webapp]?.consumerTrouble = "busy" }
        await machine.run(for: .minutes(1))
        world.with { $0.account.mood = .refusesAdmin }
        world.with { $0.places[.webapp]?.consumerTrouble = nil }
        world.ask(.revoke, TokenName("prod-third-api"))
        world.ask(.rotate, .worker)
        await machine.run(for: .hours(2))
        #expect(try world.webapp.current == "prod-webapp-api-2026-01-2")
        #expect(world.findings == [.adminTokenRefused])
        #expect(world.calls(.create) == 4)
        world.with { $0.account.mood = .well }
        await machine.run(for: .days(2))
        #expect(world.alive.sorted() == ["prod-webapp-api-2026-01-2", "prod-worker-api-2026-01-2"])
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test(arguments: [Account.Mood.refusesAdmin, .unreachable, .broken])
    func `a target that somebody changed is put right though the gateway lists nothing`(mood: Account.Mood) async throws {
        var (world, machine) = try await issued(watchEvery: .hours(1))
        world.with { state in
            state.account.mood = mood
            state.places[.webapp]?.content = "what somebody wrote"
        }
        await machine.run(for: .hours(2))
        #expect(world.published() == "prod-webapp-api-2026-01")
        #expect(world.findings == [mood == .refusesAdmin ? .adminTokenRefused : .gatewayUnreachable])
        world.isWell()
    }

    @Test func `an admin token that is first refused at a create is the gateway's trouble and no token's`() async throws {
        let world = World()
        world.with { $0.script[.create] = [.adminRefused] }
        var machine = Machine(world, [.sample(), .sample("worker"), .sample("third")])
        await machine.pass()
        // The others do not ask again what has been answered.
        #expect(world.calls(.create) == 1)
        #expect(world.findings == [.adminTokenRefused])
        world.with { $0.account.mood = .refusesAdmin }
        await machine.run(for: .hours(3))
        #expect(world.findings == [.adminTokenRefused])
        world.with { $0.account.mood = .well }
        await machine.run(for: .hours(3))
        #expect(world.alive.count == 3)
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `a gateway out of reach is one finding, asked ever more rarely`() async throws {
        let world = World()
        world.with { $0.account.mood = .unreachable }
        var machine = Machine(world, [.sample(), .sample("worker")], watchEvery: .days(1))
        await machine.run(for: .days(1))
        #expect(world.findings == [.gatewayUnreachable])
        #expect((5...30).contains(world.calls(.list)))
        world.with { $0.account.mood = .well }
        await machine.run(for: .days(1))
        #expect(world.findings.isEmpty)
        #expect(world.alive.count == 2)
        world.isWell()
    }

    @Test func `trouble at one gateway is not another's`() async throws {
        let other = GatewayName("other")
        let world = World(gateways: [.main, other])
        world.with { $0.accounts[other]?.mood = .unreachable }
        var machine = Machine(world, [.sample(), .sample("worker", gateway: other)])
        await machine.pass()
        #expect(world.published() == "prod-webapp-api-2026-01")
        #expect(world.published(.worker) == nil)
        world.with { $0.accounts[other]?.mood = .well }
        await machine.run(for: .minutes(10))
        #expect(world.published(.worker) == "prod-worker-api-2026-01")
        world.isWell()
    }

    @Test(arguments: [TimeInterval.minutes(-6), .minutes(6), .days(-400), .days(400)])
    func `a clock more than five minutes off the gateway's holds create and revoke`(error: TimeInterval) async throws {
        var (world, machine) = try await issued(watchEvery: .hours(1))
        world.ask(.rotate, .webapp)
        await machine.run(for: .hours(23.5))
        world.with { $0.clock.error = error }
        world.ask(.rotate, .webapp)
        await machine.run(for: .days(2))
        #expect(world.alive.count == 2)
        #expect(world.calls(.create) == 2)
        #expect(world.findings.contains(.clockOff))
        world.with { $0.clock.error = 0 }
        await machine.run(for: .days(3))
        #expect(!world.findings.contains(.clockOff))
        #expect(world.alive == [try #require(world.webapp.current)])
        world.isWell()
    }

    @Test func `a clock that is ahead does not end a temporary token`() async throws {
        var (world, machine) = try await issued(.sample(rotate: .never, expires: .after(.days(30))))
        world.with { $0.clock.error = .days(60) }
        await machine.run(for: .days(1))
        #expect(world.alive == ["prod-webapp-api-2026-01"])
        #expect(world.published() == "prod-webapp-api-2026-01")
        #expect(world.findings == [.clockOff])
        world.isWell()
    }

    @Test func `a reboot does not cut an overlap short, and does not begin it anew`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(1))
        world.ask(.rotate, .webapp)
        await machine.run(for: .hours(20))
        world.with { $0.clock.reboot() }
        machine.restart()
        await machine.run(for: .hours(3))
        #expect(world.alive.count == 2)
        await machine.run(for: .hours(5))
        #expect(world.alive.count == 1)
        world.isWell()
    }

    @Test func `a journal that cannot be written does nothing, and goes on when it can`() async throws {
        let world = World()
        world.with { $0.standing[.record] = .fails("disk full") }
        var machine = Machine(world, [.sample()])
        await machine.run(for: .hours(1))
        #expect(world.calls(.create) == 0)
        world.with { $0.standing[.record] = nil }
        await machine.pass()
        #expect(world.published() == "prod-webapp-api-2026-01")
        world.isWell()
    }

    @Test func `no secret is told`() async throws {
        let world = World()
        world.with { $0.keepsLog = true }
        var machine = Machine(world, [.sample(targets: [.sample("/etc/webapp/token", then: true)])])
        await machine.pass()
        world.ask(.rotate, .webapp)
        await machine.run(for: .days(3))
        world.with { $0.checkSilence() }
        #expect(world.with { $0.log.count } > 10)
        world.isWell()
    }
}
