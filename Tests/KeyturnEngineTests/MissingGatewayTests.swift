import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

/// A gateway that was taken out of the settings while tokens live there.
@Suite struct MissingGatewayTests {
    private static let old = GatewayName("old")

    /// A pass of a process whose settings name the main gateway alone.
    private func pass(_ world: World, _ policies: [TokenPolicy]) async throws -> Keeper.Outlook {
        var (ports, settings) = (world.ports(), Machine(world, policies).settings)
        ports.gateways[MissingGatewayTests.old] = nil
        settings.gateways[MissingGatewayTests.old] = nil
        return try await Keeper(ports: ports, policies: policies, settings: settings, log: world.logger()).pass(watches: true)
    }

    private func issued(_ policies: [TokenPolicy]) async -> World {
        let world = World(gateways: [.main, MissingGatewayTests.old])
        var machine = Machine(world, policies)
        await machine.pass()
        return world
    }

    @Test func `is one finding, however many tokens live there, until it is back`() async throws {
        let policies = [TokenPolicy.sample(gateway: MissingGatewayTests.old), .sample("worker", gateway: MissingGatewayTests.old)]
        let world = await issued(policies)
        for _ in 1...2 { _ = try await pass(world, []) }
        #expect(world.findings.filter { $0 == .gatewayMissing }.count == 1)
        #expect(
            world.sentences.contains(
                "2 tokens live at old, which keyturn.yaml no longer names; nothing of them is rotated or revoked"))
        var machine = Machine(world, policies)
        await machine.pass()
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `rotates nothing, says so of those that are asked for elsewhere, and wakes nobody`() async throws {
        let world = await issued([.sample(gateway: MissingGatewayTests.old)])
        world.kill("prod-webapp-api-2026-01")
        // Due at once, if it could be.
        let moved = TokenPolicy.sample(attributes: Attributes(models: .only(["gpt-4"])))
        let outlook = try await pass(world, [moved])
        #expect(outlook.nextLook == nil)
        #expect(Set(world.findings) == [.gatewayMissing, .gatewayChanged])
        #expect(
            world.sentences.contains(
                "prod-webapp-api is asked for at main and lives at old, which keyturn.yaml no longer names: it is not rotated"))
        world.isWell()
    }

    @Test func `ends nothing that left the policies, and promises no end of it`() async throws {
        let world = await issued([.sample(whenRemoved: .revoke(after: .days(1)), gateway: MissingGatewayTests.old)])
        _ = try await pass(world, [])
        world.advance(by: .days(2))
        let outlook = try await pass(world, [])
        #expect(outlook.nextLook == nil)
        #expect(world.sentences.contains("prod-webapp-api has left the policies; prod-webapp-api-2026-01 stays alive"))
        world.isWell()
    }

    @Test(arguments: [Request.Verb.rotate, .revoke])
    func `has what is asked of its tokens refused, for nobody could carry it out`(verb: Request.Verb) async throws {
        let policy = TokenPolicy.sample(gateway: MissingGatewayTests.old)
        let world = await issued([policy])
        let request = world.ask(verb, .webapp)
        _ = try await pass(world, [policy])
        let refusal = try #require(world.request(request)?.refusal)
        #expect(refusal.hasPrefix("prod-webapp-api lives at old, which keyturn.yaml does not name"))
        #expect(try world.webapp.ending == nil && world.webapp.rotation == nil)
        world.isWell()
    }

    @Test func `of which nothing lives any more is nobody's trouble`() async throws {
        let policy = TokenPolicy.sample(gateway: MissingGatewayTests.old)
        let world = World(gateways: [.main, MissingGatewayTests.old])
        var machine = Machine(world, [policy])
        await machine.pass()
        _ = try await pass(world, [])
        #expect(world.findings.contains(.gatewayMissing))
        world.ask(.revoke, .webapp)
        machine = Machine(world, [])
        await machine.run(for: .hours(1))
        _ = try await pass(world, [])
        #expect(world.findings.isEmpty)
        world.isWell()
    }
}
