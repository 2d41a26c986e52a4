import Foundation
import KeyturnCore
import KeyturnTestKit
import Testing

@testable import KeyturnEngine

/// Readings, the sums that come of them, and what budgets make of those.
@Suite(.timeLimit(.minutes(1))) struct UsageTests {
    private static let ten = BudgetPolicy(day: nil, month: Money(amount: 10, currency: "USD"))

    /// The day's end is far from all that these tests do: ten o'clock.
    private func spent(_ world: World) -> Decimal { world.look { $0.journal.usage.total } }

    /// Somebody spends; each use counts one.
    private func use(_ world: World, _ times: Int, _ name: String = "prod-webapp-api-2026-01") {
        for _ in 0..<times { world.use(name) }
    }

    /// Two readings, a quarter of an hour apart: what is more than one unit needs both.
    private func read(_ world: World, _ machine: inout Machine, times: Int = 2) async {
        for _ in 0..<times {
            world.advance(by: 900)
            await machine.pass(watches: true)
        }
    }

    @Test func `what is used is summed, and a reading counts it once`() async throws {
        var (world, machine) = try await issued()
        use(world, 3)
        await read(world, &machine)
        #expect(spent(world) == 3)
        await read(world, &machine, times: 5)
        #expect(spent(world) == 3)
        #expect(world.look { $0.journal.usage.readings.count } == 7)
        world.isWell()
    }

    @Test func `a new generation is not read before one watch has passed, and a pass that does not watch reads nothing`() async throws {
        var (world, machine) = try await issued()
        await machine.pass(watches: true)
        world.advance(by: 600)
        await machine.pass(watches: true)
        #expect(world.calls(.usage) == 0)
        world.advance(by: 300)
        await machine.pass(watches: false)
        #expect(world.calls(.usage) == 0)
        await machine.pass(watches: true)
        #expect(world.calls(.usage) == 1)
    }

    @Test func `a gateway that asks for a pause is asked no more in that round`() async throws {
        let (world, many) = try await issuedMany(12, concurrent: 1)
        world.advance(by: 900)
        let before = world.calls(.usage)
        world.with { $0.script[.usage] = [nil, nil, .tooMany(retryAfter: 60)] }
        _ = try await many.pass(watches: true)
        #expect(world.calls(.usage) - before == 3)
        // Those that were not read have their turn first.
        world.advance(by: 900)
        world.with { $0.script[.usage] = Array(repeating: nil, count: 9) + [.tooMany(retryAfter: 60)] }
        _ = try await many.pass(watches: true)
        #expect(world.look { $0.journal.usage.meters.count } >= 11)
        world.isWell()
    }

    @Test func `by a clock that is off nothing is read`() async throws {
        var (world, machine) = try await issued()
        world.with { $0.account.clockError = 3600 }
        world.advance(by: 900)
        await machine.pass(watches: true)
        #expect(world.calls(.usage) == 0)
    }

    @Test func `what was spent to the moment of the revocation is counted, and stays`() async throws {
        var (world, machine) = try await issued()
        use(world, 1)
        await read(world, &machine)
        use(world, 1)
        world.ask(.revoke, .webapp)
        await machine.pass(watches: false)
        #expect(world.alive.isEmpty)
        #expect(spent(world) == 2)
        #expect(world.look { $0.journal.usage.meters.values.map(\.end) } == [.read])
        await read(world, &machine)
        #expect(spent(world) == 2)
        world.isWell()
    }

    @Test func `a last reading that fails holds up no revocation, is tried once, and is told by the sums`() async throws {
        var (world, machine) = try await issued()
        machine.budgets = ["prod": UsageTests.ten]
        use(world, 1)
        await read(world, &machine)
        world.with { state in
            state.standing[.usage] = .serverError
            state.script[.revoke] = [.serverError]
        }
        let before = world.calls(.usage)
        world.ask(.revoke, .webapp)
        await machine.pass(watches: false)
        world.advance(by: 600)
        await machine.pass(watches: false)
        #expect(world.alive.isEmpty)
        #expect(world.calls(.usage) - before == 1)
        #expect(world.look { $0.journal.usage.meters.values.map(\.end) } == [.unread])
        let sums = try sums(world, machine)
        let spending = sums.spending(of: .environment("prod"), in: BudgetPeriod(.month, of: sums.today), currency: "USD")
        #expect(spending.amount == 1 && !spending.isWhole)
    }

    private func sums(_ world: World, _ machine: Machine) throws -> UsageSums {
        let policies = Dictionary(uniqueKeysWithValues: machine.policies.map { ($0.name, $0) })
        return try UsageSums(
            world.ports().journal, tokens: world.look { $0.journal.ledger }, policies: policies, settings: machine.settings,
            at: world.moment.wall)
    }

    @Test func `readings for the sums leave the evidence of a retiring generation alone`() async throws {
        let policy = TokenPolicy.sample(overlap: Overlap(atLeast: .hours(24), quietFor: .hours(2)))
        var (world, machine) = try await issued(policy)
        world.ask(.rotate, .webapp)
        await machine.pass()
        let since = world.moment.wall
        world.with { $0.keepsTrace = true }
        await machine.run(atMost: 3 * 86400) { $0.journal.ledger[0].generations.allSatisfy { $0.state == .held } }
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        // In the last two hours of the overlap its secret was read at their beginning and at their end, and not in between.
        let secret = try #require(world.with { $0.account.keys.first?.secret })
        let reads = world.look { state in state.trace.filter { $0.hasSuffix("usage \(secret)") }.map { $0.prefix(20) } }
        let eve = since.addingTimeInterval(22 * 3600).formatted(.iso8601)
        #expect(reads.count { $0 > eve } <= 5, "\(reads)")
        #expect(reads.count { $0 < eve } >= 80)
        world.isWell()
    }

    // MARK: Budgets

    @Test func `each threshold is told once in its period, the highest of several, and anew in the next`() async throws {
        var (world, machine) = try await issued()
        machine.budgets = ["prod": UsageTests.ten]
        use(world, 5)
        await read(world, &machine)
        #expect(world.sentences == ["prod: 50% of 10 USD this month (threshold 50%)"])
        use(world, 5)
        await read(world, &machine)
        // 80 and 100 % at once: one finding, and the lower one is over.
        #expect(world.sentences == ["prod: 100% of 10 USD this month (threshold 100%)"])
        await read(world, &machine, times: 4)
        #expect(world.look { $0.journal.findingChanges.filter { $0.hasPrefix("opened budget") } }.count == 2)
        world.advance(by: 27 * 86400)
        await machine.pass(watches: true)
        #expect(world.sentences.isEmpty)
        use(world, 6)
        await read(world, &machine)
        #expect(world.sentences.contains { $0.hasSuffix("60% of 10 USD this month (threshold 50%)") })
        world.isWell()
    }

    @Test func `what was told is not told again when the budget is what it was before`() async throws {
        var (world, machine) = try await issued()
        machine.budgets = ["prod": UsageTests.ten]
        use(world, 6)
        await read(world, &machine)
        machine.budgets = ["prod": BudgetPolicy(day: nil, month: Money(amount: 100, currency: "USD"))]
        await read(world, &machine, times: 1)
        #expect(world.findings.isEmpty)
        machine.budgets = ["prod": UsageTests.ten]
        await read(world, &machine, times: 1)
        #expect(world.findings.isEmpty)
        machine.budgets = [:]
        use(world, 6)
        await read(world, &machine)
        #expect(world.findings.isEmpty)
    }

    @Test func `a clock that is set back a month and right again tells nothing twice`() async throws {
        var (world, machine) = try await issued()
        machine.budgets = ["prod": UsageTests.ten]
        use(world, 6)
        await read(world, &machine)
        world.with { state in
            state.account.showsTime = false
            state.clock.error = -30 * 86400
        }
        await read(world, &machine)
        world.with { $0.clock.error = 0 }
        await read(world, &machine)
        #expect(world.findings == [.budgetCrossed])
        #expect(world.look { $0.journal.findingChanges.filter { $0.hasPrefix("opened budget") } }.count == 1)
        #expect(spent(world) == 6)
    }

    @Test func `a token's own budget counts all its generations`() async throws {
        var policy = TokenPolicy.sample()
        policy.budget = UsageTests.ten
        var (world, machine) = try await issued(policy)
        use(world, 4)
        await read(world, &machine)
        world.ask(.rotate, .webapp)
        await machine.pass()
        use(world, 4, "prod-webapp-api-2026-01-2")
        await read(world, &machine)
        #expect(world.sentences == ["prod-webapp-api: 80% of 10 USD this month (threshold 80%)"])
    }

    @Test func `a spent budget ends the tokens once, and only when two readings say so`() async throws {
        var (world, machine) = try await issued()
        machine.budgets = ["prod": BudgetPolicy(day: nil, month: Money(amount: 10, currency: "USD"), whenSpent: .revoke)]
        use(world, 9)
        await read(world, &machine)
        use(world, 1)
        await read(world, &machine, times: 1)
        #expect(world.findings == [.budgetCrossed] && world.alive.count == 1)
        await read(world, &machine, times: 1)
        #expect(world.findings.contains(.budgetSpent))
        await machine.pass(watches: false)
        #expect(world.alive.isEmpty)
        #expect(try world.webapp.ending == .requested)
        #expect(world.told.contains { $0.contains("prod: 100% of 10 USD this month, and its tokens are ended (when_spent: revoke)") })
        await read(world, &machine, times: 3)
        #expect(world.alive.isEmpty)
        // A person's word counts more for the rest of the month.
        world.ask(.rotate, .webapp)
        await read(world, &machine, times: 4)
        #expect(world.alive == ["prod-webapp-api-2026-01-2"])
        world.isWell()
    }

    @Test func `one absurd reading ends nothing`() async throws {
        var (world, machine) = try await issued()
        machine.budgets = ["prod": BudgetPolicy(day: nil, month: Money(amount: 10, currency: "USD"), whenSpent: .revoke)]
        await read(world, &machine)
        world.with { state in state.account.change(state.account.keys[0].id) { $0.spent = 9000 } }
        await read(world, &machine, times: 1)
        world.with { state in state.account.change(state.account.keys[0].id) { $0.spent = 0 } }
        await read(world, &machine, times: 3)
        #expect(world.alive.count == 1 && world.findings.isEmpty && spent(world) == 0)
        world.with { state in state.account.change(state.account.keys[0].id) { $0.spent = Decimal(string: "1e30") ?? 0 } }
        await read(world, &machine, times: 3)
        #expect(world.alive.count == 1 && world.findings == [.usageUnreadable] && spent(world) == 0)
        world.with { state in state.account.change(state.account.keys[0].id) { $0.spent = 0 } }
        await read(world, &machine, times: 1)
        #expect(world.findings.isEmpty)
    }

    @Test func `a token that moved to another environment counts there from then on`() async throws {
        var (world, machine) = try await issued()
        use(world, 1)
        await read(world, &machine)
        machine.policies[0].environment = "stage"
        use(world, 1)
        await read(world, &machine)
        let sums = try sums(world, machine)
        let month = BudgetPeriod(.month, of: sums.today)
        for scope in [BudgetScope.environment("prod"), .environment("stage")] {
            #expect(sums.spending(of: scope, in: month, currency: "USD").amount == 1)
        }
        #expect(sums.spending(of: .token(.webapp), in: month, currency: "USD").amount == 2)
    }
}
