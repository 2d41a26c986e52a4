import Foundation

/// Plausible use of a token, hour by hour, for the figures of `UsePattern`: what its users do, with their weeks, moods and holidays.
package enum Traffic: String, CaseIterable, Sendable {
    /// People at a web site: days and nights, quieter on days off, growing by a twentieth a month, some holidays.
    case web
    /// A job of one to three hours every night, left out now and then.
    case nightly
    /// A job of some hours on Sundays, and next to nothing between.
    case weekly
    /// A few developers: single calls of very different sizes, in working hours.
    case developers

    /// Amounts of money of so many whole weeks, which begin with a Monday at midnight.
    package func hours(weeks: Int, _ dice: inout Dice) -> [Double] {
        var amounts = [Double](repeating: 0, count: weeks * 168)
        switch self {
        case .web: people(&amounts, &dice)
        case .nightly: job(&amounts, &dice, every: 24, at: 1, hours: 1...3, amount: 5)
        case .weekly:
            job(&amounts, &dice, every: 168, at: 6 * 24 + 2, hours: 3...6, amount: 8)
            for hour in amounts.indices { amounts[hour] += 0.02 * dice.lognormal(0.5) }
        case .developers:
            for hour in amounts.indices {
                let calls = dice.poisson(0.6 * Traffic.rhythm(hour))
                for _ in 0..<calls { amounts[hour] += 0.22 * dice.lognormal(0.9) }
            }
        }
        return amounts
    }

    private func people(_ amounts: inout [Double], _ dice: inout Dice) {
        for day in 0..<amounts.count / 24 {
            let mood = dice.lognormal(0.2) * (dice.unit() < 0.03 ? 0.2 : 1)
            for hour in day * 24..<day * 24 + 24 { amounts[hour] = 2 * Traffic.rhythm(hour) * mood * dice.lognormal(0.25) }
        }
    }

    private func job(
        _ amounts: inout [Double], _ dice: inout Dice, every period: Int, at start: Int, hours: ClosedRange<Int>, amount: Double
    ) {
        for begin in stride(from: start, to: amounts.count, by: period) where dice.unit() < 0.95 {
            let late = Int.random(in: 0...2, using: &dice)
            for hour in 0..<Int.random(in: hours, using: &dice) where begin + late + hour < amounts.count {
                amounts[begin + late + hour] += amount * dice.lognormal(0.3)
            }
        }
    }

    /// Of days, weeks and growth: one in the busiest hour of a working day of the first month.
    private static func rhythm(_ hour: Int) -> Double {
        let ofDay = Double(hour % 24), day = hour / 24 % 7
        let shape = exp(-((ofDay - 14) / 5) * ((ofDay - 14) / 5)) + 0.05
        return shape * (day < 5 ? 1 : 0.35) * pow(1.05, Double(hour) / 720)
    }
}

extension Dice {
    /// 0 ..< 1.
    fileprivate mutating func unit() -> Double { Double.random(in: 0..<1, using: &self) }

    /// Its logarithm is spread normally around zero.
    fileprivate mutating func lognormal(_ deviation: Double) -> Double {
        let radius = (-2 * log(1 - unit())).squareRoot()
        return exp(deviation * radius * cos(2 * .pi * unit()))
    }

    /// How many of rare, independent events come about.
    fileprivate mutating func poisson(_ mean: Double) -> Int {
        var (count, product) = (0, unit())
        let bound = exp(-mean)
        while product > bound {
            count += 1
            product *= unit()
        }
        return count
    }
}
