import Foundation
import KeyturnCore

/// Judges every budget by the sums as they are after a round of readings.
struct BudgetWatch: Sendable {
    let budgets: [BudgetScope: BudgetPolicy]
    let sums: UsageSums

    struct Judgement: Sendable {
        /// Those that are to be open.
        var findings: [Finding] = []
        /// Scopes whose tokens are to be ended, with the finding that says so.
        var spent: [(scope: BudgetScope, finding: Finding)] = []
    }

    /// `known`: keys of findings that are open; `before`: of those that were ever opened. A threshold is told once in its period:
    /// one that was closed does not open again.
    func judge(known: Set<String>, before: (Set<String>) throws(JournalError) -> Set<String>) throws(JournalError) -> Judgement {
        var wanted: [Finding] = []
        var spent: [(scope: BudgetScope, finding: Finding)] = []
        for (scope, policy) in budgets.sorted(by: { $0.key.text < $1.key.text }) {
            for kind in BudgetPeriod.Kind.allCases where (kind == .day ? policy.day : policy.month) != nil {
                let budget = Budget(scope, policy, kind, on: sums.today)
                let spending = sums.spending(of: scope, in: budget.period, currency: budget.limit.currency)
                if let threshold = budget.threshold(crossedBy: spending) { wanted.append(budget.crossed(threshold, by: spending)) }
                if budget.isSpentBeyondDoubt(spending) { spent.append((scope, budget.spent(spending))) }
                if kind == .month, spending.amount < budget.limit.amount,
                    let forecast = sums.forecast(of: scope, in: budget.limit.currency), forecast.amount > budget.limit.amount
                {
                    wanted.append(budget.foreseen(forecast))
                }
            }
        }
        let keys = Set(wanted.map(\.key) + spent.map(\.finding.key))
        let told = keys.isEmpty ? [] : try before(keys)
        var judgement = Judgement(spent: spent.filter { !told.contains($0.finding.key) })
        judgement.findings = wanted.filter { known.contains($0.key) || !told.contains($0.key) } + judgement.spent.map(\.finding)
        return judgement
    }

    /// Is it over, now that it is not wanted? Not before its period is, unless a higher threshold has taken its place, or its
    /// budget is another one now. Of a period that lies ahead, by a clock that was set back, nothing is known.
    func judges(_ finding: Finding, wanted: [Finding]) -> Bool {
        guard let period = finding.budgetPeriod else { return false }
        let current = BudgetPeriod(period.kind, of: sums.today)
        if period.first != current.first { return period.first < current.first }
        let scope = finding.token.map(BudgetScope.token) ?? finding.environment.map(BudgetScope.environment)
        guard let scope, let policy = budgets[scope], let limit = period.kind == .day ? policy.day : policy.month else { return true }
        guard " \(finding.subject)".contains(" \(period.text) \(limit.amount) ") else { return true }
        switch finding.code {
        case .budgetCrossed:
            return wanted.contains {
                $0.code == .budgetCrossed && $0.token == finding.token && $0.environment == finding.environment
                    && $0.budgetPeriod == period
            }
        // What was foreseen has come.
        case .budgetForecast: return sums.spending(of: scope, in: period, currency: limit.currency).amount >= limit.amount
        default: return false
        }
    }
}

extension Keeper {
    /// What came of judging them; nothing where that could not be done.
    struct BudgetRound: Sendable {
        var findings: [Finding] = []
        var watch: BudgetWatch?
        /// Was the end of a token asked for?
        var asked = false
    }

    /// What budgets make of the readings; asks for the end of tokens whose budget is spent as `revoke TOKEN` does, once in a period.
    func watchBudgets(_ tokens: [Token], _ desks: [GatewayName: Desk]) throws -> BudgetRound {
        // By a wrong clock it is the wrong day, and what could not be read may hold any budget.
        guard isWhole, !desks.values.contains(where: { $0.clockIsOff != nil }) else { return BudgetRound() }
        var budgets = Dictionary(uniqueKeysWithValues: self.budgets.map { (BudgetScope.environment($0.key), $0.value) })
        for policy in policies.values { if let budget = policy.budget { budgets[.token(policy.name)] = budget } }
        if budgets.isEmpty {
            // Nothing to read for; what is open of budgets that are gone is closed.
            guard try ports.journal.openFindings().contains(where: { $0.finding.budgetPeriod != nil }) else { return BudgetRound() }
        }
        let now = ports.now().wall
        let sums = try UsageSums(ports.journal, tokens: tokens, policies: policies, settings: settings, at: now)
        let watch = BudgetWatch(budgets: budgets, sums: sums)
        let known = Set(try ports.journal.openFindings().map(\.finding.key))
        let judgement = try watch.judge(known: known) { keys throws(JournalError) in try ports.journal.everOpened(keys) }
        var asked = false
        for (scope, finding) in judgement.spent { asked = try end(scope, for: finding, tokens, at: now) || asked }
        return BudgetRound(findings: judgement.findings, watch: watch, asked: asked)
    }

    private func end(_ scope: BudgetScope, for finding: Finding, _ tokens: [Token], at now: Date) throws -> Bool {
        // Should this process die before the finding is kept, it is done again for those that are not asked about yet.
        let pending = Set(try ports.journal.pendingRequests().filter { $0.verb == .revoke && $0.generation == nil }.map(\.token))
        var asked = false
        for token in tokens where token.ending == nil && !pending.contains(token.name) && token.generations.contains(where: \.isLiving) {
            switch scope {
            case .token(let name): if token.name != name { continue }
            case .environment(let name): if (policies[token.name]?.environment ?? token.environment) != name { continue }
            }
            _ = try ports.journal.file(Request(verb: .revoke, token: token.name, reason: finding.sentence, filedAt: now))
            asked = true
        }
        return asked
    }
}
