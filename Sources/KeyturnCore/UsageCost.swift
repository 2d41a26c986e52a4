package import Foundation

/// What the gateway's usage log says that one secret cost, summed by the hour.
package struct UsageCost: Sendable, Equatable, Codable {
    package struct Hour: Sendable, Equatable, Codable {
        /// Its beginning, in UTC.
        package var begin: Date
        package var calls: Int
        /// In the gateway's currency; calls whose cost it does not say are not in it.
        package var cost: Decimal

        package init(begin: Date, calls: Int, cost: Decimal) {
            self.begin = begin
            self.calls = calls
            self.cost = cost
        }
    }

    /// Those with calls, oldest first.
    package var hours: [Hour]
    /// The log went on beyond what was read of it, further back than the first of the hours.
    package var isPart: Bool

    package init(hours: [Hour], isPart: Bool) {
        self.hours = hours
        self.isPart = isPart
    }

    package init(of lines: [UsageLine], isPart: Bool) {
        var hours: [Date: Hour] = [:]
        for line in lines {
            let begin = Date(timeIntervalSince1970: (line.at.timeIntervalSince1970 / 3600).rounded(.down) * 3600)
            var hour = hours[begin] ?? Hour(begin: begin, calls: 0, cost: 0)
            hour.calls += 1
            hour.cost += line.cost ?? 0
            hours[begin] = hour
        }
        self.init(hours: hours.values.sorted { $0.begin < $1.begin }, isPart: isPart)
    }

    /// The hours after the last normal one before `end`: what may be a thief's. Normal is an hour that cost no more than three times
    /// the median of all hours with calls, a measure that a burst does not move as long as it fills less than half of them. Nil:
    /// fewer than six hours to measure by, or none of them normal.
    package func atRisk(before end: Date) -> (since: Date, cost: Decimal, calls: Int)? {
        let known = hours.filter { $0.begin < end }
        guard known.count >= 6 else { return nil }
        let most = known.map(\.cost).sorted()[known.count / 2] * 3
        guard let last = known.last(where: { $0.cost <= most }) else { return nil }
        let after = known.filter { $0.begin > last.begin }
        return (last.begin.addingTimeInterval(3600), after.reduce(0) { $0 + $1.cost }, after.reduce(0) { $0 + $1.calls })
    }
}

/// One call in a gateway's usage log.
package struct UsageLine: Sendable, Equatable {
    package var at: Date
    package var cost: Decimal?

    package init(at: Date, cost: Decimal?) {
        self.at = at
        self.cost = cost
    }
}
