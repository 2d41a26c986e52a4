import Foundation
import KeyturnCore
import Testing

struct BudgetTests {
    private let day = Day(year: 2026, month: 11, day: 24)

    private func budget(_ limit: Decimal = 10, _ kind: BudgetPeriod.Kind = .month, spent: BudgetPolicy.WhenSpent = .alert) -> Budget {
        let money = Money(amount: limit, currency: "USD")
        return Budget(.environment("dev"), BudgetPolicy(day: money, month: money, whenSpent: spent), kind, on: day)
    }

    @Test func `a threshold is crossed when it is reached, the highest of several`() {
        let rows: [(String, Decimal?)] = [
            ("0", nil), ("4.999999999", nil), ("5", 50), ("7.99", 50), ("8", 80), ("9.999999999", 80), ("10", 100), ("1000", 100),
        ]
        for (amount, threshold) in rows {
            #expect(budget().threshold(crossedBy: Spending(amount: Decimal(string: amount) ?? -1)) == threshold, "\(amount)")
        }
    }

    @Test func `it is said in one line of ASCII`() {
        let spending = Spending(amount: Decimal(string: "5.17") ?? 0)
        #expect(budget().crossed(50, by: spending).sentence == "dev: 51% of 10 USD this month (threshold 50%)")
        #expect(budget(10, .day).crossed(50, by: spending).sentence == "dev: 51% of 10 USD today (threshold 50%)")
        let partial = Spending(amount: 12, isWhole: false)
        #expect(budget().crossed(100, by: partial).sentence == "dev: at least 120% of 10 USD this month (threshold 100%)")
        let alert = Decimal(string: "51.5") ?? 0
        let policy = BudgetPolicy(day: nil, month: Money(amount: 10, currency: "EUR"), alertAt: [alert])
        let fine = Budget(.token(TokenName("t")), policy, .month, on: day)
        #expect(fine.crossed(Decimal(string: "51.5") ?? 0, by: spending).sentence == "t: 51.7% of 10 EUR this month (threshold 51.5%)")
        #expect(fine.crossed(Decimal(string: "51.5") ?? 0, by: spending).token == TokenName("t"))
    }

    @Test func `each threshold of each period is a finding of its own, and so is another limit`() {
        let spending = Spending(amount: 9)
        let findings = [
            budget().crossed(50, by: spending), budget().crossed(80, by: spending), budget(10, .day).crossed(50, by: spending),
            budget(11).crossed(50, by: spending), budget().spent(spending),
        ]
        #expect(Set(findings.map(\.key)).count == findings.count)
        #expect(findings.map { $0.budgetPeriod?.text } == ["2026-11", "2026-11", "2026-11-24", "2026-11", "2026-11"])
    }

    @Test func `tokens are ended only on a whole, fresh sum that was borne out`() {
        let revoking = budget(spent: .revoke)
        #expect(revoking.isSpentBeyondDoubt(Spending(amount: 10)))
        #expect(!revoking.isSpentBeyondDoubt(Spending(amount: 10, unconfirmed: Decimal(string: "0.000000001") ?? 1)))
        #expect(!revoking.isSpentBeyondDoubt(Spending(amount: 10, isWhole: false)))
        #expect(!revoking.isSpentBeyondDoubt(Spending(amount: 10, isFresh: false)))
        #expect(!budget().isSpentBeyondDoubt(Spending(amount: 10)))
    }

    // MARK: Forecast

    private func days(_ count: Int, _ cost: (Day) -> Decimal) -> [Day: Decimal] {
        Dictionary(uniqueKeysWithValues: (1...count).map { (day.advanced(by: -$0), cost(day.advanced(by: -$0))) })
    }

    @Test func `what is the same every day goes on, without an error`() throws {
        let forecast = try #require(Forecast(days(56) { _ in 2 }, since: day.advanced(by: -56), today: day, gone: 0))
        #expect(forecast == (forecast.amount == 60 && forecast.error == 0 ? forecast : nil))
    }

    @Test func `a week has its shape`() throws {
        // Nothing on Saturdays and Sundays: of the seven days from Tuesday the 24th five cost.
        let costs = days(56) { [0, 6].contains($0.weekday) ? 0 : 7 }
        let forecast = try #require(Forecast(costs, since: day.advanced(by: -56), today: day, gone: 0))
        let spent = costs.filter { $0.key >= day.firstOfMonth }.values.reduce(0, +)
        #expect(abs(forecast.amount - spent - 35) < 2)
        #expect(forecast.error > 0)
    }

    @Test func `seven days are the least`() {
        #expect(Forecast(days(9) { _ in 1 }, since: day.advanced(by: -6), today: day, gone: 0) == nil)
        #expect(Forecast(days(9) { _ in 1 }, since: day.advanced(by: -7), today: day, gone: 0) != nil)
        #expect(Forecast([:], since: day.advanced(by: -9), today: day, gone: 0)?.amount == 0)
    }

    @Test func `the month's end lies within its error as often as it says`() {
        var dice = SplitMix(seed: 11)
        var hits = 0
        let rounds = 400
        for _ in 0..<rounds {
            let cost: (Day) -> Decimal = { day in
                let noise = (0..<4).reduce(0) { sum, _ in sum + Int(dice.next() % 1000) }
                return Decimal(noise) / 1000 * ([0, 6].contains(day.weekday) ? 1 : 3)
            }
            let today = Day(year: 2026, month: 11, day: 11)
            var costs: [Day: Decimal] = [:]
            for offset in -56..<20 { costs[today.advanced(by: offset)] = cost(today.advanced(by: offset)) }
            let known = costs.filter { $0.key < today }
            guard let forecast = Forecast(known, since: today.advanced(by: -56), today: today, gone: 0) else { continue }
            let truth = costs.filter { $0.key >= today.firstOfMonth && $0.key < today.firstOfNextMonth }.values.reduce(0, +)
            if abs(truth - forecast.amount) <= forecast.error { hits += 1 }
        }
        // Two in three are one standard error; it is stated a little wide rather than narrow.
        #expect((rounds * 60 / 100...rounds * 85 / 100).contains(hits), "\(hits) of \(rounds)")
    }
}
