import Foundation
import KeyturnCore

extension YAMLValue {
    /// A time span of systemd.time(7); zero only where it makes sense.
    func span(orZero: Bool = false, in range: (least: TimeSpan, most: TimeSpan)? = nil) -> TimeSpan? {
        guard let text = scalarText else {
            refuse(expected: "a time span such as 90d, 24 hours or 3 months")
            return nil
        }
        do throws(TimeSpan.ParseError) {
            let span = try TimeSpan(parsing: text)
            guard orZero || span != .zero else {
                refuse(expected: "a time span above zero")
                return nil
            }
            guard let range,
                span.approximateSeconds < range.least.approximateSeconds || span.approximateSeconds > range.most.approximateSeconds
            else { return span }
            refuse(expected: "a time span from \(range.least) to \(range.most)")
        } catch {
            refuse(expected: error.description)
        }
        return nil
    }

    /// By its name in the tz database, or UTC.
    func timeZone() -> TimeZone? {
        // An abbreviation (EST) and an offset (GMT+1) are names to Foundation, and know nothing of summer.
        if let text = scalarText, text == "UTC" || text.contains("/"), let zone = text == "UTC" ? .gmt : TimeZone(identifier: text) {
            return zone
        }
        refuse(expected: "UTC or a time zone that is known here, such as Europe/Berlin")
        return nil
    }

    func window() -> Window? {
        guard let text = scalarText else {
            refuse(expected: "a window such as \"Mon..Thu 09:00-16:00 Europe/Berlin\"")
            return nil
        }
        do throws(Window.ParseError) {
            let window = try Window(parsing: text)
            if !window.canOpen { warn("found \(shown), a window that never opens") }
            return window
        } catch {
            refuse(expected: error.description)
            return nil
        }
    }

    /// `never`, a time span after creation, a date (to the end of that day in UTC) or an ISO 8601 date with time and zone.
    func expiry(now: Date) -> Expiry? {
        let expected = "never, a time span such as 90d, a date such as 2026-12-31 or a time such as 2026-12-31T18:00:00Z"
        guard let text = scalarText else {
            refuse(expected: expected)
            return nil
        }
        if text == "never" { return .never }
        if text.wholeMatch(of: /[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?.*/) != nil {
            guard let date = StrictDate.date(text) else {
                refuse(expected: "a date such as 2026-12-31 or a time such as 2026-12-31T18:00:00Z")
                return nil
            }
            if date <= now { warn("found \(shown), which is past: nothing is issued") }
            return .on(date)
        }
        guard let span = try? TimeSpan(parsing: text) else {
            refuse(expected: expected)
            return nil
        }
        guard span != .zero else {
            refuse(expected: "a time span above zero")
            return nil
        }
        return .after(span)
    }

    /// `DAY HH:MM [ZONE]`, DAY a day of the week (`Mon`) or of the month (1 ... 31); without a zone UTC.
    func auditTime(weekly: Bool) -> AuditTime? {
        let expected = weekly ? "a day of the week and a time such as Mon 09:00" : "a day of the month and a time such as 1 09:00"
        let words = scalarText?.split(whereSeparator: \.isWhitespace).map(String.init) ?? []
        guard (2...3).contains(words.count), let day = weekly ? YAMLValue.weekday(words[0]) : YAMLValue.dayOfMonth(words[0]),
            let clock = words[1].wholeMatch(of: /([0-9][0-9]):([0-9][0-9])/), let hour = Int(clock.1), let minute = Int(clock.2), hour < 24,
            minute < 60
        else {
            refuse(expected: "\(expected), with a time zone if it is not UTC")
            return nil
        }
        guard let zone = words.count == 2 || words[2] == "UTC" ? .gmt : TimeZone(identifier: words[2]) else {
            refuse(expected: "\(expected); '\(words[2])' is no time zone that is known here")
            return nil
        }
        return AuditTime(day: day, minute: hour * 60 + minute, zone: zone)
    }

    private static func weekday(_ name: String) -> Int? {
        let days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
        return days.firstIndex { $0 == name.lowercased() || $0.prefix(3) == name.lowercased() }.map { $0 + 1 }
    }

    private static func dayOfMonth(_ text: String) -> Int? {
        Int(text).flatMap { (1...31).contains($0) && text.first != "+" && text.first != "0" ? $0 : nil }
    }
}
