import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

@Suite struct DeadTokenTests {
    @Test func `a dead generation takes no place of the account, so its successor has one`() async throws {
        let world = World()
        world.with { $0.account.capacity = 2 }
        var machine = Machine(world, [.sample(), .sample("worker")], capacity: 2)
        await machine.pass()
        #expect(world.alive.count == 2)
        world.kill("prod-webapp-api-2026-01")
        await machine.run(for: .hours(1))
        #expect(world.published() == "prod-webapp-api-2026-01-2")
        #expect(world.alive.count == 2)
        world.isWell()
    }

    @Test func `a token that the list shows revoked is replaced at the next watch, windows or not`() async throws {
        let window = try Window(parsing: "Sun 03:00-03:01")
        var (world, machine) = try await issued(.sample(rotate: .every(.months(3), window: window, jitter: .zero)))
        world.kill("prod-webapp-api-2026-01")
        await machine.run(for: .minutes(16))
        #expect(world.published() == "prod-webapp-api-2026-01-2")
        await machine.run(for: .days(2))
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        world.isWell()
    }

    @Test func `a token that is refused and still listed is dead after three trials over five minutes`() async throws {
        var (world, machine) = try await issued()
        world.with { state in
            for key in state.account.keys { state.account.change(key.id) { $0.validFrom = .distantFuture } }
        }
        await machine.run(for: .minutes(19))
        #expect(world.calls(.create) == 1)
        await machine.run(for: .minutes(4))
        #expect(world.published() == "prod-webapp-api-2026-01-2")
        world.isWell()
    }

    @Test func `a token that only looked dead is stuck no longer once it is accepted again`() async throws {
        var (world, machine) = try await issued()
        world.with { $0.account.mood = .refusesTokens }
        await machine.run(for: .hours(3))
        // Not while another one is on its way, which would be in time.
        for _ in 1...30 where try world.webapp.rotation != nil { await machine.run(for: .minutes(5)) }
        #expect(world.findings == [.tokenStuck], "it seems dead, and so does all that is to replace it")
        let created = world.calls(.create)
        world.with { $0.account.mood = .well }
        await machine.run(for: .hours(1))
        #expect(world.findings.isEmpty, "\(world.sentences)")
        #expect(try world.webapp.attempts == Attempts())
        #expect(world.published() == "prod-webapp-api-2026-01" && world.calls(.create) == created)
        world.isWell()
    }

    @Test func `a secret that is gone from a whole keyring is replaced at once`() async throws {
        var (world, machine) = try await issued()
        world.with { $0.keyring.steal("prod-webapp-api-2026-01", of: .main) }
        await machine.run(for: .minutes(16))
        #expect(world.published() == "prod-webapp-api-2026-01-2")
        await machine.run(for: .days(2))
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        world.isWell()
    }

    @Test func `a secret that cannot be read is not gone, and is nobody else's trouble`() async throws {
        let world = World()
        var machine = Machine(world, [.sample(), .sample("worker")])
        await machine.pass()
        world.with { _ = $0.keyring.unreadable.insert("prod-webapp-api-2026-01") }
        world.kill("prod-worker-api-2026-01")
        await machine.run(for: .hours(1))
        #expect(world.alive.contains("prod-webapp-api-2026-01"))
        #expect(!world.alive.contains("prod-webapp-api-2026-01-2"))
        #expect(world.published(.worker) == "prod-worker-api-2026-01-2")
        world.isWell()
    }

    @Test func `more than three dead at once replaces none and asks a person once`() async throws {
        let world = World()
        let projects = ["alpha", "beta", "gamma", "delta", "epsilon"]
        var machine = Machine(world, projects.map { .sample($0) })
        await machine.pass()
        for project in projects.prefix(4) { world.kill("prod-\(project)-api-2026-01") }
        await machine.run(for: .hours(3))
        #expect(world.calls(.create) == 5)
        #expect(world.findings == [.manyDead])
        #expect(world.with { $0.journal.findingChanges.filter { $0.contains("many-dead") } } == ["opened many-dead  main"])

        // A person says of one that it is really dead; the other three are no longer many.
        world.ask(.rotate, TokenName("prod-alpha-api"))
        await machine.run(for: .hours(1))
        #expect(world.alive.count == 5)
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `a gateway that answers 401 to everybody revokes and replaces nobody`() async throws {
        var (world, machine) = try await issued()
        world.ask(.rotate, .webapp)
        await machine.run(for: .hours(23))
        let alive = world.alive
        world.with { $0.account.mood = .refusesEverybody }
        await machine.run(for: .days(3))
        #expect(world.alive == alive)
        #expect(world.calls(.create) == 2)
        #expect(world.findings == [.adminTokenRefused])
        world.with { $0.account.mood = .well }
        await machine.run(for: .days(1))
        #expect(world.alive == [try #require(world.webapp.current)])
        #expect(world.findings.isEmpty)
        world.isWell()
    }
}
