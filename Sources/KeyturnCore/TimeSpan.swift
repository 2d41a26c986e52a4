package import Foundation

/// A time span of systemd.time(7), except that months and years are those of the calendar: three months after
/// 30 November are 28 February, not 91 days.
package struct TimeSpan: Hashable, Sendable {
    package var months: Int
    package var milliseconds: Int64

    package init(months: Int = 0, milliseconds: Int64 = 0) {
        self.months = months
        self.milliseconds = milliseconds
    }

    package static let zero = TimeSpan()
    package static func seconds(_ count: Int64) -> TimeSpan { TimeSpan(milliseconds: count * 1000) }
    package static func minutes(_ count: Int64) -> TimeSpan { .seconds(count * 60) }
    package static func hours(_ count: Int64) -> TimeSpan { .minutes(count * 60) }
    package static func days(_ count: Int64) -> TimeSpan { .hours(count * 24) }
    package static func months(_ count: Int) -> TimeSpan { TimeSpan(months: count) }

    package var isZero: Bool { months == 0 && milliseconds == 0 }

    /// Seconds, a month counted as 30.4375 days: for comparing spans, for waits on the boot clock, never for due dates.
    package var approximateSeconds: Double { Double(months) * 30.4375 * 86400 + Double(milliseconds) / 1000 }

    /// `count` spans after `date`, all months added at once, so that a month end does not drift.
    package func after(_ date: Date, times count: Int = 1, in zone: TimeZone = .gmt) -> Date {
        var date = date
        if months != 0 {
            var calendar = Calendar(identifier: .gregorian)
            calendar.timeZone = zone
            date = calendar.date(byAdding: .month, value: months * count, to: date) ?? date
        }
        return date.addingTimeInterval(Double(milliseconds) * Double(count) / 1000)
    }
}

extension TimeSpan {
    /// Why a text is no time span; `description` continues the sentence "expected ...".
    package struct ParseError: Error, CustomStringConvertible {
        package let description: String
    }

    /// Unit names of systemd.time(7). Their values: months, or milliseconds (microseconds round to nothing and are left out).
    private static let units: [(names: [String], months: Int, milliseconds: Int64)] = [
        (["ms", "msec"], 0, 1),
        (["s", "sec", "second", "seconds"], 0, 1000),
        (["m", "min", "minute", "minutes"], 0, 60_000),
        (["h", "hr", "hour", "hours"], 0, 3_600_000),
        (["d", "day", "days"], 0, 86_400_000),
        (["w", "week", "weeks"], 0, 604_800_000),
        (["M", "month", "months"], 1, 0),
        (["y", "year", "years"], 12, 0),
    ]

    /// Parses `90d`, `24 hours`, `1h 30min`, `1.5h`. A bare number other than 0 is refused: a forgotten unit in a
    /// rotation policy must not mean seconds.
    package init(parsing text: String) throws(ParseError) {
        let expected = "a time span such as 90d, 24 hours, 1h 30min, 20s or 3 months"
        var rest = Substring(text).drop(while: \.isWhitespace)
        guard !rest.isEmpty else { throw ParseError(description: expected) }
        if rest.allSatisfy({ $0 == "0" }) {
            self = .zero
            return
        }
        var span = TimeSpan.zero
        while !rest.isEmpty {
            let number = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(number.count).drop(while: \.isWhitespace)
            let unitName = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(unitName.count).drop(while: \.isWhitespace)
            guard let amount = Decimal(string: String(number), locale: nil), number.filter({ $0 == "." }).count <= 1, number.last != "."
            else {
                throw ParseError(description: expected)
            }
            guard !unitName.isEmpty else { throw ParseError(description: "a unit after \(number), such as \(number) days") }
            guard let unit = TimeSpan.units.first(where: { $0.names.contains(String(unitName)) }) else {
                throw ParseError(description: "\(expected); '\(unitName)' is no unit of time")
            }
            if unit.months > 0 {
                guard !number.contains("."), let count = Int(number), count <= 12_000 else {
                    throw ParseError(description: "a whole number of calendar months or years, at most 1000 years")
                }
                span.months += count * unit.months
            } else {
                // A thousand years: far beyond any policy, far below any overflow.
                let milliseconds = amount * Decimal(unit.milliseconds)
                guard milliseconds <= 31_557_600_000_000 else { throw ParseError(description: "a time span below 1000 years") }
                span.milliseconds += NSDecimalNumber(decimal: milliseconds).int64Value
            }
            guard span.months <= 12_000, span.milliseconds >= 0, span.milliseconds <= 31_557_600_000_000 else {
                throw ParseError(description: "a time span below 1000 years")
            }
        }
        self = span
    }
}

extension TimeSpan: CustomStringConvertible {
    /// As a policy would write it: `3 months`, `1d 2h`, `20s`.
    package var description: String {
        var parts: [String] = []
        if months != 0 { parts.append(months % 12 == 0 ? "\(months / 12)y" : "\(months) month\(months == 1 ? "" : "s")") }
        var rest = milliseconds
        for (unit, size) in [("d", Int64(86_400_000)), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)] where rest >= size {
            parts.append("\(rest / size)\(unit)")
            rest %= size
        }
        return parts.isEmpty ? "0s" : parts.joined(separator: " ")
    }
}
