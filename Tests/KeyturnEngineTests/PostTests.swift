import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

/// Findings of a whole engine reach couriers that fail, hang up and forget.
@Suite struct PostTests {
    /// A world whose one token is stuck, with couriers.
    private func stuck(_ couriers: [(name: String, severity: Severity)] = [("mail", .warning)]) async -> (World, Machine) {
        let world = World()
        world.with { state in
            state.couriers = couriers
            state.standing[.take] = .fails("exit status 1")
        }
        var machine = Machine(world, [.sample(targets: [.sample("/etc/webapp/token", then: true)])])
        await machine.pass()
        return (world, machine)
    }

    private func told(_ world: World, by courier: String = "mail") -> [[String]] {
        world.look {
            $0.letters.filter { $0.courier == courier }.map { $0.message.items.map { "\($0.word) \($0.notice.finding.code.rawValue)" } }
        }
    }

    @Test func `told once when it opens, again after a day, and when it is over`() async {
        var (world, machine) = await stuck()
        #expect(told(world) == [["opened token-stuck"]])
        await machine.run(for: .hours(23))
        #expect(told(world).count == 1)
        await machine.run(for: .hours(3))
        #expect(told(world) == [["opened token-stuck"], ["again token-stuck"]])
        world.with { $0.standing = [:] }
        await machine.run(for: .hours(7))
        #expect(told(world).last == ["over token-stuck"])
        let threads = world.look { $0.letters.map(\.message.thread) }
        #expect(Set(threads).count == 1 && world.look { Set($0.letters.map(\.message.id)).count } == 3)
        world.isWell()
    }

    @Test func `a courier that dies with the answer is asked again with the same message`() async {
        let world = World()
        world.with { state in
            state.couriers = [("mail", .warning)]
            state.standing[.take] = .fails("exit status 1")
            state.script[.hand] = [.diesAfter]
        }
        var machine = Machine(world, [.sample(targets: [.sample("/etc/webapp/token", then: true)])])
        await machine.pass()
        await machine.pass()
        await machine.pass()
        #expect(world.look { $0.letters.map(\.message.id) } == ["finding.1.world", "finding.1.world"])
        await machine.run(for: .hours(2))
        #expect(world.look { $0.letters.count } == 2)
        world.isWell()
    }

    @Test func `what may have been accepted stays one message, whatever is answered to it later`() async {
        let world = World()
        world.with { state in
            state.couriers = [("mail", .warning)]
            state.standing[.take] = .fails("exit status 1")
            state.script[.hand] = [.lostAfter, .unreachable, .fails("550 no")]
        }
        var machine = Machine(world, [.sample(targets: [.sample("/etc/webapp/token", then: true)])])
        await machine.pass()
        world.with { $0.standing = [:] }
        await machine.run(for: .hours(8))
        #expect(told(world) == [["opened token-stuck"], ["opened token-stuck"], ["over token-stuck"]])
        #expect(world.look { $0.letters.prefix(2).map(\.message.id) } == ["finding.1.world", "finding.1.world"])
        world.isWell()
    }

    @Test func `what was accepted and could not be written down is not handed over again`() async {
        let world = World()
        world.with { state in
            state.couriers = [("mail", .warning)]
            state.standing[.take] = .fails("exit status 1")
            // The mark of the courier and of the message go well, the record does not.
            state.script[.writeOutbox] = [nil, nil, .fails("disk full"), .fails("disk full")]
        }
        var machine = Machine(world, [.sample(targets: [.sample("/etc/webapp/token", then: true)])])
        for _ in 0..<5 { await machine.pass() }
        #expect(world.look { $0.letters.map(\.message.id) } == ["finding.1.world"])
        world.isWell()
    }

    @Test func `a week without mail ends in one message about what is open`() async {
        let world = World()
        world.with { state in
            state.couriers = [("mail", .warning)]
            state.standing[.take] = .fails("exit status 1")
            state.standing[.hand] = .unreachable
        }
        var machine = Machine(world, [.sample(targets: [.sample("/etc/webapp/token", then: true)])])
        await machine.run(for: .days(7))
        #expect(world.findings.contains(.courierFailing))
        world.with { $0.standing[.hand] = nil }
        await machine.run(for: .hours(8))
        #expect(told(world) == [["opened token-stuck"]])
        #expect(world.look { $0.letters.first?.message.failingSince } != nil)
        #expect(world.findings == [.tokenStuck])
        world.isWell()
    }

    @Test func `a failing courier is a finding that the other one tells, and its end`() async {
        var (world, machine) = await stuck([("hook", .warning)])
        world.with { state in
            state.couriers.append(("mail", .warning))
            // Mail is first in nobody's order: the hook's own messages are let through.
            state.script[.hand] = [.fails("550 no")]
        }
        machine.restart()
        await machine.pass()
        #expect(world.findings.contains(.courierFailing))
        #expect(told(world, by: "hook").contains(["opened courier-failing"]))
        await machine.run(for: .hours(7))
        #expect(!world.findings.contains(.courierFailing))
        #expect(told(world, by: "hook").contains(["over courier-failing"]))
        #expect(told(world, by: "mail").first == ["opened token-stuck"])
        world.isWell()
    }

    @Test func `five hundred at once are one message`() async {
        let world = World()
        world.with { state in
            state.couriers = [("mail", .warning)]
            state.standing[.take] = .fails("exit status 1")
            state.checksEachCall = false
        }
        let policies = (0..<500).map { TokenPolicy.sample("app\($0)", targets: [.sample("/etc/app\($0)/token", then: true)]) }
        var machine = Machine(world, policies)
        await machine.pass()
        #expect(told(world).map(\.count) == [500])
    }

    @Test func `what a policy asks for is told ahead of time, once a generation and span, and no more`() async throws {
        let world = World()
        world.with { $0.couriers = [("mail", .warning)] }
        var policy = TokenPolicy.sample(rotate: .every(.days(20), window: nil, jitter: .zero))
        policy.notifyBefore = [.days(7), .days(1)]
        var machine = Machine(world, [policy])
        await machine.run(for: .days(41))
        let letters = world.look { $0.letters.map { ($0.at.timeIntervalSince(World.start) / 86400, $0.message.items.map(\.word)) } }
        #expect(letters.map { Int($0.0.rounded()) } == [13, 19, 33, 39], "\(letters)")
        #expect(letters.allSatisfy { $0.1 == [.opened] })
        world.isWell()
    }

    @Test func `a clock that is set back a month brings no storm and no silence`() async {
        var (world, machine) = await stuck()
        await machine.run(for: .days(3))
        let before = told(world).count
        world.with { $0.clock.error = -.days(30) }
        await machine.run(for: .days(1))
        world.with { $0.clock.error = 0 }
        await machine.run(for: .days(10))
        // Of the token; the clock is a finding of its own.
        let after = told(world).dropFirst(before).filter { $0.contains("again token-stuck") }.count
        #expect((2...4).contains(after), "\(told(world))")
    }
}
