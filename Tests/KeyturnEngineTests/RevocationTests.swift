import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

@Suite struct RevocationTests {
    @Test func `a revocation is over only when the secret is refused`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        world.with { $0.account.revocationLag = 1800 }
        world.ask(.revoke, .webapp)
        await machine.run(for: .minutes(25))
        #expect(!world.codes.contains("revoked"))
        #expect(world.with { $0.keyring.record("prod-webapp-api-2026-01", of: .main) } != nil)
        await machine.run(for: .hours(2))
        #expect(world.codes.contains("revoked"))
        #expect(world.with { $0.keyring.record("prod-webapp-api-2026-01", of: .main) } == nil)
        world.isWell()
    }

    @Test func `a revocation that was answered and not done is asked for again`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        world.with { $0.script[.revoke] = [.withoutEffect, .lostAfter] }
        world.ask(.revoke, .webapp)
        await machine.run(for: .hours(5))
        #expect(world.alive.isEmpty)
        #expect(world.codes.last == "revoked")
        world.isWell()
    }

    @Test func `a generation whose id is unknown is revoked when the list shows it`() async throws {
        let world = World()
        world.with { state in
            state.account.answersIDs = false
            state.account.listLag = 3000
        }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        #expect(try world.webapp.currentGeneration?.keyID == nil)
        world.ask(.revoke, .webapp)
        await machine.run(for: .minutes(40))
        #expect(!world.codes.contains("revoked"))
        await machine.run(for: .hours(2))
        #expect(world.alive.isEmpty)
        #expect(world.codes.last == "revoked")
        world.isWell()
    }

    @Test func `a generation that neither list nor models know yet is not taken for revoked`() async throws {
        let world = World()
        world.with { state in
            state.account.answersIDs = false
            (state.account.listLag, state.account.validityLag) = (1000, 1000)
        }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        world.ask(.revoke, .webapp)
        await machine.run(for: .hours(2))
        #expect(world.alive.isEmpty)
        world.isWell()
    }

    @Test func `the old one is not released while its replacement is refused`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(1))
        world.ask(.rotate, .webapp)
        await machine.run(for: .hours(23))
        world.with { $0.account.mood = .refusesTokens }
        await machine.run(for: .hours(3))
        #expect(world.alive.contains("prod-webapp-api-2026-01"))
        world.isWell()
    }

    @Test func `a person may revoke a replaced generation in spite of its use`() async throws {
        let overlap = Overlap(atLeast: .hours(1), quietFor: .hours(6), atMost: .days(2))
        var (world, machine) = try await issued(.sample(overlap: overlap), watchEvery: .hours(1))
        world.ask(.rotate, .webapp)
        await machine.pass()
        let old = "prod-webapp-api-2026-01"
        let current = world.ask(.revoke, .webapp, generation: "prod-webapp-api-2026-01-2")
        let unknown = world.ask(.revoke, .webapp, generation: "prod-webapp-api-2019-01")
        await machine.pass()
        #expect(world.request(current)?.refusal?.contains("is in use") == true)
        #expect(world.request(unknown)?.refusal?.contains("no living generation") == true)
        #expect(world.alive.count == 2)
        let asked = world.ask(.revoke, .webapp, generation: old)
        await machine.run(for: .minutes(10))
        #expect(world.request(asked)?.refusal == nil)
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        world.isWell()
    }

    @Test func `a person's word does not revoke what still lies in a target`() async throws {
        var (world, machine) = try await issued(.sample(targets: [.sample("/etc/webapp/token"), .sample("/etc/webapp/second")]))
        world.with { $0.script[.publish] = [nil, .fails("read-only"), .fails("read-only")] }
        world.ask(.rotate, .webapp)
        await machine.pass()
        let asked = world.ask(.revoke, .webapp, generation: "prod-webapp-api-2026-01")
        await machine.pass()
        #expect(world.request(asked)?.refusal != nil)
        #expect(world.alive.count == 2)
        world.isWell()
    }

    @Test func `a revocation that takes long is a finding until it is over`() async throws {
        var (world, machine) = try await issued()
        world.with { $0.standing[.revoke] = .withoutEffect }
        world.ask(.rotate, .webapp)
        await machine.run(for: .hours(24.9))
        #expect(!world.findings.contains(.revocationLate))
        await machine.run(for: .hours(3))
        #expect(world.findings.contains(.revocationLate))
        world.with { $0.standing[.revoke] = nil }
        await machine.run(for: .hours(12))
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `an old one that a list leaves out is not given up while its secret is accepted`() async throws {
        let overlap = Overlap(atLeast: .hours(24), quietFor: .hours(1), atMost: .days(14))
        var (world, machine) = try await issued(.sample(overlap: overlap), watchEvery: .hours(1))
        world.ask(.rotate, .webapp)
        await machine.pass()
        world.with { state in state.account.unlisted = Set(state.account.keys.prefix(1).map(\.id)) }
        // Beyond the reading on the eve of the overlap's end; what that gave up would be revoked as soon as it is listed again.
        await machine.run(for: .hours(23.2))
        world.with { $0.account.unlisted = [] }
        await machine.run(for: .hours(0.7))
        #expect(world.alive.count == 2)
        await machine.run(for: .hours(12))
        #expect(world.alive.count == 1)
        world.isWell()
    }

    @Test func `an old one that a list leaves out and whose secret is lost waits for its evidence like any other`() async throws {
        var (world, machine) = try await issued(.sample(overlap: Overlap(atLeast: .hours(24), atMost: .days(14))), watchEvery: .hours(1))
        world.ask(.rotate, .webapp)
        await machine.pass()
        world.with { state in
            state.account.unlisted = Set(state.account.keys.prefix(1).map(\.id))
            state.keyring.steal("prod-webapp-api-2026-01", of: .main)
        }
        await machine.run(for: .hours(23))
        // A bad hour: what replaces it is refused, and its list is not whole.
        world.with { $0.account.mood = .refusesTokens }
        await machine.run(for: .hours(3))
        world.with { state in
            state.account.unlisted = []
            state.account.mood = .well
        }
        #expect(!world.codes.contains("released"))
        await machine.run(for: .hours(12))
        #expect(!world.alive.contains("prod-webapp-api-2026-01"))
        world.isWell()
    }

    @Test func `an old one that somebody has ended is over with the next reading, not with the overlap`() async throws {
        let overlap = Overlap(atLeast: .hours(24), quietFor: .hours(1), atMost: .days(14))
        var (world, machine) = try await issued(.sample(overlap: overlap), watchEvery: .hours(1))
        world.ask(.rotate, .webapp)
        await machine.pass()
        world.kill("prod-webapp-api-2026-01")
        // A quiet time before the overlap's end.
        await machine.run(for: .hours(23.5))
        #expect(world.codes.contains("revoked"))
        #expect(world.with { $0.keyring.record("prod-webapp-api-2026-01", of: .main) } == nil)
        world.isWell()
    }
}
