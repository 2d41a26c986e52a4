package import Foundation

/// What a budget is for: all tokens of an environment, or one token.
package enum BudgetScope: Sendable, Hashable {
    case environment(String)
    case token(TokenName)

    package var text: String {
        switch self {
        case .environment(let name): name
        case .token(let name): name.text
        }
    }
}

/// What a scope has spent in one period, as far as it was read.
package struct Spending: Sendable, Equatable {
    package var amount: Decimal
    /// Of that, what no second reading has borne out yet.
    package var unconfirmed: Decimal
    /// Was everything read that may have been spent? Else it is at least this much.
    package var isWhole: Bool
    /// Was every living generation read lately?
    package var isFresh: Bool

    package init(amount: Decimal = 0, unconfirmed: Decimal = 0, isWhole: Bool = true, isFresh: Bool = true) {
        self.amount = amount
        self.unconfirmed = unconfirmed
        self.isWhole = isWhole
        self.isFresh = isFresh
    }
}

/// One budget in one period, beside what was spent of it: which findings that makes. Pure; `BudgetWatch` keeps and acts.
package struct Budget: Sendable {
    package var scope: BudgetScope
    package var period: BudgetPeriod
    package var limit: Money
    package var alertAt: [Decimal]
    package var whenSpent: BudgetPolicy.WhenSpent

    package init(_ scope: BudgetScope, _ policy: BudgetPolicy, _ kind: BudgetPeriod.Kind, on day: Day) {
        let limit = kind == .day ? policy.day : policy.month
        self.scope = scope
        period = BudgetPeriod(kind, of: day)
        self.limit = limit ?? Money(amount: 0, currency: "")
        alertAt = policy.alertAt
        whenSpent = policy.whenSpent
    }

    /// The highest threshold that is crossed; the lower ones are superseded by it.
    package func threshold(crossedBy spending: Spending) -> Decimal? {
        alertAt.filter { spending.amount * 100 >= limit.amount * $0 }.max()
    }

    /// May its tokens be ended for it? Only where nothing is missing or old, and a second reading has borne all of it out.
    package func isSpentBeyondDoubt(_ spending: Spending) -> Bool {
        whenSpent == .revoke && spending.isWhole && spending.isFresh && spending.amount - spending.unconfirmed >= limit.amount
    }

    /// `dev: 51% of 10 USD this month (threshold 50%)`, in ASCII; it is also a mail's subject.
    package func crossed(_ threshold: Decimal, by spending: Spending) -> Finding {
        finding(
            .budgetCrossed, threshold >= 100 ? .error : .warning, "\(threshold)%",
            "\(share(of: spending, like: threshold)) of \(limit) \(period.words) (threshold \(threshold)%)",
            whenSpent == .alert || spending.amount < limit.amount
                ? "`keyturn usage` shows who spends it"
                : "`keyturn usage` shows who spends it; when_spent: revoke acts once every figure is fresh and borne out by a second reading"
        )
    }

    package func spent(_ spending: Spending) -> Finding {
        finding(
            .budgetSpent, .error, "spent",
            "\(share(of: spending, like: 1)) of \(limit) \(period.words), and \(scope.isToken ? "it is" : "its tokens are") ended (when_spent: revoke)",
            "decide what is to work again, and `keyturn rotate TOKEN` for each; a higher budget does not bring them back by itself"
        )
    }

    package func foreseen(_ forecast: Forecast) -> Finding {
        let percent = (forecast.amount * 100 / limit.amount).floored(to: 0)
        return finding(
            .budgetForecast, .warning, "forecast",
            "\(forecast.amount.rounded(to: 2)) +/- \(forecast.error.rounded(to: 2)) \(limit.currency) expected by the month's end, \(percent)% of \(limit)",
            "`keyturn usage` shows who spends it"
        )
    }

    private func share(of spending: Spending, like threshold: Decimal) -> String {
        let percent = (spending.amount * 100 / limit.amount).floored(to: max(0, -threshold.exponent))
        return "\(spending.isWhole ? "" : "at least ")\(percent)%"
    }

    private func finding(_ code: Finding.Code, _ severity: Severity, _ what: String, _ sentence: String, _ help: String) -> Finding {
        // With the limit: a budget that was changed is another one, whose thresholds are told anew.
        let subject = [scope.isToken ? "" : scope.text, period.text, "\(limit.amount)", what].filter { !$0.isEmpty }.joined(separator: " ")
        return switch scope {
        case .environment(let name):
            Finding(
                code: code, severity: severity, environment: name, subject: subject, sentence: "\(name): \(sentence)", help: help)
        case .token(let name):
            Finding(code: code, severity: severity, token: name, subject: subject, sentence: "\(name): \(sentence)", help: help)
        }
    }
}

extension BudgetScope {
    package var isToken: Bool { if case .token = self { true } else { false } }
}

extension Finding {
    /// Of a budget's finding: the period that it is about.
    package var budgetPeriod: BudgetPeriod? {
        switch code {
        case .budgetCrossed, .budgetSpent, .budgetForecast: subject.split(separator: " ").lazy.compactMap { BudgetPeriod(String($0)) }.last
        default: nil
        }
    }
}

extension Decimal {
    package func rounded(to digits: Int) -> Decimal { rounded(digits, .plain) }
    package func floored(to digits: Int) -> Decimal { rounded(digits, .down) }

    private func rounded(_ digits: Int, _ mode: NSDecimalNumber.RoundingMode) -> Decimal {
        var (number, result) = (self, Decimal())
        unsafe NSDecimalRound(&result, &number, digits, mode)
        return result
    }
}
