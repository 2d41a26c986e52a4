import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

@Suite struct RequestTests {
    @Test func `rotate joins a rotation under way and tries at once what failed`() async throws {
        var (world, machine) = try await issued(.sample(targets: [.sample("/etc/webapp/token", then: true)]), watchEvery: .hours(6))
        world.with { $0.places[.webapp]?.consumerTrouble = "busy" }
        world.ask(.rotate, .webapp)
        await machine.run(for: .days(1))
        let open = try #require(world.webapp.rotation?.id)
        world.with { $0.places[.webapp]?.consumerTrouble = nil }
        let request = world.ask(.rotate, .webapp, reason: "ticket 4711")
        await machine.pass()
        #expect(world.request(request)?.rotation == open)
        #expect(world.told.contains("asked for by hand: ticket 4711"))
        #expect(world.calls(.create) == 2)
        #expect(try world.webapp.rotation == nil)
        world.isWell()
    }

    @Test func `rotate of a token that nobody knows is refused`() async throws {
        var (world, machine) = try await issued()
        let request = world.ask(.rotate, TokenName("prod-nothing"))
        await machine.pass()
        #expect(
            world.request(request)?.refusal == "no policy in force asks for prod-nothing: reload keyturn if one was written since it began")
        #expect(world.request(request)?.answeredAt != nil)
    }

    @Test func `revoke ends a token, leaves its target, and only rotate takes it up again`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        world.ask(.revoke, .webapp)
        await machine.pass()
        #expect(world.alive.isEmpty)
        #expect(world.published() == "prod-webapp-api-2026-01")
        await machine.run(for: .days(200))
        #expect(world.calls(.create) == 1)
        #expect(world.findings.isEmpty)

        world.ask(.rotate, .webapp)
        await machine.pass()
        #expect(try world.webapp.ending == nil)
        #expect(world.alive == [try #require(world.published())])
        world.isWell()
    }

    @Test func `revoke in the middle of a rotation revokes both generations`() async throws {
        var (world, machine) = try await issued(.sample(targets: [.sample("/etc/webapp/token", then: true)]))
        world.with { $0.places[.webapp]?.consumerTrouble = "busy" }
        world.ask(.rotate, .webapp)
        await machine.pass()
        #expect(world.alive.count == 2)
        world.ask(.revoke, .webapp)
        await machine.pass()
        #expect(world.alive.isEmpty)
        #expect(try world.webapp.rotation == nil)
        world.isWell()
    }

    @Test(arguments: [PortCall.record, .answer, .reconcile])
    func `a request that a process died over is taken up by the next, once`(operation: PortCall) async throws {
        for fault in [Fault.diesBefore, .diesAfter] {
            var (world, machine) = try await issued()
            let request = world.ask(.rotate, .webapp)
            world.with { $0.script[operation] = [fault] }
            await machine.run(for: .minutes(1))
            #expect(world.with { $0.deaths } == 1)
            #expect(world.request(request)?.refusal == nil)
            #expect(world.calls(.create) == 2)
            #expect(world.published() == "prod-webapp-api-2026-01-2")
            world.isWell()
        }
    }
}

@Suite struct AdoptionTests {
    /// A key that a person made, its secret in a file.
    private func found(_ names: [String] = ["prod-webapp-api-2025-11"]) -> (World, Machine) {
        let world = World()
        world.with { state in
            for name in names {
                var key = state.account.makeKey(named: name, by: .others, at: state.now.addingTimeInterval(.days(-50)))
                key.isOffered = true
                state.account.land(key)
                state.files["/etc/webapp/token"] = key.secret
                var place = Place()
                place.content = key.secret
                state.places[.webapp] = place
            }
        }
        return (world, Machine(world, [.sample()], watchEvery: .hours(6)))
    }

    /// From here on the key is Keyturn's to revoke.
    private func hand(_ name: String, over world: World) {
        world.with { state in
            for key in state.account.living(named: name, at: state.now) { state.account.change(key.id) { $0.maker = .keyturn } }
        }
    }

    @Test func `adopt takes over the one generation whose name fits`() async throws {
        var (world, machine) = found()
        let request = world.ask(.adopt, .webapp, file: "/etc/webapp/token")
        await machine.pass()
        #expect(world.request(request)?.refusal == nil)
        #expect(world.request(request)?.rotation == "prod-webapp-api#1")
        #expect(try world.webapp.current == "prod-webapp-api-2025-11")
        #expect(world.calls(.create) == 0)
        hand("prod-webapp-api-2025-11", over: world)
        await machine.run(for: .days(45))
        #expect(world.alive == [try #require(world.webapp.current)])
        #expect(world.calls(.create) == 1)
        world.isWell()
    }

    @Test func `adopt asks which one where several fit`() async throws {
        var (world, machine) = found(["prod-webapp-api-2025-10", "prod-webapp-api-2025-11"])
        world.with { $0.standing[.create] = .fails("not now") }
        let vague = world.ask(.adopt, .webapp, file: "/etc/webapp/token")
        let clear = world.ask(.adopt, .webapp, file: "/etc/webapp/token", generation: "prod-webapp-api-2025-11")
        await machine.pass()
        #expect(world.request(vague)?.refusal?.contains("prod-webapp-api-2025-10, prod-webapp-api-2025-11") == true)
        #expect(world.request(clear)?.refusal == nil)
        #expect(try world.webapp.current == "prod-webapp-api-2025-11")
        world.isWell()
    }

    @Test func `adopt refuses a secret that another token has, and one beside which a target holds another that works`() async throws {
        var (world, machine) = found()
        world.with { state in
            state.standing[.create] = .fails("not now")
            var other = state.account.makeKey(named: "legacy", by: .others, at: state.now)
            other.isOffered = true
            state.account.land(other)
            state.files["/legacy"] = other.secret
        }
        let wrong = world.ask(.adopt, .webapp, file: "/legacy")
        await machine.pass()
        #expect(world.request(wrong)?.refusal?.contains("holds another secret, which the gateway accepts") == true)
        #expect(world.token(.webapp)?.generations.isEmpty ?? true)
        world.ask(.adopt, .webapp, file: "/etc/webapp/token")
        await machine.pass()
        #expect(try world.webapp.current == "prod-webapp-api-2025-11")

        machine.policies = [.sample(), .sample("worker")]
        let twice = world.ask(.adopt, .worker, file: "/etc/webapp/token", generation: "prod-webapp-api-2025-11")
        await machine.pass()
        #expect(world.request(twice)?.refusal?.contains("which keyturn holds already") == true)
        world.isWell()
    }

    @Test func `adopt refuses a secret that the gateway refuses, a file without one, and a name that does not exist`() async throws {
        var (world, machine) = found()
        world.with { $0.standing[.create] = .fails("not now") }
        world.with { $0.files["/wrong"] = "sk-something-else" }
        let wrong = world.ask(.adopt, .webapp, file: "/wrong")
        let missing = world.ask(.adopt, .webapp, file: "/missing")
        let nameless = world.ask(.adopt, .webapp, file: "/etc/webapp/token", generation: "another")
        await machine.pass()
        #expect(world.request(wrong)?.refusal?.contains("refuses the secret") == true)
        #expect(world.request(missing)?.refusal?.contains("no secret") == true)
        #expect(world.request(nameless)?.refusal?.contains("no living another") == true)
        #expect(world.with { $0.keyring.records?[.main]?.isEmpty ?? true })
        world.isWell()
    }

    @Test func `a keyring that is full refuses an adoption and stops nothing else`() async throws {
        var (world, machine) = found()
        world.with { $0.script[.putRecord] = [.fails("no space left on device")] }
        let request = world.ask(.adopt, .webapp, file: "/etc/webapp/token")
        await machine.pass()
        #expect(world.request(request)?.refusal?.contains("no space left") == true)
        world.isWell()
    }

    @Test(arguments: [PortCall.putRecord, .record, .answer])
    func `an adoption that a process died over is answered as done by the next`(operation: PortCall) async throws {
        for fault in [Fault.diesBefore, .diesAfter] {
            var (world, machine) = found()
            let request = world.ask(.adopt, .webapp, file: "/etc/webapp/token")
            world.with { $0.script[operation] = [fault] }
            await machine.run(for: .minutes(1))
            #expect(world.with { $0.deaths } == 1)
            #expect(world.request(request)?.refusal == nil, "\(operation) \(fault)")
            #expect(try world.webapp.current == "prod-webapp-api-2025-11")
            #expect(world.calls(.create) == 0)
            world.isWell()
        }
    }
}
