import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

@Suite struct SimulationTests {
    @Test func `a thousand seeds of trouble break no promise and come to rest`() async {
        let report = await Seeds(1..<1001, size: .short).run { $0.failures.count < 3 }
        for failure in report.failures { Issue.record("\(failure.violations.joined(separator: "; ")): \(failure.command)") }
        #expect(report.failures.isEmpty)
        #expect(report.seeds == 1000)
        // It is no simulation of trouble that meets none.
        #expect(report.deaths > 1000 && report.finished > 1000 && report.abandoned > 50)
        #expect(report.faults.count >= 12, "\(report.faults)")
        print(report.table(in: nil))
    }

    @Test(arguments: [UInt64(3), 17, 90]) func `a seed repeats itself call by call`(seed: UInt64) async {
        var first = Simulation(seed: seed, size: .short, keepsTrace: true)
        var second = Simulation(seed: seed, size: .short, keepsTrace: true)
        let reports = (await first.run(), await second.run())
        #expect(reports.0 == reports.1)
        let traces = (first.world.look { $0.trace }, second.world.look { $0.trace })
        #expect(traces.0.count > 100)
        #expect(traces.0 == traces.1)
    }

    @Test func `a seed of two gateways, at which a pass is at once, repeats itself too`() async throws {
        let seeds = (UInt64(1)...200).filter { Simulation(seed: $0, size: .short).world.look { $0.accounts.count } == 2 }.prefix(8)
        try #require(seeds.count == 8)
        for seed in seeds {
            var first = Simulation(seed: seed, size: .short, keepsTrace: true)
            var second = Simulation(seed: seed, size: .short, keepsTrace: true)
            _ = (await first.run(), await second.run())
            #expect(first.world.look { $0.trace } == second.world.look { $0.trace }, "seed \(seed)")
        }
    }

    @Test func `another seed is another life`() async {
        var first = Simulation(seed: 1, size: .short, keepsTrace: true)
        var second = Simulation(seed: 2, size: .short, keepsTrace: true)
        _ = (await first.run(), await second.run())
        #expect(first.world.look { $0.trace } != second.world.look { $0.trace })
    }
}

/// Each promise is broken once behind the engine's back, and has to be told.
@Suite struct InvariantTests {
    private func violations(_ world: World) -> String { world.look { $0.violations.joined(separator: "\n") } }

    @Test func `a keyring that loses the secret of a living generation is told`() async throws {
        let (world, _) = try await issued()
        world.with { $0.keyring.records = [.main: [:]] }
        #expect(violations(world).contains("alive and held, and its secret is not in the keyring"))
    }

    @Test func `a secret that leaked and is delivered again is told`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        let secret = world.with { $0.places[.webapp]?.content } ?? ""
        world.with { $0.account.revocationLag = 3600 }
        world.ask(.leak, .webapp, mode: .containFirst)
        await machine.pass()
        try #require(violations(world).isEmpty)
        try world.ports().delivery(.sample("/etc/webapp/token"), .sample()).publish(Secret(secret))
        #expect(violations(world).contains("a secret that leaked was delivered to /etc/webapp/token"))
    }

    @Test func `a key that the journal does not know is told`() async throws {
        let (world, _) = try await issued()
        world.with { state in state.account.land(state.account.makeKey(named: "prod-webapp-api-2026-07", by: .keyturn, at: state.now)) }
        #expect(violations(world).contains("alive and unknown to the journal"))
    }

    @Test func `a revocation of what consumers read is told`() async throws {
        let (world, _) = try await issued()
        world.with { state in state.account.end(state.account.keys[0].id, by: .keyturn, at: state.now) }
        #expect(violations(world).contains("holds prod-webapp-api-2026-01, which Keyturn revoked"))
    }

    @Test func `a revocation of another's key is told`() async throws {
        let (world, _) = try await issued()
        let id = world.with { state in
            let key = state.account.makeKey(named: "somebody", by: .others, at: state.now)
            state.account.land(key)
            return key.id
        }
        try await world.ports().gateways[.main]?.revoke(id)
        #expect(violations(world).contains("which is another's, was revoked"))
    }

    @Test func `a release before the overlap is over is told`() async throws {
        let policy = TokenPolicy.sample(overlap: Overlap(atLeast: .hours(24), quietFor: .hours(1)))
        let (world, token) = try await retiring(policy)
        try release(token, in: world)
        #expect(violations(world).contains("was released after 0 s of an overlap of 86400 s"))
    }

    @Test func `a release of what was just used is told`() async throws {
        let policy = TokenPolicy.sample(overlap: Overlap(atLeast: .zero, quietFor: .hours(1)))
        let (world, token) = try await retiring(policy)
        world.use("prod-webapp-api-2026-01")
        world.advance(by: .minutes(30))
        try release(token, in: world)
        #expect(violations(world).contains("was released 1800 s after its last use, not 1h"))
    }

    @Test func `a release before a target holds the successor is told`() async throws {
        let policy = TokenPolicy.sample(overlap: Overlap(atLeast: .zero, quietFor: .hours(1)))
        let (world, token) = try await retiring(policy)
        let now = world.look { $0.now }
        world.with { $0.places[.webapp]?.edit("something else", at: now) }
        try release(token, in: world)
        #expect(violations(world).contains("was released while /etc/webapp/token does not hold prod-webapp-api-2026-01-2"))
    }

    @Test func `an adoption of what nobody offered is told`() async throws {
        let world = World()
        let key = world.with { state in
            let key = state.account.makeKey(named: "prod-webapp-api-2025-11", by: .others, at: state.now)
            state.account.land(key)
            return key
        }
        var token = Token(name: .webapp, environment: "prod", gateway: .main)
        token.generations = [Generation(name: key.name, keyID: key.id, state: .held, intendedAt: key.createdAt, signature: "")]
        try world.ports().journal.record(token, [])
        #expect(violations(world).contains("which is another's, was taken over"))
    }

    @Test func `a secret in the log is told`() async throws {
        let (world, _) = try await issued()
        world.with { state in
            state.log.append("trouble with \(state.account.keys[0].secret)")
            state.checkSilence()
        }
        #expect(violations(world).contains("a secret is told"))
    }

    @Test func `a pass that does not end is stopped and told`() async throws {
        var (world, machine) = try await issued()
        world.with { $0.budget = 3 }
        await machine.pass()
        #expect(violations(world).contains("a pass without an end"))
    }

    @Test func `a process that lives on after its successor began has no effect`() async throws {
        let (world, _) = try await issued()
        let first = world.ports()
        #expect(world.portsIfUndriven() == nil)
        _ = world.ports()
        #expect(throws: JournalError.self) { try first.journal.ledger() }
    }

    /// A token with its second generation in use and the first retiring.
    private func retiring(_ policy: TokenPolicy) async throws -> (World, Token) {
        var (world, machine) = try await issued(policy)
        world.with { $0.witness.policies = [policy.name: policy] }
        world.ask(.rotate, .webapp)
        await machine.pass()
        let token = try world.webapp
        try #require(token.generation("prod-webapp-api-2026-01")?.state == .retiring)
        return (world, token)
    }

    private func release(_ token: Token, in world: World) throws {
        var token = token
        try token.advance(.released("prod-webapp-api-2026-01"), for: nil, at: world.moment)
        try world.ports().journal.record(token, [])
    }
}
