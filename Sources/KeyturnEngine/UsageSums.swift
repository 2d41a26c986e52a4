package import Foundation
package import KeyturnCore

/// What was spent lately by every token and environment, out of the sums of each day: what budgets are judged by and `usage` shows.
package struct UsageSums: Sendable {
    package let now: Date
    package let calendar: DayCalendar
    package let today: Day
    private var byScope: [BudgetScope: [String: [Day: Decimal]]] = [:]
    private var unconfirmed: [BudgetScope: [Meter]] = [:]
    private var lacking: [TokenName: Date] = [:]
    private var stale: Set<TokenName> = []
    private var first: [TokenName: Date] = [:]
    private var members: [String: Set<TokenName>] = [:]
    /// When each token's living generations were all read by.
    package private(set) var readAt: [TokenName: Date] = [:]

    /// - Parameter tokens: whose living generations are to have been read.
    package init(
        _ journal: any UsageJournal, tokens: [Token], policies: [TokenName: TokenPolicy], settings: Settings, at now: Date
    ) throws(JournalError) {
        self.now = now
        calendar = DayCalendar(zone: settings.watchZone)
        today = calendar.day(of: now)
        let start = min(today.advanced(by: -Forecast.most), today.firstOfMonth)
        for row in try journal.spent(start...today) {
            for scope in [BudgetScope.token(row.token), .environment(row.environment)] {
                byScope[scope, default: [:]][row.currency, default: [:]][row.day, default: 0] += row.amount
            }
            members[row.environment, default: []].insert(row.token)
        }
        first = try journal.firstReadings()
        for meter in try journal.lackingMeters() { lacking[meter.token] = max(lacking[meter.token] ?? .distantPast, meter.readAt) }
        for (gateway, tokens) in Dictionary(grouping: tokens, by: \.gateway) {
            let living = tokens.flatMap { token in token.generations.filter(\.isLiving).map { (token, $0) } }
            let meters = try journal.meters(of: gateway, names: Set(living.map(\.1.name)))
            for (token, generation) in living {
                let environment = policies[token.name]?.environment ?? token.environment
                members[environment, default: []].insert(token.name)
                let meter = meters[generation.name]
                if let meter, !meter.isNew {
                    unconfirmed[.token(token.name), default: []].append(meter)
                    unconfirmed[.environment(environment), default: []].append(meter)
                    readAt[token.name] = min(readAt[token.name] ?? meter.readAt, meter.readAt)
                }
                // Unread, a new one counts from its making.
                let last = meter?.readAt ?? generation.createdAt ?? generation.intendedAt
                let patience = max(settings.watchEvery.approximateSeconds * 2.5, 60)
                if abs(now.timeIntervalSince(last)) > patience || meter?.doubt != nil { stale.insert(token.name) }
            }
        }
    }

    /// Of one currency; another one's figures cannot be added to it.
    package func days(of scope: BudgetScope, in currency: String) -> [Day: Decimal] { byScope[scope]?[currency] ?? [:] }

    /// All currencies that anything was spent in, the most spent of first.
    package func currencies(of scope: BudgetScope) -> [String] { (byScope[scope] ?? [:]).keys.sorted() }

    package func spending(of scope: BudgetScope, in period: BudgetPeriod, currency: String) -> Spending {
        let days = days(of: scope, in: currency)
        let amount = (period.first.number..<period.end.number).reduce(Decimal(0)) { $0 + (days[Day(number: $1)] ?? 0) }
        let doubtful = (unconfirmed[scope] ?? []).reduce(Decimal(0)) { $0 + $1.unconfirmed.decimal }
        let tokens = members(of: scope)
        let begin = calendar.start(of: period.first)
        let isFresh = stale.isDisjoint(with: tokens)
        let isOne = currencies(of: scope).allSatisfy { $0 == currency }
        let isWhole = isFresh && isOne && tokens.allSatisfy { (lacking[$0] ?? .distantPast) < begin }
        return Spending(amount: amount, unconfirmed: doubtful, isWhole: isWhole, isFresh: isFresh)
    }

    package func forecast(of scope: BudgetScope, in currency: String) -> Forecast? {
        guard let first = members(of: scope).compactMap({ first[$0] }).min() else { return nil }
        let length = calendar.length(of: today)
        let gone = now.timeIntervalSince(calendar.start(of: today)) / max(1, length)
        // The day of the first reading was not read as a whole.
        return Forecast(days(of: scope, in: currency), since: calendar.day(of: first).advanced(by: 1), today: today, gone: gone)
    }

    private func members(of scope: BudgetScope) -> Set<TokenName> {
        switch scope {
        case .token(let name): [name]
        case .environment(let name): members[name] ?? []
        }
    }
}
