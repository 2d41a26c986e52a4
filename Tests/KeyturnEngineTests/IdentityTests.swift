import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

@Suite("Only what is known to be ours is revoked") struct IdentityTests {
    private static let first = "prod-webapp-api-2026-01"
    private static let second = "prod-webapp-api-2026-01-2"

    /// Somebody else makes a key of that name.
    private func addOthers(_ name: String, to world: World) {
        world.with { state in state.account.land(state.account.makeKey(named: name, by: .others, at: state.now)) }
    }

    private func end(_ maker: Key.Maker, _ name: String, in world: World) {
        world.with { state in
            for key in state.account.keys where key.maker == maker && key.name == name {
                state.account.end(key.id, by: .others, at: state.now)
            }
        }
    }

    /// A world whose gateway tells no ids in its answers, with one token that has its first generation.
    private func untold() async throws -> (World, Machine) {
        let world = World()
        world.with { $0.account.answersIDs = false }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        try #require(world.webapp.currentGeneration?.identity == .alone)
        return (world, machine)
    }

    @Test func `where the id was inferred, a second key of its name makes both untouchable for ever`() async throws {
        var (world, machine) = try await untold()
        addOthers(IdentityTests.first, to: world)
        world.ask(.rotate, .webapp)
        await machine.run(for: .days(3))
        #expect(world.alive == [IdentityTests.first, IdentityTests.first, IdentityTests.second])
        #expect(world.findings.contains(.ambiguousKey) && world.findings.contains(.tokenStuck))
        // Whoever made the other one deletes it: what remains could as well be theirs, had they deleted ours.
        end(.others, IdentityTests.first, in: world)
        await machine.run(for: .days(3))
        #expect(world.alive == [IdentityTests.first, IdentityTests.second])
        // The person who was asked finds ours unused and ends it.
        end(.keyturn, IdentityTests.first, in: world)
        await machine.run(for: .days(1))
        #expect(world.alive == [IdentityTests.second])
        #expect(world.findings.isEmpty, "\(world.sentences)")
        world.isWell()
    }

    @Test func `a second key of an inferred name that only the list before the revocation shows is in time to stop it`() async throws {
        var (world, machine) = try await untold()
        world.ask(.rotate, .webapp)
        await machine.pass()
        // Nobody looks between the end of the overlap and the revocation.
        world.advance(by: .days(1) + 60)
        addOthers(IdentityTests.first, to: world)
        await machine.pass(watches: false)
        #expect(world.codes.contains("released") && world.codes.contains("confused"))
        #expect(world.alive.sorted() == [IdentityTests.first, IdentityTests.first, IdentityTests.second])
        world.isWell()
    }

    @Test func `where ours was ended by hand before any list showed it, a key of another under its name is not revoked`() async throws {
        let world = World()
        world.with { state in
            state.account.answersIDs = false
            state.account.listLag = 7200
        }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        try #require(world.webapp.currentGeneration?.keyID == nil)
        end(.keyturn, IdentityTests.first, in: world)
        world.with { state in
            for key in state.account.keys { state.account.change(key.id) { $0.isDeleted = true } }
            state.account.listLag = 0
        }
        addOthers(IdentityTests.first, to: world)
        await machine.run(for: .hours(1))
        #expect(try world.webapp.current == IdentityTests.second, "ours is dead, and replaced")
        await machine.run(for: .days(3))
        #expect(world.alive == [IdentityTests.first, IdentityTests.second])
        #expect(world.findings.contains(.tokenStuck), "a person is asked whose it is")
        world.isWell()
    }

    @Test func `for one that was never accepted and is not listed yet no other key of its name is revoked`() async throws {
        let world = World()
        world.with { state in
            state.account.answersIDs = false
            (state.account.listLag, state.account.validityLag) = (1800, 7200)
        }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        world.with { state in (state.account.listLag, state.account.validityLag) = (0, 0) }
        addOthers(IdentityTests.first, to: world)
        await machine.run(for: .days(2))
        // Its secret was not accepted in time, so it is withdrawn; until the hour is over nothing is revoked.
        #expect(world.codes.contains("revoke-failed") && world.codes.contains("confused"))
        #expect(world.with { $0.account.keys.allSatisfy { $0.maker == .keyturn || $0.endedBy == nil } })
        #expect(world.findings.contains(.ambiguousKey), "\(world.sentences)")
        world.isWell()
    }

    @Test func `an inferred id is not revoked while the record that could prove it cannot be read`() async throws {
        var (world, machine) = try await untold()
        world.ask(.rotate, .webapp)
        await machine.run(for: .hours(1))
        world.with { _ = $0.keyring.unreadable.insert(IdentityTests.first) }
        await machine.run(for: .days(2))
        #expect(world.alive == [IdentityTests.first, IdentityTests.second])
        #expect(world.findings.contains(.tokenStuck) || world.findings.contains(.secretUnreadable), "\(world.sentences)")
        world.with { _ = $0.keyring.unreadable.remove(IdentityTests.first) }
        await machine.run(for: .days(2))
        #expect(world.alive == [IdentityTests.second])
        world.isWell()
    }

    @Test func `an inferred id is given up when another key takes the name after it left the list`() async throws {
        var (world, machine) = try await untold()
        world.ask(.rotate, .webapp)
        await machine.run(for: .hours(1))
        // The list forgets ours and shows another's in its place.
        world.with { state in
            let later = state.now.addingTimeInterval(.days(9))
            for key in state.account.keys where key.name == IdentityTests.first { state.account.change(key.id) { $0.listedFrom = later } }
        }
        addOthers(IdentityTests.first, to: world)
        await machine.run(for: .days(3))
        #expect(world.codes.contains("confused"))
        #expect(world.with { $0.account.keys.allSatisfy { $0.maker == .keyturn || $0.endedBy == nil } })
        world.isWell()
    }

    @Test func `a told id is revoked whoever else bears its name, and the other one is told of`() async throws {
        var (world, machine) = try await issued()
        addOthers(IdentityTests.first, to: world)
        world.ask(.rotate, .webapp)
        await machine.run(for: .days(2))
        #expect(world.with { state in state.account.living(named: IdentityTests.first, at: state.now).map(\.maker) } == [.others])
        #expect(world.findings == [.unknownKey])
        world.isWell()
    }

    @Test func `a masked key in the list tells ours from another of its name`() async throws {
        var (world, machine) = try await untold()
        world.with { $0.account.showsMasks = true }
        addOthers(IdentityTests.first, to: world)
        world.ask(.rotate, .webapp)
        await machine.run(for: .days(2))
        #expect(world.with { state in state.account.living(named: IdentityTests.first, at: state.now).map(\.maker) } == [.others])
        world.isWell()
    }

    @Test func `ours having been ended by hand before its id was known, another's masked key of its name ends the wait`() async throws {
        let world = World()
        world.with { state in
            (state.account.answersIDs, state.account.showsMasks) = (false, true)
            state.account.listLag = 7200
        }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        try #require(world.webapp.currentGeneration?.keyID == nil)
        world.with { state in
            for key in state.account.keys { state.account.change(key.id) { $0.isDeleted = true } }
            state.account.listLag = 0
        }
        end(.keyturn, IdentityTests.first, in: world)
        addOthers(IdentityTests.first, to: world)
        await machine.run(for: .days(2))
        #expect(world.alive.sorted() == [IdentityTests.first, IdentityTests.second])
        #expect(world.findings == [.unknownKey], "\(world.sentences)")
        world.isWell()
    }

    @Test func `adopt takes a masked key in the list for proof, and refuses a name that is another key's`() async throws {
        let world = World()
        world.with { state in
            state.account.showsMasks = true
            for month in ["2025-10", "2025-11"] {
                state.account.land(state.account.makeKey(named: "prod-webapp-api-\(month)", by: .keyturn, at: state.now))
            }
            state.files["/found"] = state.account.keys[0].secret
            state.standing[.create] = .fails("not now")
        }
        var machine = Machine(world, [.sample()])
        let wrong = world.ask(.adopt, .webapp, file: "/found", generation: "prod-webapp-api-2025-11")
        await machine.pass()
        #expect(world.request(wrong)?.refusal?.contains("with another key") == true)
        world.ask(.adopt, .webapp, file: "/found")
        await machine.pass()
        #expect(try world.webapp.currentGeneration?.name == "prod-webapp-api-2025-10")
        #expect(try world.webapp.currentGeneration?.identity == .told)
    }

    @Test func `an adopted key is revoked although dead ones bear its name`() async throws {
        let world = World()
        let name = "prod-webapp-api-2025-11"
        addOthers(name, to: world)
        world.with { state in
            for key in state.account.keys { state.account.end(key.id, by: .others, at: state.now) }
            var offered = state.account.makeKey(named: name, by: .others, at: state.now)
            offered.isOffered = true
            state.account.land(offered)
            state.files["/found"] = offered.secret
        }
        var machine = Machine(world, [.sample()])
        world.ask(.adopt, .webapp, file: "/found")
        await machine.pass()
        try #require(world.webapp.current == name)
        world.ask(.rotate, .webapp)
        await machine.run(for: .days(2))
        #expect(world.alive == [IdentityTests.first])
        world.isWell()
    }

    @Test func `without times a key that a list shows first after more than an hour may be anybody's, and is told of`() async throws {
        let world = World()
        world.with { state in
            state.account.showsCreated = false
            state.script[.create] = [.diesAfter]
        }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        world.advance(by: .days(1))
        await machine.run(for: .hours(1))
        #expect(world.alive == [IdentityTests.first, IdentityTests.second])
        #expect(world.findings == [.ambiguousKey])
        world.isWell()
    }

    @Test func `what is used is no lost create of ours`() async throws {
        let world = World()
        world.with { $0.script[.create] = [.lostBefore] }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        addOthers(IdentityTests.first, to: world)
        world.use(IdentityTests.first)
        await machine.run(for: .hours(3))
        #expect(world.alive.sorted() == [IdentityTests.first, IdentityTests.second])
        #expect(world.findings == [.ambiguousKey])
        world.isWell()
    }

    @Test func `what was taken for revoked in a bad hour of the gateway, and lives, is revoked after all`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(1))
        world.ask(.rotate, .webapp)
        await machine.run(for: .hours(23))
        // Its secret is refused and the list leaves it out, for longer than it takes to believe both.
        world.with { state in
            for key in state.account.keys where key.name == IdentityTests.first {
                state.account.change(key.id) { ($0.validFrom, $0.isDeleted) = (.distantFuture, true) }
            }
        }
        await machine.run(for: .hours(3))
        try #require(world.codes.contains("revoked"))
        world.with { state in
            for key in state.account.keys where key.name == IdentityTests.first {
                state.account.change(key.id) { ($0.validFrom, $0.isDeleted) = (.distantPast, false) }
            }
            state.violations.removeAll { $0.contains("is alive and revoked") }
        }
        await machine.run(for: .hours(3))
        #expect(world.codes.contains("resurfaced"))
        #expect(world.alive == [IdentityTests.second])
    }

    @Test func `what a create left behind is swept after a day without a process`() async throws {
        let world = World()
        world.with { $0.script[.create] = [.diesAfter] }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        world.advance(by: .days(1))
        await machine.run(for: .hours(1))
        #expect(world.alive == [IdentityTests.second])
        world.isWell()
    }

    @Test func `a lost create that no list shows for more than an hour is given up, and its name is touched no more`() async throws {
        let world = World()
        world.with { state in
            state.account.showsCreated = false
            state.script[.create] = [.lostBefore]
        }
        var machine = Machine(world, [.sample()])
        await machine.run(for: .hours(2))
        #expect(world.codes.contains("never-came"))
        addOthers(IdentityTests.first, to: world)
        await machine.run(for: .days(1))
        #expect(world.alive.sorted() == [IdentityTests.first, IdentityTests.second])
        #expect(world.findings == [.unknownKey])
        world.isWell()
    }

    @Test func `a clock that jumps ahead gives up no lost create`() async throws {
        let world = World()
        world.with { $0.script[.create] = [.late(1000)] }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        world.with { $0.clock.error = .days(2) }
        await machine.run(for: .minutes(10))
        world.with { $0.clock.error = 0 }
        await machine.run(for: .hours(3))
        #expect(world.alive == [IdentityTests.second])
        #expect(world.codes.contains("turned-up"))
        world.isWell()
    }

    @Test func `a key made by hand that is named like ours is told of and not touched`() async throws {
        var (world, machine) = try await issued()
        for name in ["prod-webapp-api-2025-03", "prod-webapp-api-2025-03-2", "prod-other-2025-03"] { addOthers(name, to: world) }
        await machine.run(for: .hours(1))
        #expect(world.findings == [.unknownKey])
        #expect(world.sentences.first?.contains("prod-webapp-api-2025-03 (key_2), prod-webapp-api-2025-03-2 (key_3), named like") == true)
        end(.others, "prod-webapp-api-2025-03", in: world)
        end(.others, "prod-webapp-api-2025-03-2", in: world)
        await machine.run(for: .hours(1))
        #expect(world.findings.isEmpty)
        world.isWell()
    }
}
