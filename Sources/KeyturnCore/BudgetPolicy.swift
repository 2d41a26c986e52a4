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

extension Money: CustomStringConvertible {
    package var description: String { "\(amount) \(currency)" }
}

package struct BudgetPolicy: Sendable, Equatable {
    /// What becomes of its tokens once it is spent.
    package enum WhenSpent: String, Sendable, CaseIterable {
        case alert
        /// Once in a period they are ended as by `revoke TOKEN`.
        case revoke
    }

    package var day: Money?
    package var month: Money?
    /// Percent of the budget, ascending.
    package var alertAt: [Decimal]
    package var whenSpent: WhenSpent

    /// Where a policy does not say when.
    package static let usualAlerts: [Decimal] = [50, 80, 100]

    package init(day: Money?, month: Money?, alertAt: [Decimal] = BudgetPolicy.usualAlerts, whenSpent: WhenSpent = .alert) {
        self.day = day
        self.month = month
        self.alertAt = alertAt
        self.whenSpent = whenSpent
    }
}
