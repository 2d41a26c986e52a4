package import Foundation

/// Dates as people write them into policies and commands. Strict, where Foundation's parsers turn 30 February into 2 March.
package enum StrictDate {
    /// `2026-12-31` (to the end of that day in UTC), or an ISO 8601 time with its zone; nil for everything else, also for a day that
    /// no calendar has.
    package static func date(_ text: String) -> Date? {
        let pattern =
            /([0-9]{4})-([0-9][0-9])-([0-9][0-9])(?:[T ]([0-9][0-9]):([0-9][0-9]):([0-9][0-9])(?:Z|([+-])([0-9][0-9]):?([0-9][0-9])))?/
        guard let match = text.wholeMatch(of: pattern) else { return nil }
        func number(_ digits: Substring?) -> Int? { digits.flatMap { Int($0) } }
        let hasTime = match.4 != nil
        var parts = DateComponents(timeZone: .gmt)
        (parts.year, parts.month, parts.day) = (number(match.1), number(match.2), number(match.3))
        (parts.hour, parts.minute, parts.second) = hasTime ? (number(match.4), number(match.5), number(match.6)) : (23, 59, 59)
        let calendar = Calendar(identifier: .gregorian)
        guard parts.isValidDate(in: calendar), let date = calendar.date(from: parts) else { return nil }
        guard let sign = match.7, let hours = number(match.8), let minutes = number(match.9) else { return date }
        guard hours < 24, minutes < 60 else { return nil }
        return date.addingTimeInterval(Double(hours * 60 + minutes) * (sign == "+" ? -60 : 60))
    }
}
