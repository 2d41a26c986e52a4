import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

@Suite struct ScheduleTests {
    @Test func `a token is replaced when it is due and the old one is revoked after the overlap`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        await machine.run(for: .days(89.9))
        #expect(try world.webapp.current == "prod-webapp-api-2026-01")
        await machine.run(for: .days(0.2))
        #expect(try world.webapp.current == "prod-webapp-api-2026-04")
        #expect(world.alive == ["prod-webapp-api-2026-01", "prod-webapp-api-2026-04"])
        await machine.run(for: .hours(18))
        #expect(world.alive.count == 2)
        await machine.run(for: .hours(7))
        #expect(world.alive == ["prod-webapp-api-2026-04"])
        #expect(world.with { $0.keyring.record("prod-webapp-api-2026-01", of: .main) } == nil)
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `fifty tokens that fell due while nobody was there go by urgency, each once, as far as there is room`() async throws {
        let world = World()
        let policies = (10...59).map { number in
            TokenPolicy.sample("app\(number)", expires: number % 10 == 7 ? .after(.days(120)) : .never)
        }
        var machine = Machine(world, policies, watchEvery: .days(1), capacity: 60)
        await machine.pass()
        #expect(world.alive.count == 50)
        for number in [30, 41] { world.kill("prod-app\(number)-api-2026-01") }
        // Four months later: a month overdue, and the five that expire are about to.
        world.advance(by: .days(118.5))
        machine.restart()
        let before = world.with { $0.journal.history.count }
        await machine.pass()
        let minted = world.with { state in
            state.journal.history.dropFirst(before).filter { $0.code == "minted" }.map(\.token.text)
        }
        // The ten free places, and those of the two that are dead.
        #expect(minted.count == 12)
        #expect(Set(minted.prefix(2)) == ["prod-app30-api", "prod-app41-api"])
        #expect(Set(minted.dropFirst(2).prefix(5)) == Set([17, 27, 37, 47, 57].map { "prod-app\($0)-api" }))
        #expect(Set(minted).count == minted.count)
        // Places come free as overlaps end.
        machine.settings.gateways[.main]?.capacity = nil
        await machine.run(for: .hours(30))
        #expect(world.with { $0.journal.ledger.allSatisfy { $0.serial == 2 && $0.rotation == nil } })
        world.isWell()
    }

    @Test func `a due token waits for its window`() async throws {
        let window = try Window(parsing: "Thu 09:00-10:00")
        var (world, machine) = try await issued(.sample(rotate: .every(.days(7), window: window, jitter: .zero)), watchEvery: .hours(6))
        // Due on Monday the 12th at 10:00; the window opens on Thursday the 15th.
        await machine.run(for: .days(9.9))
        #expect(try world.webapp.serial == 1)
        await machine.run(for: .days(0.2))
        #expect(try world.webapp.serial == 2)
        world.isWell()
    }

    @Test func `use of the old one holds its revocation back until it is quiet`() async throws {
        let overlap = Overlap(atLeast: .hours(24), quietFor: .hours(2), atMost: .days(14))
        var (world, machine) = try await issued(.sample(overlap: overlap), watchEvery: .hours(6))
        world.ask(.rotate, .webapp)
        await machine.pass()
        let old = "prod-webapp-api-2026-01"
        for _ in 1...40 {
            world.use(old)
            await machine.run(for: .hours(1))
        }
        #expect(world.alive.contains(old))
        await machine.run(for: .hours(4))
        #expect(!world.alive.contains(old))
        world.isWell()
    }

    @Test func `an old one in use for longer than at_most is asked about and not revoked`() async throws {
        let overlap = Overlap(atLeast: .hours(1), quietFor: .hours(6), atMost: .days(2))
        var (world, machine) = try await issued(.sample(overlap: overlap), watchEvery: .hours(6))
        world.ask(.rotate, .webapp)
        await machine.pass()
        let old = "prod-webapp-api-2026-01"
        for _ in 1...30 {
            world.use(old)
            await machine.run(for: .hours(2))
        }
        #expect(world.findings == [.overlapTooLong])
        let sentence = "\(old) is not revoked 2d after it was replaced: it has not been quiet for 6h yet, last used at "
        #expect(world.sentences.first?.hasPrefix(sentence) == true)
        #expect(world.alive.contains(old))
        await machine.run(for: .days(1))
        #expect(!world.alive.contains(old))
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `a gateway that shows no use never counts as quiet`() async throws {
        let overlap = Overlap(atLeast: .hours(1), quietFor: .hours(1), atMost: .days(2))
        var (world, machine) = try await issued(.sample(overlap: overlap), watchEvery: .hours(6))
        world.with { state in
            state.account.showsUsage = false
            state.account.showsLastUse = false
        }
        world.ask(.rotate, .webapp)
        await machine.run(for: .days(3))
        #expect(world.alive.count == 2)
        #expect(world.findings == [.overlapTooLong])
        let sentence = "prod-webapp-api-2026-01 is not revoked 2d after it was replaced: no figures of its use are to be had, "
        #expect(world.sentences == [sentence + "so whether it is quiet is not known"])
        world.isWell()
    }

    @Test func `an old one that a target keeps alive for longer than at_most names the target and its error`() async throws {
        let target = TargetPolicy.sample("/etc/webapp/token", then: true)
        let policy = TokenPolicy.sample(overlap: Overlap(atLeast: .hours(1), atMost: .days(2)), targets: [target])
        var (world, machine) = try await issued(policy, watchEvery: .hours(6))
        world.ask(.rotate, .webapp)
        await machine.pass()
        world.with { state in
            state.places[.webapp]?.consumerTrouble = "busy"
            state.places[.webapp]?.content = "by hand"
        }
        await machine.run(for: .days(3))
        #expect(world.alive.count == 2)
        let said = world.sentences.first { $0.contains(" after it was replaced: ") }
        #expect(said == "prod-webapp-api-2026-01 is not revoked 2d after it was replaced: /etc/webapp/token: busy")
        world.isWell()
    }

    @Test func `a use that only the list shows holds the revocation back`() async throws {
        let overlap = Overlap(atLeast: .hours(1), quietFor: .hours(2), atMost: .days(14))
        var (world, machine) = try await issued(.sample(overlap: overlap), watchEvery: .days(1))
        world.with { $0.account.showsUsage = false }
        world.ask(.rotate, .webapp)
        await machine.pass()
        for _ in 1...10 {
            world.use("prod-webapp-api-2026-01")
            await machine.run(for: .hours(1))
        }
        #expect(world.alive.count == 2)
        await machine.run(for: .hours(5))
        #expect(world.alive.count == 1)
        world.isWell()
    }

    @Test func `a temporary token ends when it expires and its file is removed`() async throws {
        var (world, machine) = try await issued(.sample(rotate: .never, expires: .after(.days(3))), watchEvery: .hours(6))
        await machine.run(for: .days(2.9))
        #expect(world.published() == "prod-webapp-api-2026-01")
        await machine.run(for: .days(0.5))
        #expect(try world.webapp.ending == .expired)
        #expect(world.published() == nil)
        #expect(world.with { $0.places[.webapp]?.content } == nil)
        #expect(world.with { $0.keyring.record("prod-webapp-api-2026-01", of: .main) } == nil)
        await machine.run(for: .days(5))
        #expect(world.calls(.create) == 1)
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `an expired token's secret is taken out of a target that could not be written before, however long that lasts`() async throws
    {
        var (world, machine) = try await issued(.sample(rotate: .never, expires: .after(.days(3))), watchEvery: .hours(6))
        world.with { $0.places[.webapp]?.isWritable = false }
        await machine.run(for: .days(4))
        #expect(world.codes.contains("revoked") && world.findings == [.tokenStuck])
        world.with { $0.places[.webapp]?.isWritable = true }
        await machine.run(for: .days(1))
        #expect(world.with { $0.places[.webapp]?.content } == nil)
        #expect(!world.codes.contains("left-alone") && world.codes.contains("removed"))
        await machine.run(for: .hours(7))
        #expect(world.with { $0.keyring.record("prod-webapp-api-2026-01", of: .main) } == nil, "wiped once nothing needs it")
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `a token that expires is replaced in time, over and over`() async throws {
        var (world, machine) = try await issued(
            .sample(rotate: .every(.months(12), window: nil, jitter: .zero), expires: .after(.days(10))), watchEvery: .hours(12))
        await machine.run(for: .days(40))
        #expect((4...6).contains(world.calls(.create)))
        #expect(world.alive.contains(world.published() ?? ""))
        world.isWell()
    }

    @Test func `a fixed expires date is not run after with ever more rotations`() async throws {
        let end = World.start.addingTimeInterval(.days(20))
        var (world, machine) = try await issued(.sample(expires: .on(end)), watchEvery: .hours(12))
        await machine.run(for: .days(30))
        #expect(world.calls(.create) == 1)
        world.isWell()
    }
}
