package import Foundation

/// An exact amount with its currency, `40 USD`.
package struct Money: Sendable, Hashable {
    package var amount: Decimal
    package var currency: String
    package init(amount: Decimal, currency: String) {
        self.amount = amount
        self.currency = currency
    }
}

package struct BudgetPolicy: Sendable, Equatable {
    package var day: Money?
    package var month: Money?
    /// Percent of the budget, ascending.
    package var alertAt: [Decimal]
    package init(day: Money?, month: Money?, alertAt: [Decimal]) {
        self.day = day
        self.month = month
        self.alertAt = alertAt
    }
}
