import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

@Suite struct PolicyChangeTests {
    @Test func `a token that left the policies stays alive and is a finding`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        machine.policies = []
        await machine.run(for: .days(200))
        #expect(world.alive == ["prod-webapp-api-2026-01"])
        #expect(world.findings == [.leftPolicies])
        machine.policies = [.sample()]
        await machine.pass()
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `a token that left policies which said so is ended after its time, and begins anew when one asks for it`() async throws {
        var (world, machine) = try await issued(.sample(whenRemoved: .revoke(after: .days(7))), watchEvery: .hours(6))
        machine.policies = []
        await machine.run(for: .days(6))
        #expect(world.alive == ["prod-webapp-api-2026-01"])
        #expect(
            world.sentences == [
                "prod-webapp-api has left the policies; prod-webapp-api-2026-01 is revoked after 2026-01-12T10:00:00Z"
            ])
        await machine.run(for: .days(2))
        #expect(world.alive.isEmpty && world.findings.isEmpty)
        machine.policies = [.sample(whenRemoved: .revoke(after: .days(7)))]
        await machine.run(for: .hours(1))
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        world.isWell()
    }

    @Test func `a token that comes back in time is not ended`() async throws {
        let policy = TokenPolicy.sample(whenRemoved: .revoke(after: .days(7)))
        var (world, machine) = try await issued(policy, watchEvery: .hours(6))
        machine.policies = []
        await machine.run(for: .days(6))
        machine.policies = [policy]
        await machine.run(for: .days(2))
        machine.policies = []
        await machine.run(for: .days(6))
        #expect(world.alive == ["prod-webapp-api-2026-01"])
        world.isWell()
    }

    @Test func `many tokens that leave the policies at once are not ended, and a person is asked`() async throws {
        let world = World()
        let policies = (1...5).map { TokenPolicy.sample("app\($0)", whenRemoved: .revoke(after: .days(1))) }
        var machine = Machine(world, policies, watchEvery: .hours(6))
        await machine.pass()
        machine.policies = []
        await machine.pass()
        #expect(world.findings.contains(.manyRemoved))
        // One that a person ends does not make the others few enough to end by themselves.
        world.ask(.revoke, policies[4].name)
        machine.policies = [policies[0]]
        await machine.run(for: .days(5))
        #expect(world.alive.count == 4)
        #expect(world.findings.allSatisfy { $0 == .leftPolicies } && world.findings.count == 3)
        machine.policies = Array(policies.prefix(3))
        await machine.run(for: .days(1))
        machine.policies = Array(policies.prefix(2))
        await machine.run(for: .days(3))
        #expect(world.alive.count == 3)
        world.isWell()
    }

    @Test func `that many tokens left at once stays a finding until few are left to decide about`() async throws {
        let world = World()
        let policies = (1...5).map { TokenPolicy.sample("app\($0)", whenRemoved: .revoke(after: .days(1))) }
        var machine = Machine(world, policies, watchEvery: .hours(6))
        await machine.pass()
        machine.policies = []
        await machine.run(for: .days(3))
        machine.restart()
        await machine.run(for: .days(3))
        #expect(world.findings.contains(.manyRemoved))
        world.ask(.revoke, policies[4].name)
        await machine.run(for: .days(1))
        #expect(world.sentences.contains { $0.hasPrefix("4 tokens have left the policies at once") })
        machine.policies = [policies[0]]
        await machine.pass()
        #expect(!world.findings.contains(.manyRemoved))
        // One more makes them many again.
        machine.policies = []
        await machine.run(for: .days(3))
        #expect(world.findings.contains(.manyRemoved) && world.alive.count == 4)
        machine.policies = policies
        await machine.pass()
        #expect(world.findings.isEmpty)
        #expect(
            world.with { $0.journal.findingChanges.filter { $0.contains("many-removed") }.map { $0.prefix(6) } }
                == ["opened", "closed", "opened", "closed"])
        world.isWell()
    }

    @Test func `a token that left the policies while it was first issued is a finding too`() async throws {
        let world = World()
        world.with { $0.script[.take] = Array(repeating: .fails("busy"), count: 100) }
        var machine = Machine(world, [.sample(targets: [.sample("/etc/webapp/token", then: true)])])
        await machine.pass()
        machine.policies = []
        await machine.run(for: .hours(1))
        #expect(world.findings.contains(.leftPolicies))
        world.ask(.revoke, .webapp)
        await machine.run(for: .hours(1))
        #expect(world.alive.isEmpty)
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `an old one that was put back into a target is not revoked while no policy says what belongs there`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        let old = world.look { $0.places[.webapp]?.content }
        world.ask(.rotate, .webapp)
        await machine.pass()
        machine.policies = []
        await machine.run(for: .hours(1))
        let time = world.look { $0.now }
        world.with { $0.places[.webapp]?.edit(old, at: time) }
        await machine.run(for: .days(3))
        #expect(world.alive.count == 2, "what consumers read goes on working")
        machine.policies = [.sample()]
        await machine.run(for: .days(2))
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        world.isWell()
    }

    @Test func `a target that left the policy is told of while a living secret lies there, and forgotten after`() async throws {
        var (world, machine) = try await issued(.sample(), watchEvery: .hours(6))
        machine.policies = [.sample(targets: [.sample("/etc/worker/token")])]
        await machine.pass()
        world.with { $0.places[.webapp]?.leave() }
        #expect(world.published(.worker) == "prod-webapp-api-2026-01")
        await machine.run(for: .hours(7))
        #expect(world.findings == [.leftTarget])
        #expect(
            world.sentences == [
                "/etc/webapp/token has left the policy of prod-webapp-api and holds the secret of prod-webapp-api-2026-01, which is alive"
            ])
        world.ask(.rotate, .webapp)
        await machine.run(for: .hours(7))
        #expect(world.findings == [.leftTarget], "what it holds is alive for the length of the overlap")
        await machine.run(for: .days(2))
        #expect(world.findings.isEmpty && world.alive.count == 1)
        #expect(try world.webapp.targets.map(\.id) == [.worker])
        #expect(world.codes.suffix(1) == ["target-vacated"])
        world.isWell()
    }

    @Test func `a target that left the policy and is emptied is forgotten, and one that comes back is delivered anew`() async throws {
        var (world, machine) = try await issued(.sample(), watchEvery: .hours(6))
        let moved = TokenPolicy.sample(targets: [.sample("/etc/worker/token")])
        machine.policies = [moved]
        await machine.run(for: .hours(7))
        machine.policies = [.sample(targets: [.sample("/etc/webapp/token"), .sample("/etc/worker/token")])]
        let edited = world.look { $0.now }
        world.with { $0.places[.webapp]?.edit("somebody's", at: edited) }
        await machine.pass()
        #expect(world.published() == "prod-webapp-api-2026-01")
        await machine.run(for: .hours(7))
        #expect(world.findings.isEmpty)
        machine.policies = [moved]
        await machine.run(for: .hours(7))
        #expect(world.findings == [.leftTarget])
        world.with {
            $0.places[.webapp]?.edit(nil, at: edited)
            $0.places[.webapp]?.leave()
            $0.standing[.stillHolds] = .fails("input/output error")
        }
        await machine.run(for: .hours(7))
        #expect(world.sentences.first?.hasSuffix("may hold a living secret: input/output error") == true)
        world.with { $0.standing[.stillHolds] = nil }
        await machine.run(for: .hours(7))
        #expect(world.findings.isEmpty)
        #expect(try world.webapp.targets.map(\.id) == [.worker])
        world.isWell()
    }

    @Test func `a changed policy is tried at once, an unchanged one waits, across a restart too`() async throws {
        let target = TargetPolicy.sample("/etc/webapp/token", then: true)
        var (world, machine) = try await issued(.sample(targets: [target]), watchEvery: .hours(6))
        world.with { $0.standing[.take] = .fails("busy") }
        world.ask(.rotate, .webapp)
        await machine.run(for: .days(1))
        let tries = world.calls(.take)
        machine.restart()
        await machine.pass()
        #expect(world.calls(.take) == tries, "the same policy in a new process hurries nothing")
        var told = target
        told.then = .run(Command(arguments: ["/bin/reload", "--really"]))
        machine.policies = [.sample(targets: [told])]
        await machine.pass()
        #expect(world.calls(.take) == tries + 1)
        #expect(world.codes.filter { $0 == "rebased" }.count == 1)
        world.with { $0.standing[.take] = nil }
        machine.settings.gateways[.main]?.concurrent = 2
        await machine.pass()
        #expect(try world.webapp.rotation == nil)
        world.isWell()
    }

    @Test func `a raised capacity is tried at once`() async throws {
        var (world, machine) = try await issued(watchEvery: .days(1), capacity: 1)
        world.ask(.rotate, .webapp)
        await machine.run(for: .hours(20))
        #expect(world.findings == [.tokenStuck])
        world.with { $0.account.capacity = 2 }
        machine.settings.gateways[.main]?.capacity = 2
        await machine.pass()
        #expect(world.calls(.create) == 2)
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `a token that is to be adopted is not issued, unless somebody asks for a new one`() async throws {
        var policy = TokenPolicy.sample()
        policy.adopt = true
        let world = World()
        var machine = Machine(world, [policy], watchEvery: .hours(6))
        await machine.run(for: .days(200))
        #expect(world.calls(.create) == 0)
        #expect(world.findings.isEmpty)
        world.ask(.rotate, .webapp)
        await machine.pass()
        #expect(world.calls(.create) == 1)
        await machine.run(for: .days(200))
        #expect(world.calls(.create) == 3, "from then on it is a token like any other")
        world.isWell()
    }

    @Test func `a pass under policies that could not all be read misses no token`() async throws {
        var policy = TokenPolicy.sample()
        policy.whenRemoved = .revoke(after: .minutes(1))
        var (world, machine) = try await issued(policy, watchEvery: .hours(6))
        let keeper = Keeper(ports: world.ports(), policies: [], isWhole: false, settings: machine.settings, log: world.logger())
        let rotate = world.ask(.rotate, .webapp)
        for _ in 1...3 {
            _ = try await keeper.pass(watches: true)
            world.advance(by: .hours(1))
        }
        #expect(world.alive == ["prod-webapp-api-2026-01"])
        #expect(world.findings.isEmpty)
        #expect(world.request(rotate)?.answeredAt == nil, "who reads all policies takes it up")
        // Ports that were asked for later make the earlier ones those of a dead process.
        machine.restart()
        await machine.pass()
        #expect(world.request(rotate)?.refusal == nil)
        #expect(world.calls(.create) == 2)
        world.isWell()
    }

    @Test func `changed attributes replace the token`() async throws {
        var (world, machine) = try await issued()
        machine.policies = [.sample(attributes: Attributes(models: .only(["gpt-4"])))]
        await machine.pass()
        #expect(world.published() == "prod-webapp-api-2026-01-2")
        #expect(world.told.contains("rotation started (changed): the policy's attributes changed"))
        await machine.run(for: .days(2))
        #expect(world.calls(.create) == 2)
        world.isWell()
    }

    @Test func `attributes that the gateway does not confirm are told once`() async throws {
        let (world, _) = try await issued()
        var machine = Machine(world, [.sample(attributes: Attributes(models: .only(["gpt-4"]), allowIPs: ["203.0.113.10"]))])
        await machine.run(for: .days(2))
        #expect(world.findings == [.attributesUnconfirmed])
        #expect(world.sentences.first?.contains("models, allow_ips") == true)
        #expect(world.with { $0.journal.findingChanges } == ["opened attributes-unconfirmed prod-webapp-api models,allow_ips"])

        world.with { state in
            for key in state.account.keys {
                state.account.change(key.id) { $0.shown = ShownAttributes(models: ["gpt-4"], allowIPs: ["203.0.113.10"]) }
            }
        }
        await machine.run(for: .hours(1))
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `what was edited in the gateway's console is told as such, and no more once it is as asked again`() async throws {
        var (world, machine) = try await issued(.sample(attributes: Attributes(permissions: .readOnly), expires: .after(.days(90))))
        await machine.run(for: .hours(1))
        #expect(world.findings.isEmpty)
        let id = try #require(try world.webapp.currentGeneration?.keyID)
        world.with { state in
            state.account.change(id) { key in
                key.shown = ShownAttributes(permissions: ["full"], models: ["gpt-4"])
                key.expiresAt = key.expiresAt?.addingTimeInterval(.days(30))
            }
        }
        await machine.run(for: .hours(1))
        #expect(world.findings == [.attributesDiffer])
        #expect(
            world.sentences == [
                "the gateway shows prod-webapp-api-2026-01 otherwise than it was asked for: permissions full (asked: read_only); "
                    + "models gpt-4 (asked: all); expires 2026-05-05T10:00:00Z (asked: 2026-04-05T10:00:00Z)"
            ])
        #expect(world.calls(.create) == 1)
        world.with { state in
            state.account.change(id) { key in
                key.shown = ShownAttributes(permissions: ["Read_only"])
                key.expiresAt = key.expiresAt?.addingTimeInterval(-.days(30))
            }
        }
        await machine.run(for: .hours(1))
        #expect(
            world.with { $0.journal.findingChanges } == [
                "opened attributes-differ prod-webapp-api permissions,models,expires",
                "closed attributes-differ prod-webapp-api permissions,models,expires",
            ])
        world.isWell()
    }

    @Test func `a token in use that was renamed is a finding of its own, not a stranger to be revoked`() async throws {
        var (world, machine) = try await issued()
        let id = try #require(try world.webapp.currentGeneration?.keyID)
        for name in ["for the webapp", "prod-webapp-api-2026-02"] {
            world.with { $0.account.rename(id, to: name) }
            await machine.run(for: .hours(1))
            #expect(world.findings == [.attributesDiffer])
            #expect(world.sentences[0].hasSuffix(": name \(name) (asked: prod-webapp-api-2026-01)"), "\(world.sentences)")
        }
        world.with { $0.account.rename(id, to: "prod-webapp-api-2026-01") }
        await machine.run(for: .hours(1))
        #expect(world.findings.isEmpty)
        #expect(world.alive == ["prod-webapp-api-2026-01"] && world.calls(.create) == 1)
    }

    @Test func `what the gateway does not confirm of one generation nor of the next is one finding, opened once`() async throws {
        var (world, machine) = try await issued(.sample(attributes: Attributes(allowIPs: ["203.0.113.10"])), watchEvery: .hours(1))
        await machine.run(for: .hours(2))
        for _ in 1...3 {
            world.ask(.rotate, .webapp)
            await machine.run(for: .hours(2))
        }
        #expect(world.calls(.create) == 4)
        #expect(world.with { $0.journal.findingChanges } == ["opened attributes-unconfirmed prod-webapp-api allow_ips"])
        #expect(world.sentences == ["the gateway does not confirm allow_ips of prod-webapp-api-2026-01-4"])
        world.ask(.revoke, .webapp)
        await machine.run(for: .hours(2))
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `a finding about one gateway's token is not closed by another gateway's list`() async throws {
        let other = GatewayName("other")
        let world = World(gateways: [.main, other])
        let limited = Attributes(allowIPs: ["203.0.113.10"])
        var machine = Machine(world, [.sample(attributes: limited), .sample("worker", gateway: other)])
        await machine.pass(watches: true)
        await machine.pass(watches: true)
        #expect(world.findings == [.attributesUnconfirmed])
        world.with { $0.account.mood = .unreachable }
        await machine.run(for: .hours(1))
        #expect(world.with { $0.journal.findingChanges.filter { $0.hasPrefix("closed") } }.isEmpty)
    }

    @Test func `findings that need a list stay open while none is to be had`() async throws {
        var (world, machine) = try await issued()
        world.with { $0.clock.error = .hours(1) }
        await machine.run(for: .minutes(30))
        #expect(world.findings == [.clockOff])
        world.with { $0.account.mood = .unreachable }
        await machine.run(for: .hours(1))
        #expect(world.findings.contains(.clockOff))
        world.with { $0.account.mood = .refusesAdmin }
        await machine.run(for: .hours(7))
        world.with { $0.account.mood = .unreachable }
        await machine.run(for: .hours(7))
        #expect(world.findings.contains(.adminTokenRefused))
        world.isWell()
    }
}

@Suite struct StopTests {
    @Test(arguments: 1...12)
    func `a stop between any two steps leaves what the next process finishes`(calls: Int) async throws {
        let world = World()
        let keeper = Keeper(
            ports: world.ports(), policies: [.sample()], settings: Machine(world, [.sample()]).settings, log: world.logger(),
            isStopping: { world.with { $0.calls(.record) + $0.calls(.reserve) >= calls } }
        )
        _ = try await keeper.pass(watches: true)
        let written = world.calls(.record) + world.calls(.reserve)
        #expect(written <= calls + 1)
        var machine = Machine(world, [.sample()])
        await machine.pass()
        #expect(world.published() == "prod-webapp-api-2026-01")
        #expect(world.calls(.create) == 1)
        world.isWell()
    }
}
