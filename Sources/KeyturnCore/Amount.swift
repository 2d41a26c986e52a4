package import Foundation

/// What a gateway counts of a generation's use, in billionths of the unit of its currency: whole numbers, so that sums are exact
/// in the database as well. What a gateway shows finer than that is rounded once, when it is read.
package struct Amount: Hashable, Comparable, Sendable {
    package var billionths: Int64

    package static let zero = Amount(billionths: 0)
    /// A hundred million units: no account has such a bill, and ninety of them still fit into one number.
    package static let largest = Amount(billionths: 100_000_000_000_000_000)

    package init(billionths: Int64) { self.billionths = billionths }

    /// Nil for what is no figure: below zero, no number, or beyond `largest`.
    package init?(_ number: Decimal) {
        guard number.isFinite, number >= 0, number <= Amount.largest.decimal else { return nil }
        var (scaled, rounded) = (number * 1_000_000_000, Decimal())
        unsafe NSDecimalRound(&rounded, &scaled, 0, .plain)
        guard let billionths = Int64("\(rounded)") else { return nil }
        self.billionths = billionths
    }

    package var decimal: Decimal { Decimal(billionths) / 1_000_000_000 }

    package static func < (one: Amount, other: Amount) -> Bool { one.billionths < other.billionths }
    package static func + (one: Amount, other: Amount) -> Amount { Amount(billionths: one.billionths + other.billionths) }
    package static func - (one: Amount, other: Amount) -> Amount { Amount(billionths: one.billionths - other.billionths) }
}
