package import Foundation

/// When scheduled rotations may begin: days of the week and a span of the day in a time zone, `Mon..Thu 09:00-16:00
/// Europe/Berlin`. A span whose end lies before its start runs over midnight and belongs to the day it starts on.
package struct Window: Hashable, Sendable {
    /// Days as the Gregorian calendar numbers them, 1 Sunday ... 7 Saturday.
    package var days: Set<Int>
    /// Minutes after midnight, 0 ... 1440, of the local clock.
    package var opens: Int
    package var closes: Int
    package var zone: TimeZone

    package init(days: Set<Int>, opens: Int, closes: Int, zone: TimeZone) {
        self.days = days
        self.opens = opens
        self.closes = closes
        self.zone = zone
    }

    /// False for a window that no clock ever enters.
    package var canOpen: Bool { !days.isEmpty && opens != closes }

    package func contains(_ date: Date) -> Bool {
        spans(around: date).contains { $0.start <= date && date < $0.end }
    }

    /// The first moment at or after `date` that lies in the window; nil when it never opens.
    package func nextOpening(from date: Date) -> Date? {
        for span in spans(around: date) where span.end > date { return max(span.start, date) }
        return nil
    }

    /// The window's openings from the day before `date` to nine days later: every weekday at least once, also where a
    /// change of the clock swallows one.
    private func spans(around date: Date) -> [(start: Date, end: Date)] {
        guard canOpen else { return [] }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let today = calendar.startOfDay(for: date)
        return (-1...16).compactMap { offset in
            guard let noon = calendar.date(byAdding: .day, value: offset, to: today),
                days.contains(calendar.component(.weekday, from: noon)),
                let start = moment(opens, onDayOf: noon, calendar),
                let end = moment(closes > opens ? closes : closes + 1440, onDayOf: noon, calendar),
                start < end
            else { return nil }
            return (start, end)
        }
    }

    private func moment(_ minute: Int, onDayOf date: Date, _ calendar: Calendar) -> Date? {
        var day = calendar.dateComponents([.year, .month, .day], from: date)
        day.day = (day.day ?? 1) + minute / 1440
        day.hour = minute % 1440 / 60
        day.minute = minute % 60
        return calendar.date(from: day)
    }
}

extension Window {
    package struct ParseError: Error, CustomStringConvertible {
        package let description: String
    }

    private static let weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    /// `[DAYS] HH:MM-HH:MM [ZONE]`, DAYS as in systemd.time(7): `Mon..Thu`, `Sat,Sun`; without days every day, without a zone UTC.
    package init(parsing text: String) throws(ParseError) {
        var words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        let expected = "a window such as \"Mon..Thu 09:00-16:00 Europe/Berlin\""
        guard !words.isEmpty else { throw ParseError(description: expected) }
        var days: Set<Int> = [1, 2, 3, 4, 5, 6, 7]
        if let first = words.first, first.first?.isLetter == true {
            days = try Window.days(first, expected)
            words.removeFirst()
        }
        guard let clock = words.first else { throw ParseError(description: expected) }
        words.removeFirst()
        let ends = clock.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let opens = Window.minute(ends[0]), let closes = Window.minute(ends[1]), opens < 1440 else {
            throw ParseError(description: "\(expected); '\(clock)' is no span of the day")
        }
        var zone = TimeZone.gmt
        if let name = words.first {
            guard let named = name == "UTC" ? .gmt : TimeZone(identifier: name) else {
                throw ParseError(description: "\(expected); '\(name)' is no time zone that is known here")
            }
            zone = named
            words.removeFirst()
        }
        guard words.isEmpty else { throw ParseError(description: "\(expected); '\(words[0])' is left over") }
        self.init(days: days, opens: opens, closes: closes, zone: zone)
    }

    private static func days(_ text: String, _ expected: String) throws(ParseError) -> Set<Int> {
        var days: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = String(part).components(separatedBy: "..")
            guard (1...2).contains(ends.count), let first = weekday(ends[0]), let last = weekday(ends[ends.count - 1]) else {
                throw ParseError(description: "\(expected); '\(part)' is no day of the week")
            }
            var day = first
            days.insert(day)
            while day != last {
                day = day % 7 + 1
                days.insert(day)
            }
        }
        return days
    }

    private static func weekday(_ name: String) -> Int? {
        let name = name.lowercased()
        guard name.count >= 3 else { return nil }
        let full = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
        return (weekdays.firstIndex(of: name) ?? full.firstIndex(of: name)).map { $0 + 1 }
    }

    private static func minute(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ (1...2).contains($0.count) && $0.allSatisfy { $0.isASCII && $0.isNumber } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour < 24 || (hour == 24 && minute == 0)
        else { return nil }
        return hour * 60 + minute
    }
}

extension Window: CustomStringConvertible {
    package var description: String {
        func clock(_ minute: Int) -> String { String(format: "%02d:%02d", minute / 60, minute % 60) }
        let names = Window.weekdays.enumerated().filter { days.contains($0.offset + 1) }.map { $0.element.capitalized }
        let day = days.count == 7 ? "" : names.joined(separator: ",") + " "
        return "\(day)\(clock(opens))-\(clock(closes)) \(zone == .gmt ? "UTC" : zone.identifier)"
    }
}
