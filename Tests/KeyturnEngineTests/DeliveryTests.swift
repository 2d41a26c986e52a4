import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

@Suite struct DeliveryTests {
    @Test func `a target that cannot be written is found before anything is created`() async throws {
        let world = World()
        world.with { state in
            var place = Place()
            place.isWritable = false
            state.places[.webapp] = place
        }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        #expect(world.calls(.create) == 0)
        #expect(world.sentences == ["prod-webapp-api is stuck: /etc/webapp/token: permission denied"])
        world.with { $0.places[.webapp]?.isWritable = true }
        await machine.run(for: .minutes(1))
        #expect(world.published() == "prod-webapp-api-2026-01")
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `a consumer that fails is tried again ever more rarely, shown as stuck, and holds the revocation back`() async throws {
        var (world, machine) = try await issued(.sample(targets: [.sample("/etc/webapp/token", then: true)]), watchEvery: .hours(6))
        world.with { $0.places[.webapp]?.consumerTrouble = "unit webapp.service failed" }
        world.ask(.rotate, .webapp)
        let before = world.calls(.take)
        await machine.run(for: .days(3))
        #expect(world.sentences == ["prod-webapp-api is stuck: unit webapp.service failed"])
        #expect((10...30).contains(world.calls(.take) - before))
        #expect(world.alive.count == 2)

        world.with { $0.places[.webapp]?.consumerTrouble = nil }
        await machine.run(for: .days(2))
        #expect(world.findings.isEmpty)
        #expect(world.alive == [try #require(world.webapp.current)])
        world.isWell()
    }

    @Test func `a consumer that is slow to take it up is asked until it confirms`() async throws {
        var (world, machine) = try await issued(
            .sample(targets: [.sample("/etc/webapp/token", then: true, confirm: true)]), watchEvery: .hours(6))
        world.with { $0.places[.webapp]?.slowness = 600 }
        world.ask(.rotate, .webapp)
        await machine.run(for: .minutes(5))
        #expect(try world.webapp.rotation?.phase == .applying)
        #expect(world.calls(.take) == 2)
        await machine.run(for: .hours(1))
        #expect(try world.webapp.rotation == nil)
        #expect(world.calls(.take) == 2)
        await machine.run(for: .days(2))
        #expect(world.alive.count == 1)
        world.isWell()
    }

    @Test func `one target that fails does not hold up another`() async throws {
        let targets: [TargetPolicy] = [.sample("/etc/webapp/token"), .sample("/etc/worker/token")]
        let world = World()
        world.with { $0.script[.publish] = [.fails("no space left on device")] }
        var machine = Machine(world, [.sample(targets: targets)])
        await machine.pass()
        #expect(world.published() == nil)
        #expect(world.published(.worker) == "prod-webapp-api-2026-01")
        await machine.run(for: .minutes(1))
        #expect(world.published() == "prod-webapp-api-2026-01")
        world.isWell()
    }

    @Test func `a target that leaves the policy in mid-flight does not hold the rotation up`() async throws {
        let targets: [TargetPolicy] = [.sample("/etc/webapp/token"), .sample("/etc/worker/token")]
        var (world, machine) = try await issued(.sample(targets: targets), watchEvery: .hours(6))
        world.with { $0.places[.worker]?.isWritable = true }
        world.with { $0.script[.publish] = [nil] + Array(repeating: .fails("gone"), count: 100) }
        world.ask(.rotate, .webapp)
        await machine.pass()
        #expect(try world.webapp.rotation?.phase == .publishing)
        world.with { $0.places[.worker]?.isManaged = false }
        machine.policies = [.sample(targets: [targets[0]])]
        await machine.run(for: .hours(1))
        #expect(try world.webapp.rotation == nil)
        await machine.run(for: .days(3))
        #expect(world.alive == [try #require(world.webapp.current)])
        world.isWell()
    }

    @Test func `a target that leaves the policy does not keep the old generation alive for ever`() async throws {
        let targets: [TargetPolicy] = [.sample("/etc/webapp/token"), .sample("/etc/worker/token")]
        var (world, machine) = try await issued(.sample(targets: targets), watchEvery: .hours(6))
        world.with { $0.places[.worker]?.isManaged = false }
        machine.policies = [.sample(targets: [targets[0]])]
        world.ask(.rotate, .webapp)
        await machine.run(for: .days(3))
        #expect(world.alive == [try #require(world.webapp.current)])
        world.isWell()
    }

    @Test func `a target that joins the policy gets the generation in use`() async throws {
        var (world, machine) = try await issued()
        machine.policies = [.sample(targets: [.sample("/etc/webapp/token"), .sample("/etc/worker/token")])]
        await machine.pass()
        #expect(world.published(.worker) == "prod-webapp-api-2026-01")
        #expect(world.calls(.create) == 1)
        world.isWell()
    }

    @Test(arguments: ["sk-of-somebody-else", nil])
    func `a target that somebody changed is delivered again`(content: String?) async throws {
        var (world, machine) = try await issued(.sample(targets: [.sample("/etc/webapp/token", then: true)]), watchEvery: .hours(1))
        let taken = world.calls(.take)
        world.with { $0.places[.webapp]?.content = content }
        await machine.run(for: .hours(2))
        #expect(world.published() == "prod-webapp-api-2026-01")
        #expect(world.codes.count { $0 == "drifted" } == 1)
        // Its consumer may have read the wrong one: it is told again.
        #expect(world.calls(.take) == taken + 1)
        world.isWell()
    }

    @Test func `a target that somebody changed back in an overlap keeps the old one alive until it is delivered again`() async throws {
        var (world, machine) = try await issued(watchEvery: .days(30))
        let old = world.with { $0.places[.webapp]?.content }
        world.ask(.rotate, .webapp)
        await machine.run(for: .hours(23))
        world.with { state in
            state.places[.webapp]?.content = old
            state.standing[.publish] = .fails("read-only")
        }
        await machine.run(for: .hours(30))
        #expect(world.alive.contains("prod-webapp-api-2026-01"))
        world.with { $0.standing[.publish] = nil }
        await machine.run(for: .hours(10))
        #expect(world.published() == "prod-webapp-api-2026-01-2")
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        world.isWell()
    }

    @Test func `a target that never keeps its content is written ever more rarely, and holds the revocation back`() async throws {
        var (world, machine) = try await issued(watchEvery: .days(30))
        world.ask(.rotate, .webapp)
        await machine.run(for: .hours(23))
        world.with { $0.places[.webapp]?.losesContent = true }
        world.with { $0.places[.webapp]?.content = nil }
        let before = world.calls(.publish)
        await machine.run(for: .hours(6))
        #expect(world.alive.contains("prod-webapp-api-2026-01"))
        #expect((1...40).contains(world.calls(.publish) - before))
        world.with { $0.places[.webapp]?.losesContent = false }
        await machine.run(for: .hours(12))
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
    }

    @Test func `a target of which nobody knows what it holds keeps the old one alive, policy or none`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(1))
        let old = world.with { $0.places[.webapp]?.content }
        world.ask(.rotate, .webapp)
        await machine.run(for: .hours(20))
        world.with { state in
            state.places[.webapp]?.content = old
            state.standing[.publish] = .fails("read-only")
        }
        await machine.run(for: .hours(2))
        machine.policies = []
        await machine.run(for: .days(3))
        #expect(world.alive.contains("prod-webapp-api-2026-01"))
    }
}
