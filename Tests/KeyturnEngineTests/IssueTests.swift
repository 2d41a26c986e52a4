import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

@Suite struct IssueTests {
    @Test func `a token that never existed is issued and delivered in one pass`() async throws {
        let (world, machine) = try await issued()
        #expect(world.published() == "prod-webapp-api-2026-01")
        #expect(world.alive == ["prod-webapp-api-2026-01"])
        #expect(world.codes == ["started", "intended", "minted", "accepted", "published", "accepted"])
        #expect(machine.outlook?.findings.isEmpty == true)
        world.isWell()
    }

    @Test func `a name that somebody else has taken gets a number`() async throws {
        let world = World()
        world.with { state in
            for name in ["prod-webapp-api-2026-01", "prod-webapp-api-2026-01-2"] {
                state.account.land(state.account.makeKey(named: name, by: .others, at: state.now))
            }
        }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        #expect(try world.webapp.current == "prod-webapp-api-2026-01-3")
        world.isWell()
    }

    @Test func `an expires date that is past issues nothing, not even on request`() async throws {
        let world = World()
        var machine = Machine(world, [.sample(rotate: .never, expires: .on(World.start.addingTimeInterval(-1)))])
        await machine.run(for: .days(2))
        let request = world.ask(.rotate, .webapp)
        await machine.pass()
        #expect(world.calls(.create) == 0)
        #expect(world.request(request)?.refusal?.contains("past") == true)
    }

    @Test func `a full account is asked for nothing and its unused tokens are named`() async throws {
        let world = World()
        world.with { state in
            state.account.capacity = 2
            for name in ["alices-notebook", "old-experiment"] {
                state.account.land(state.account.makeKey(named: name, by: .others, at: state.now))
            }
        }
        var machine = Machine(world, [.sample()], capacity: 2)
        await machine.pass()
        #expect(world.calls(.create) == 0)
        #expect(world.findings == [.tokenStuck])
        #expect(world.sentences.first?.contains("alices-notebook, old-experiment") == true)

        world.kill("old-experiment")
        world.ask(.rotate, .webapp)
        await machine.pass()
        #expect(world.published() == "prod-webapp-api-2026-01")
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test(arguments: [true, false]) func `a full account names neither ours nor what may be in use`(showsLastUse: Bool) async throws {
        var (world, machine) = try await issued(capacity: 2)
        world.with { state in
            state.account.showsLastUse = showsLastUse
            state.account.land(state.account.makeKey(named: "in-use", by: .others, at: state.now))
        }
        world.use("in-use")
        world.ask(.rotate, .webapp)
        await machine.pass()
        #expect(world.calls(.create) == 1)
        #expect(world.findings == [.tokenStuck])
        let sentence = try #require(world.sentences.first)
        #expect(sentence.contains("holds all 2 tokens") && !sentence.contains("never used"), "\(sentence)")
        #expect(world.published() == "prod-webapp-api-2026-01")
        world.isWell()
    }

    @Test func `a create that the gateway refuses is tried again under the same name`() async throws {
        let world = World()
        world.with { $0.script[.create] = [.fails("422 no such permission")] }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        #expect(world.sentences.first?.contains("422 no such permission") == true)
        await machine.run(for: .minutes(1))
        #expect(world.published() == "prod-webapp-api-2026-01")
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `a gateway that asks for patience is not asked before`() async throws {
        let world = World()
        world.with { $0.script[.create] = [.tooMany(retryAfter: 1000)] }
        var machine = Machine(world, [.sample()], watchEvery: .hours(6))
        await machine.run(for: 990)
        #expect(world.calls(.create) == 1)
        await machine.run(for: 20)
        #expect(world.calls(.create) == 2)
        world.isWell()
    }
}

@Suite struct LostCreateTests {
    @Test func `a create whose answer is lost is revoked before the next one is asked for`() async throws {
        let world = World()
        world.with { $0.script[.create] = [.lostAfter] }
        var machine = Machine(world, [.sample()])
        await machine.run(for: .minutes(1))
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        #expect(world.published() == "prod-webapp-api-2026-01-2")
        let codes = world.codes
        let swept = try #require(codes.firstIndex(of: "revoked"))
        let second = try #require(codes.lastIndex(of: "intended"))
        #expect(swept < second)
        world.isWell()
    }

    @Test func `what a dead process created is revoked before the next one is asked for`() async throws {
        let world = World()
        world.with { $0.script[.create] = [.diesAfter] }
        var machine = Machine(world, [.sample()])
        await machine.run(for: .minutes(1))
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        let codes = world.codes
        let swept = try #require(codes.firstIndex(of: "revoked"))
        let second = try #require(codes.lastIndex(of: "intended"))
        #expect(swept < second)
        world.isWell()
    }

    @Test func `a create that lands after it was given up is swept when it shows`() async throws {
        let world = World()
        world.with { $0.script[.create] = [.late(600)] }
        var machine = Machine(world, [.sample()])
        await machine.run(for: .minutes(5))
        #expect(world.published() == "prod-webapp-api-2026-01-2")
        await machine.run(for: .hours(1))
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        #expect(world.codes.contains("turned-up"))
        world.isWell()
    }

    @Test func `an answer that cannot be read is a lost one`() async throws {
        let world = World()
        world.with { $0.script[.create] = [.garbage, .serverError, .lostBefore] }
        var machine = Machine(world, [.sample()])
        await machine.run(for: .minutes(5))
        #expect(world.alive.count == 1)
        #expect(world.published() == world.alive.first)
        world.isWell()
    }

    @Test func `a secret that cannot be kept does not live`() async throws {
        let world = World()
        world.with { $0.script[.putRecord] = [.fails("no space left on device")] }
        var machine = Machine(world, [.sample()])
        await machine.run(for: .minutes(1))
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        #expect(world.published() == "prod-webapp-api-2026-01-2")
        world.isWell()
    }

    @Test func `no room in the keyring asks the gateway for nothing`() async throws {
        let world = World()
        world.with { $0.standing[.reserveRecord] = .fails("no space left on device") }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        #expect(world.calls(.create) == 0)
        #expect(world.findings == [.tokenStuck])
        world.isWell()
    }

    @Test func `an id that the answer lacks is found by the exact name`() async throws {
        let world = World()
        world.with { state in
            state.account.answersIDs = false
            state.account.land(state.account.makeKey(named: "prod-webapp-api-2026-01x", by: .others, at: state.now))
        }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        let id = world.with { state in state.account.keys.last?.id }
        #expect(try world.webapp.currentGeneration?.keyID == id)
        world.isWell()
    }

    @Test func `two that may be ours are reported and neither is touched`() async throws {
        let world = World()
        world.with { $0.script[.create] = [.lostAfter] }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        world.with { state in state.account.land(state.account.makeKey(named: "prod-webapp-api-2026-01", by: .others, at: state.now)) }
        await machine.run(for: .hours(1))
        #expect(world.findings.contains(.ambiguousKey))
        #expect(world.alive.count { $0 == "prod-webapp-api-2026-01" } == 2)
        #expect(world.published() == "prod-webapp-api-2026-01-2")
        world.isWell()

        // The person revokes the one that nobody uses: the finding is over and nothing else is touched.
        world.with { state in
            for key in state.account.keys where key.maker == .keyturn && key.name == "prod-webapp-api-2026-01" {
                state.account.end(key.id, by: .others, at: state.now)
            }
        }
    }

    @Test func `a key that somebody makes under a lost name long after is not ours`() async throws {
        let world = World()
        world.with { $0.script[.create] = [.lostBefore] }
        var machine = Machine(world, [.sample()])
        await machine.run(for: .days(3))
        world.with { state in state.account.land(state.account.makeKey(named: "prod-webapp-api-2026-01", by: .others, at: state.now)) }
        await machine.run(for: .days(1))
        #expect(world.alive.sorted() == ["prod-webapp-api-2026-01", "prod-webapp-api-2026-01-2"])
        world.isWell()
    }

    @Test func `an orphan that cannot be revoked does not keep a token from being issued`() async throws {
        let world = World()
        world.with { state in
            state.script[.create] = [.lostAfter]
            state.standing[.revoke] = .fails("400 it has children")
        }
        var machine = Machine(world, [.sample()])
        await machine.run(for: .hours(1))
        #expect(world.published() == "prod-webapp-api-2026-01-2")
        #expect(world.findings == [.tokenStuck])
        world.with { $0.standing[.revoke] = nil }
        await machine.run(for: .hours(12))
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        #expect(world.findings.isEmpty)
        world.isWell()
    }
}
