package import Foundation

/// What a month will have cost by its end, from what the days before have: their level, and the shape of their week.
package struct Forecast: Sendable, Equatable {
    /// By the month's end, with what was spent so far.
    package var amount: Decimal
    /// One standard error of it: about two months in three end within it, if the days go on as they were.
    package var error: Decimal

    /// Days of readings before there is one.
    package static let least = 7
    /// Days that are looked at: eight weeks, so that each day of the week was seen eight times, and no more, since habits change.
    package static let most = 56

    /// - Parameters:
    ///   - days: what each day has cost; those not in it cost nothing.
    ///   - first: the first day that was read as a whole.
    ///   - today: the day that is under way, with the share of it that is gone, 0...1.
    package init?(_ days: [Day: Decimal], since first: Day, today: Day, gone: Double) {
        let start = max(first, today.advanced(by: -Forecast.most))
        guard today.number - start.number >= Forecast.least else { return nil }
        let past = (start.number..<today.number).map { Day(number: $0) }
        let costs = past.map { ((days[$0] ?? 0) as NSDecimalNumber).doubleValue }
        let level = costs.reduce(0, +) / Double(costs.count)
        // Each weekday's share of the level, drawn to it where it was seen seldom: a single Sunday says little.
        var (shape, seen) = ([Double](repeating: 1, count: 7), [Double](repeating: 1, count: 7))
        if level > 0 {
            for (day, cost) in zip(past, costs) {
                shape[day.weekday] += cost / level
                seen[day.weekday] += 1
            }
            for weekday in 0..<7 { shape[weekday] /= seen[weekday] }
        }
        let misses = zip(past, costs).map { $1 - level * shape[$0.weekday] }
        let deviation = (misses.reduce(0) { $0 + $1 * $1 } / Double(max(1, misses.count - 1))).squareRoot()
        let spent = (today.firstOfMonth.number...today.number).reduce(Decimal(0)) { $0 + (days[Day(number: $1)] ?? 0) }
        let rest = 1 - min(1, max(0, gone))
        let ahead = (today.number + 1..<today.firstOfNextMonth.number).map { shape[Day(number: $0).weekday] }
        let left = rest + Double(ahead.count)
        let coming = level * (rest * shape[today.weekday] + ahead.reduce(0, +))
        // Each day left misses by itself, and all of them together by what the level is off.
        let error = deviation * (left + left * left / Double(costs.count)).squareRoot()
        guard coming.isFinite, error.isFinite else { return nil }
        amount = spent + Decimal(coming).rounded(to: 9)
        self.error = Decimal(error).rounded(to: 9)
    }
}
