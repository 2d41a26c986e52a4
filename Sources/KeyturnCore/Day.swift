package import Foundation

/// A day of the calendar without a time zone, counted from 1 January 1970: sums of usage are kept by it.
package struct Day: Hashable, Comparable, Sendable {
    package var number: Int

    package init(number: Int) { self.number = number }

    /// `2026-11-24`; nil for another form.
    package init?(_ text: String) {
        guard text.wholeMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2}/) != nil else { return nil }
        let parts = text.split(separator: "-").compactMap { Int($0) }
        self = Day(year: parts[0], month: parts[1], day: parts[2])
        guard description == text else { return nil }
    }

    /// By the Gregorian calendar; a day past its month's end runs into the next month.
    package init(year: Int, month: Int, day: Int) {
        // Years that begin in March have their odd day at the end.
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        number = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    package static func < (one: Day, other: Day) -> Bool { one.number < other.number }

    package func advanced(by days: Int) -> Day { Day(number: number + days) }

    /// 0 Sunday ... 6 Saturday.
    package var weekday: Int { ((number + 4) % 7 + 7) % 7 }

    package var parts: (year: Int, month: Int, day: Int) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let (year, wrapped) = (yearOfEra + era * 400, month < 10 ? month + 3 : month - 9)
        return (wrapped <= 2 ? year + 1 : year, wrapped, dayOfYear - (153 * month + 2) / 5 + 1)
    }

    package var firstOfMonth: Day { advanced(by: 1 - parts.day) }
    package var firstOfNextMonth: Day { Day(year: parts.month == 12 ? parts.year + 1 : parts.year, month: parts.month % 12 + 1, day: 1) }
}

extension Day: CustomStringConvertible {
    package var description: String {
        let (year, month, day) = parts
        func padded(_ number: Int, _ width: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, width - text.count)) + text
        }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }
}

/// The days of a time zone: where each begins, however its clocks are changed.
package struct DayCalendar: Sendable, Equatable {
    package var zone: TimeZone

    package init(zone: TimeZone = .gmt) { self.zone = zone }

    package func day(of date: Date) -> Day {
        Day(number: Int(((date.timeIntervalSince1970 + Double(zone.secondsFromGMT(for: date))) / 86400).rounded(.down)))
    }

    /// Its first moment: midnight, or where the clocks skip that, the moment they skip to.
    package func start(of day: Day) -> Date {
        let midnight = Double(day.number) * 86400
        let offsets = [midnight - 86400, midnight + 86400].map { zone.secondsFromGMT(for: Date(timeIntervalSince1970: $0)) }
        let candidates = offsets.map { Date(timeIntervalSince1970: midnight - Double($0)) }
        return candidates.filter { self.day(of: $0) == day }.min() ?? candidates[1]
    }

    /// Seconds of it: 23 or 25 hours where the clocks are changed.
    package func length(of day: Day) -> TimeInterval { start(of: day.advanced(by: 1)).timeIntervalSince(start(of: day)) }
}
