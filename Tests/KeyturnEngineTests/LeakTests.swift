import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

@Suite struct LeakTests {
    private let told: TokenPolicy = .sample(targets: [.sample("/etc/webapp/token", then: true)])

    @Test func `contain first revokes in the same pass, before anything is created, and replaces it`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6), capacity: 1)
        world.ask(.leak, .webapp, reason: "pasted into a ticket", mode: .containFirst)
        await machine.run(for: 5)
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        #expect(world.published() == "prod-webapp-api-2026-01-2")
        let codes = world.codes.drop { $0 != "leaked" }
        #expect(codes.firstIndex(of: "revoked") ?? .max < codes.firstIndex(of: "minted") ?? 0, "\(codes)")
        #expect(world.told.contains { $0.contains("(pasted into a ticket)") })
        // The account had a single place, which the leaked one had to give back first.
        #expect(!codes.contains("held"))
        #expect(world.codes.last == "leak-over")
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test(arguments: LeakMode.allCases) func `neither a clock that is off nor an overlap holds the revocation of what leaked`(
        mode: LeakMode
    ) async throws {
        var (world, machine) = try await issued(told, watchEvery: .hours(6))
        world.ask(.rotate, .webapp)
        await machine.run(for: 60)
        #expect(world.alive.count == 2)
        world.with { $0.account.clockError = 4000 }
        world.ask(.leak, .webapp, mode: mode)
        await machine.run(for: 60)
        #expect(world.alive.isEmpty)
        #expect(world.findings.contains(.leakOpen))
        // What cannot be taken back, a create, waits for the clocks.
        world.with { $0.account.clockError = 0 }
        await machine.run(for: 3600)
        #expect(world.alive.count == 1)
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `replace first keeps what leaked for one minute after the replacement was published, deaf consumers or not`() async throws {
        var (world, machine) = try await issued(told, watchEvery: .hours(6))
        world.with { $0.places[.webapp]?.consumerTrouble = "busy" }
        world.ask(.leak, .webapp, mode: .replaceFirst)
        await machine.run(for: 50)
        #expect(world.alive == ["prod-webapp-api-2026-01", "prod-webapp-api-2026-01-2"])
        #expect(world.published() == "prod-webapp-api-2026-01-2")
        await machine.run(for: 20)
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        #expect(world.told.contains { $0.hasSuffix("published a minute ago, though it is not taken up at /etc/webapp/token") })
        #expect(world.findings.contains(.leakOpen))
        #expect(world.sentences.contains { $0.contains("/etc/webapp/token has not taken up prod-webapp-api-2026-01-2: busy") })
        world.with { $0.places[.webapp]?.consumerTrouble = nil }
        await machine.run(for: .days(1))
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `replace first turns into contain first where the account is full`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6), capacity: 1)
        world.ask(.leak, .webapp, mode: .replaceFirst)
        await machine.run(for: 30)
        #expect(world.told.contains { $0.contains("is to be revoked: no replacement can be created: the account holds all 1 tokens") })
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        await machine.run(for: 60)
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `replace first waits ten minutes for a gateway that creates nothing`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        world.with { $0.standing[.create] = .serverError }
        world.ask(.leak, .webapp, mode: .replaceFirst)
        await machine.run(for: 590)
        #expect(world.alive == ["prod-webapp-api-2026-01"])
        await machine.run(for: 20)
        #expect(world.alive.isEmpty)
        #expect(world.told.contains { $0.contains("no replacement was published within 10") })
        world.with { $0.standing = [:] }
        await machine.run(for: .days(1))
        #expect(world.alive.count == 1)
        world.isWell()
    }

    @Test func `a refused replacement does not put back what leaked`() async throws {
        var (world, machine) = try await issued(told, watchEvery: .minutes(2))
        world.with { $0.places[.webapp]?.consumerTrouble = "busy" }
        world.ask(.leak, .webapp, mode: .replaceFirst)
        await machine.run(for: 10)
        world.kill("prod-webapp-api-2026-01-2")
        await machine.run(for: 1200)
        world.with { $0.places[.webapp]?.consumerTrouble = nil }
        await machine.run(for: .days(1))
        #expect(!world.codes.contains("old-accepted"))
        #expect(world.alive.count == 1)
        #expect(world.published() == world.alive.first)
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `a replacement that lacks models of what leaked is taken all the same`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        world.with { $0.account.modelsOfNewKeys = ["gpt-4"] }
        world.ask(.leak, .webapp, mode: .replaceFirst)
        await machine.run(for: 120)
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        world.isWell()
    }

    @Test func `a second leak joins the first, and says contain if it does`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        world.with { $0.standing[.create] = .serverError }
        world.ask(.leak, .webapp, mode: .replaceFirst)
        await machine.pass()
        world.ask(.leak, .webapp, mode: .replaceFirst)
        await machine.pass()
        #expect(world.alive == ["prod-webapp-api-2026-01"])
        world.ask(.leak, .webapp, mode: .containFirst)
        await machine.pass()
        #expect(world.alive.isEmpty)
        #expect(world.with { $0.journal.incidents.count } == 1)
        world.with { $0.standing = [:] }
        await machine.run(for: .days(1))
        // One after the replacement concerns what exists then.
        world.ask(.leak, .webapp, mode: .containFirst)
        await machine.run(for: 60)
        #expect(world.with { $0.journal.incidents.count } == 2)
        await machine.run(for: .hours(2))
        #expect(world.with { $0.journal.incidents.allSatisfy { $0.closedAt != nil } })
        world.isWell()
    }

    @Test func `a create whose answer is lost ends with the others when it turns up`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        world.with { $0.script[.create] = [.late(300)] }
        world.ask(.rotate, .webapp)
        await machine.pass()
        world.with { $0.standing[.create] = .serverError }
        world.ask(.leak, .webapp, mode: .containFirst)
        await machine.run(for: 200)
        #expect(world.alive.isEmpty)
        await machine.run(for: 3000)
        #expect(world.with { $0.account.keys.count { $0.maker == .keyturn } } == 2)
        #expect(world.alive.isEmpty)
        world.with { $0.standing = [:] }
        await machine.run(for: .days(1))
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `a lost create keeps a leak open for the hour in which it may land, also where the gateway shows no time`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        world.with { $0.account.showsTime = false }
        world.with { $0.script[.create] = [.lostBefore] }
        world.ask(.rotate, .webapp)
        await machine.pass()
        world.ask(.leak, .webapp, mode: .containFirst)
        await machine.run(for: 1800)
        #expect(world.alive.count == 1)
        #expect(world.findings == [.leakOpen])
        await machine.run(for: .hours(7))
        #expect(world.findings.isEmpty)
        // What is on no way any more joins nothing: the next leak concerns what exists then.
        world.ask(.leak, .webapp, mode: .containFirst)
        await machine.pass()
        #expect(world.with { $0.journal.incidents.count } == 2)
        world.isWell()
    }

    @Test func `a dead admin token leaves the leak open, what is ended by hand is seen, and the rest follows`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        world.with { $0.account.mood = .refusesAdmin }
        world.ask(.leak, .webapp, mode: .containFirst)
        await machine.run(for: 600)
        #expect(Set(world.findings).isSuperset(of: [.leakOpen, .adminTokenRefused]))
        world.kill("prod-webapp-api-2026-01")
        world.with { $0.account.mood = .well }
        await machine.run(for: .hours(7))
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `a token without a policy, and one that was ended, are contained and not replaced`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        machine.policies = []
        await machine.pass()
        world.ask(.leak, .webapp, mode: .replaceFirst)
        await machine.run(for: 60)
        #expect(world.alive.isEmpty)
        #expect(world.calls(.create) == 1)
        #expect(world.with { $0.journal.openFindings.isEmpty })
        world.isWell()

        var (other, ended) = try await issued(watchEvery: .hours(6))
        other.with { $0.standing[.revoke] = .serverError }
        other.ask(.revoke, .webapp)
        await ended.run(for: 60)
        other.with { $0.standing = [:] }
        other.ask(.leak, .webapp, mode: .replaceFirst)
        await ended.run(for: 60)
        #expect(other.alive.isEmpty)
        #expect(other.calls(.create) == 1)
        #expect(other.findings.isEmpty)
        other.isWell()
    }

    @Test func `what leaked is not adopted again`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        let secret = world.with { $0.places[.webapp]?.content } ?? ""
        world.ask(.leak, .webapp, mode: .containFirst)
        await machine.run(for: 60)
        world.ask(.revoke, .webapp)
        await machine.run(for: 60)
        // Somebody switches it on again, under another name.
        world.with { state in
            let id = state.account.keys.first { $0.secret == secret }?.id ?? KeyID("")
            state.account.change(id) { ($0.refusedFrom, $0.endedBy, $0.isOffered) = (nil, nil, true) }
            state.account.rename(id, to: "prod-webapp-api-2025-11")
            state.files["/root/old"] = secret
        }
        let request = world.ask(.adopt, .webapp, file: "/root/old", generation: "prod-webapp-api-2025-11")
        await machine.pass()
        #expect(world.request(request)?.refusal == "the secret in /root/old is one that leaked: it is never taken up again")
    }

    @Test func `what was known of each generation is kept, and a gateway that hangs on figures delays nothing for long`() async throws {
        var (world, machine) = try await issued(watchEvery: .hours(6))
        world.use("prod-webapp-api-2026-01")
        world.ask(.leak, .webapp, mode: .containFirst)
        await machine.run(for: 60)
        let incident = try #require(world.with { $0.journal.incidents.first })
        #expect(incident.generations.map(\.name) == ["prod-webapp-api-2026-01"])
        #expect(incident.generations.first?.state == .held)
        #expect(incident.generations.first?.before?.month.map { $0 >= 1 } == true)
        let entry = try #require(world.with { state in state.journal.history.first { $0.number == incident.firstEntry } })
        #expect(entry.code == "leaked")
        world.isWell()
    }

    @Test func `leak of a token of which nothing exists is refused`() async throws {
        let world = World()
        world.with { $0.standing[.create] = .fails("no") }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        let request = world.ask(.leak, .webapp, mode: .containFirst)
        await machine.pass()
        #expect(world.request(request)?.refusal == "no generation of prod-webapp-api exists that could have leaked")
    }
}
