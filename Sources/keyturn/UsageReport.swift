import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

/// `usage --json`; its keys are a contract.
struct UsageDocument: Encodable {
    var at: Date
    /// Whose days and months these are.
    var zone: String
    var environments: [UsageReport]
    var tokens: [UsageReport]
}

/// What one token or environment has spent, in one currency.
struct UsageReport: Encodable {
    struct Period: Encodable {
        var spent: Decimal
        /// Is more than that possible?
        var atLeast: Bool
        var budget: Nullable<Decimal>
        var usedPercent: Nullable<Decimal>
    }

    struct MonthEnd: Encodable {
        var amount: Decimal
        /// One standard error.
        var error: Decimal
    }

    struct DayUse: Encodable {
        var day: String
        var spent: Decimal
    }

    /// The token's or environment's.
    var name: String
    var environment: String
    var currency: String
    var today: Period
    var month: Period
    /// Of the month's end; null before there are seven days of readings.
    var forecast: Nullable<MonthEnd>
    /// Since when no living generation of it was read; null for an environment, and where nothing was read.
    var readAt: Nullable<Date>
    /// The last thirty, oldest first.
    var days: [DayUse]
}

/// Puts sums and budgets together.
struct UsageReports {
    private let site: Site
    private let sums: UsageSums

    init(_ site: Site, _ sums: UsageSums) {
        self.site = site
        self.sums = sums
    }

    static let days = 30

    func environments(of tokens: [Token]) -> [UsageReport] {
        let names = Set(tokens.map { environment(of: $0) })
        return names.sorted().flatMap { name in
            let gateway = tokens.first { environment(of: $0) == name }?.gateway
            return reports(.environment(name), name, site.budgets[name], gateway, readAt: nil)
        }
    }

    func tokens(_ tokens: [Token]) -> [UsageReport] {
        tokens.flatMap { token in
            reports(
                .token(token.name), environment(of: token), site.policies[token.name]?.budget, token.gateway,
                readAt: sums.readAt[token.name])
        }
    }

    private func environment(of token: Token) -> String { site.policies[token.name]?.environment ?? token.environment }

    /// One for each currency that something was spent in.
    private func reports(
        _ scope: BudgetScope, _ environment: String, _ budget: BudgetPolicy?, _ gateway: GatewayName?, readAt: Date?
    ) -> [UsageReport] {
        let counted = gateway.flatMap { site.configuration.settings.gateways[$0]?.currency }
        let own = (budget?.month ?? budget?.day)?.currency ?? counted ?? "USD"
        let others = sums.currencies(of: scope).filter { $0 != own }
        return ([own] + others).map { currency in
            let days = sums.days(of: scope, in: currency)
            let limits = currency == own ? budget : nil
            return UsageReport(
                name: scope.text, environment: environment, currency: currency,
                today: period(scope, .day, currency, limits?.day), month: period(scope, .month, currency, limits?.month),
                forecast: Nullable(
                    sums.forecast(of: scope, in: currency).map { forecast in
                        .init(amount: forecast.amount.rounded(to: 2), error: forecast.error.rounded(to: 2))
                    }),
                readAt: Nullable(readAt),
                days: (1 - UsageReports.days...0).map { offset in
                    let day = sums.today.advanced(by: offset)
                    return UsageReport.DayUse(day: "\(day)", spent: days[day] ?? 0)
                })
        }
    }

    private func period(_ scope: BudgetScope, _ kind: BudgetPeriod.Kind, _ currency: String, _ limit: Money?) -> UsageReport.Period {
        let spending = sums.spending(of: scope, in: BudgetPeriod(kind, of: sums.today), currency: currency)
        return UsageReport.Period(
            spent: spending.amount, atLeast: !spending.isWhole, budget: Nullable(limit?.amount),
            usedPercent: Nullable(limit.map { (spending.amount * 100 / $0.amount).floored(to: 1) }))
    }
}
