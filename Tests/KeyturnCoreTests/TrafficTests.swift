import Foundation
import KeyturnCore
import KeyturnTestKit
import Testing

/// How often `UsePattern` cries wolf, and how soon it sees one: on years of simulated traffic. `KEYTURN_TRAFFIC_YEARS=20` gives the
/// figures of docs/usage.md, `KEYTURN_TESTS_SEED` others.
@Suite struct TrafficTests {
    private static let years = ProcessInfo.processInfo.environment["KEYTURN_TRAFFIC_YEARS"].flatMap(Int.init) ?? 1
    private static let seed = ProcessInfo.processInfo.environment["KEYTURN_TESTS_SEED"].flatMap(UInt64.init) ?? 4711

    /// In money of an hour.
    private static let least = 1.0

    /// The first hour of the last ones that sticks out, by how many hours after `start`.
    private func alarm(in amounts: [Double], from start: Int, through end: Int) -> Int? {
        (start...end).first { hour in
            let past = Array(amounts[max(0, hour - UsePattern.longest)...hour])
            return UsePattern(past, hourOfWeek: hour % 168, least: TrafficTests.least).anomaly() != nil
        }.map { $0 - start + 1 }
    }

    /// Alarms of one year; one that lasts, or comes again within a day, is one.
    private func alarms(in amounts: [Double]) -> Int {
        var (count, hour) = (0, 0)
        while hour < amounts.count, let delay = alarm(in: amounts, from: hour, through: amounts.count - 1) {
            count += 1
            hour += delay + 24
        }
        return count
    }

    @Test(arguments: [(Traffic.web, 1), (.nightly, 3), (.weekly, 4), (.developers, 20)])
    func `a year of plausible traffic raises few alarms, and a fivefold burst is seen`(_ kind: Traffic, most: Int) {
        var dice = Dice(seed: TrafficTests.seed)
        var (falseAlarms, delays, bursts) = (0, [Int](), 0)
        for _ in 0..<TrafficTests.years {
            let amounts = kind.hours(weeks: 52, &dice)
            falseAlarms += alarms(in: amounts)
            for _ in 0..<8 {
                let start = Int.random(in: 10 * 168..<51 * 168, using: &dice)
                var burst = amounts
                for hour in start..<start + 72 { burst[hour] *= 5 }
                bursts += 1
                if let delay = alarm(in: burst, from: start, through: start + 71) { delays.append(delay) }
            }
        }
        delays.sort()
        let median = delays.isEmpty ? "-" : "\(delays[delays.count / 2])", late = delays.isEmpty ? "-" : "\(delays[delays.count * 9 / 10])"
        print(
            "\(kind) seed \(TrafficTests.seed): \(falseAlarms) false alarms in \(TrafficTests.years) years; of \(bursts) bursts \(delays.count) seen, "
                + "after \(median) h (median), \(late) h (nine of ten)")
        #expect(falseAlarms <= most * TrafficTests.years)
        // What is used on Sundays alone is not seen to be used five times as much in between.
        #expect(delays.count * 10 >= bursts * (kind == .weekly ? 3 : 9))
    }
}
