import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

@Suite struct VerifyTests {
    @Test func `a new secret that lacks a model is withdrawn and the old one stays`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        world.with { $0.account.modelsOfNewKeys = ["gpt-4"] }
        let request = world.ask(.rotate, .webapp)
        await machine.run(for: .minutes(2))
        #expect(world.published() == "prod-webapp-api-2026-01")
        #expect(world.alive == ["prod-webapp-api-2026-01"])
        #expect(world.told.contains { $0.contains("lacks claude-3-opus") })
        let rotation = try #require(world.request(request)?.rotation)
        #expect(world.with { $0.journal.rotation(rotation)?.phase } == .abandoned)
        world.isWell()
    }

    @Test func `401 right after create is lag and no reason to withdraw`() async throws {
        let world = World()
        world.with { $0.account.validityLag = 200 }
        var machine = Machine(world, [.sample()])
        await machine.run(for: .minutes(10))
        #expect(world.alive == ["prod-webapp-api-2026-01"])
        #expect(world.published() == "prod-webapp-api-2026-01")
        #expect(world.calls(.create) == 1)
        world.isWell()
    }

    @Test func `a secret that is never accepted is withdrawn after five minutes`() async throws {
        let world = World()
        world.with { $0.account.validityLag = .days(1000) }
        var machine = Machine(world, [.sample()])
        await machine.run(for: .minutes(4.9))
        #expect(world.calls(.create) == 1)
        #expect(world.codes.contains("refused-once"))
        #expect(!world.codes.contains("revoked"))
        await machine.run(for: .minutes(0.2))
        #expect(world.codes.contains("revoked"))
        world.isWell()
    }

    @Test func `one whose id was only inferred is withdrawn as well, though a refusal is all that is known of its secret`() async throws {
        let world = World()
        world.with { $0.account.answersIDs = false }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        world.with { $0.account.validityLag = .days(1000) }
        world.ask(.rotate, .webapp)
        // Until the gateway must list it, the key of its name may be another's.
        await machine.run(for: .minutes(50))
        #expect(!world.codes.contains("revoked"))
        await machine.run(for: .minutes(30))
        #expect(world.codes.contains("revoked"), "\(world.codes)")
        #expect(!world.codes.contains("confused"))
        #expect(world.alive.first == "prod-webapp-api-2026-01" && !world.alive.contains("prod-webapp-api-2026-01-2"))
        world.isWell()
    }

    @Test func `a new generation that dies while it is delivered is withdrawn and the old one put back`() async throws {
        let targets: [TargetPolicy] = [.sample("/etc/webapp/token"), .sample("/etc/worker/token", then: true)]
        var (world, machine) = try await issued(.sample(targets: targets))
        world.with { $0.places[.worker]?.consumerTrouble = "busy" }
        world.ask(.rotate, .webapp)
        await machine.pass()
        #expect(world.published() == "prod-webapp-api-2026-01-2")
        world.kill("prod-webapp-api-2026-01-2")
        world.with { $0.places[.worker]?.consumerTrouble = nil }
        await machine.run(for: .minutes(20))
        #expect(world.published() != "prod-webapp-api-2026-01-2")
        #expect(world.alive.contains(world.published() ?? ""))
        #expect(world.alive.contains(world.published(.worker) ?? ""))
        world.isWell()
    }

    @Test func `a new secret that is gone before it is everywhere is withdrawn`() async throws {
        let targets: [TargetPolicy] = [.sample("/etc/webapp/token"), .sample("/etc/worker/token")]
        var (world, machine) = try await issued(.sample(targets: targets))
        world.with { $0.script[.publish] = [nil, .fails("full")] }
        world.ask(.rotate, .webapp)
        await machine.pass()
        world.with { $0.keyring.steal("prod-webapp-api-2026-01-2", of: .main) }
        await machine.run(for: .hours(1))
        #expect(world.published() == world.published(.worker))
        #expect(world.alive.contains(world.published() ?? ""))
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `a withdrawal ends though its target has left the policy`() async throws {
        let targets: [TargetPolicy] = [.sample("/etc/webapp/token"), .sample("/etc/worker/token", then: true)]
        var (world, machine) = try await issued(.sample(targets: targets))
        world.ask(.rotate, .webapp)
        world.with { $0.script[.take] = Array(repeating: .fails("busy"), count: 1000) }
        await machine.pass()
        world.with { $0.keyring.steal("prod-webapp-api-2026-01-2", of: .main) }
        world.kill("prod-webapp-api-2026-01-2")
        await machine.run(for: .minutes(30))
        #expect(try world.webapp.rotation?.phase == .withdrawing)
        world.with { $0.places[.worker]?.isManaged = false }
        machine.policies = [.sample(targets: [targets[0]])]
        await machine.run(for: .hours(7))
        #expect(try world.webapp.rotation == nil)
        #expect(world.alive.contains(world.published() ?? ""))
        world.isWell()
    }
}
