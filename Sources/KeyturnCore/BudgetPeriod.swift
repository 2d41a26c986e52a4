/// A day or a month that a budget is for.
package struct BudgetPeriod: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case day, month
    }

    package var kind: Kind
    package var first: Day

    /// The one that a day lies in.
    package init(_ kind: Kind, of day: Day) {
        self.kind = kind
        first = kind == .day ? day : day.firstOfMonth
    }

    /// The day after its last.
    package var end: Day { kind == .day ? first.advanced(by: 1) : first.firstOfNextMonth }

    /// `2026-11-24` or `2026-11`.
    package var text: String { kind == .day ? "\(first)" : String("\(first)".prefix(7)) }

    package init?(_ text: String) {
        guard let first = Day(text.count == 7 ? text + "-01" : text) else { return nil }
        (kind, self.first) = (text.count == 7 ? .month : .day, first)
    }

    /// In a sentence.
    package var words: String { kind == .day ? "today" : "this month" }
}
