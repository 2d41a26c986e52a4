/// What a token uses hour by hour, and what sticks out of its own past.
///
/// The measures are robust: of the past only medians are taken, and the median of how far it strays from them, so that what happened
/// once, however large, moves neither. An hour is compared with the same hour of the week and its neighbours; the 24 hours up to it
/// with those up to the same hour of other weeks, which finds what goes on for long and is no spike in any single hour.
package struct UsePattern: Sendable {
    /// Something that the past does not explain.
    package enum Anomaly: Sendable, Equatable {
        /// The last hour used so much, where `usual` was to be expected.
        case hour(amount: Double, usual: Double)
        /// The last 24 hours did.
        case day(amount: Double, usual: Double)
    }

    /// Hours of the past that are compared with: eight weeks.
    package static let longest = 8 * week
    /// With less of a past nothing is said.
    package static let shortest = week
    private static let week = 168

    /// How far is too far. Tried on simulated traffic, see `TrafficTests`: each bound keeps one kind of false alarm away.
    private struct Bounds {
        /// Deviations above the median.
        var deviations: Double
        /// Times the median.
        var times: Double
        /// Times the largest that is to be expected now and then.
        var timesTop: Double

        static let hour = Bounds(deviations: 8, times: 3, timesTop: 1.5)
        /// Of a token that is mostly idle at such an hour: there any use is far from the median, and only its size says something.
        static let idleHour = Bounds(deviations: 8, times: 3, timesTop: 2)
        static let day = Bounds(deviations: 6, times: 2.5, timesTop: 1.5)
    }

    /// In the token's currency, oldest first; the last may be an hour that is not over.
    private let amounts: [Double]
    /// The hour of the week of the last one, 0 ... 167, of the zone that its users live by.
    private let hourOfWeek: Int
    /// What is too little money to bother anybody, in an hour; in a day it is four times that.
    private let least: Double

    /// `amounts`: of consecutive hours, zeros included, from the first that is known; older ones than `longest` are left aside.
    package init(_ amounts: [Double], hourOfWeek: Int, least: Double) {
        self.amounts = Array(amounts.suffix(UsePattern.longest + 1))
        self.hourOfWeek = hourOfWeek
        self.least = least
    }

    /// Does the last hour, or the day that it ends, stick out? Nil also where the past is too short to say.
    package func anomaly() -> Anomaly? {
        guard amounts.count > UsePattern.shortest, let amount = amounts.last else { return nil }
        return unusualHour(amount) ?? unusualDay()
    }

    // MARK: The hour

    private func unusualHour(_ amount: Double) -> Anomaly? {
        guard amount >= least else { return nil }
        let usual = Spread(of: peers())
        let isIdle = usual.median == 0
        let past = amounts.dropLast().sorted()
        let top = isIdle ? past[past.count - 1] : past[past.count * 995 / 1000]
        guard usual.isFarBelow(amount, top: top, isIdle ? .idleHour : .hour) else { return nil }
        return .hour(amount: amount, usual: usual.median)
    }

    /// Hours like the last one: of the same hour of the week and its neighbours; where there are too few, of all working days or
    /// of all days off; in the second week, of all days.
    private func peers() -> [Double] {
        let last = amounts.count - 1
        let isDayOff = UsePattern.isDayOff(hourOfWeek)
        var (same, alike, near): ([Double], [Double], [Double]) = ([], [], [])
        for index in 0..<last {
            let back = last - index
            guard [23, 0, 1].contains(back % 24) else { continue }
            near.append(amounts[index])
            if UsePattern.isDayOff(hourOfWeek - back) == isDayOff { alike.append(amounts[index]) }
            if [UsePattern.week - 1, 0, 1].contains(back % UsePattern.week) { same.append(amounts[index]) }
        }
        return [same, alike].first { $0.count >= 12 } ?? near
    }

    /// Saturday or Sunday, of a week that begins with Monday.
    private static func isDayOff(_ hourOfWeek: Int) -> Bool { ((hourOfWeek % week) + week) % week >= 5 * 24 }

    // MARK: The day

    private func unusualDay() -> Anomaly? {
        // Sums of 24 hours, the one that ends with the last hour first, each a day older than the one before.
        let days = stride(from: amounts.count, through: 24, by: -24).map { end in amounts[(end - 24)..<end].reduce(0, +) }
        guard let amount = days.first, days.count > 7, amount >= 4 * least else { return nil }
        let past = Array(days.dropFirst())
        let weeks = stride(from: 6, to: past.count, by: 7).map { past[$0] }
        let usual = Spread(of: weeks.count >= 4 ? weeks : past)
        guard let top = past.max(), usual.isFarBelow(amount, top: top, .day) else { return nil }
        return .day(amount: amount, usual: usual.median)
    }

    /// The middle of some amounts, and how far they stray from it.
    private struct Spread {
        var median: Double
        var deviation: Double

        init(of amounts: [Double]) {
            let middle = Spread.median(of: amounts)
            median = middle
            // As wide as a standard deviation where the amounts are spread normally; amounts that hardly differ are given a fifth.
            deviation = max(1.4826 * Spread.median(of: amounts.map { abs($0 - middle) }), middle / 5)
        }

        private static func median(of amounts: [Double]) -> Double {
            guard !amounts.isEmpty else { return 0 }
            let sorted = amounts.sorted()
            let half = sorted.count / 2
            return sorted.count.isMultiple(of: 2) ? (sorted[half - 1] + sorted[half]) / 2 : sorted[half]
        }

        func isFarBelow(_ amount: Double, top: Double, _ bounds: Bounds) -> Bool {
            amount > median + bounds.deviations * deviation && amount > bounds.times * median && amount > bounds.timesTop * top
        }
    }
}
