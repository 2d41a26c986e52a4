import Foundation
import KeyturnCore
import Testing

@Suite struct TimeSpanTests {
    static let spans: [(String, TimeSpan)] = [
        ("0", .zero), ("000", .zero), ("0s", .zero), ("20s", .seconds(20)), ("500ms", TimeSpan(milliseconds: 500)),
        ("5 msec", TimeSpan(milliseconds: 5)),
        ("1 second", .seconds(1)), ("2min", .minutes(2)), ("2m", .minutes(2)), ("2 minutes", .minutes(2)), ("24 hours", .hours(24)),
        ("1hr", .hours(1)),
        ("90d", .days(90)), ("1 day", .days(1)), ("2 weeks", .days(14)), ("1w", .days(7)), ("3 months", .months(3)), ("3M", .months(3)),
        ("1 year", .months(12)), ("2y", .months(24)), ("1h 30min", .minutes(90)), ("1h30min", .minutes(90)), (" 1h\t30min ", .minutes(90)),
        ("1.5h", .minutes(90)), (".5h", .minutes(30)), ("0.001s", TimeSpan(milliseconds: 1)),
        ("1y 1month 1d", TimeSpan(months: 13, milliseconds: 86_400_000)),
        ("1d 1d", .days(2)), ("1000y", .months(12_000)), ("365250d", .days(365_250)),
    ]

    @Test(arguments: spans) func `a span is read as systemd writes it, with months of the calendar`(text: String, span: TimeSpan) throws {
        #expect(try TimeSpan(parsing: text) == span)
    }

    static let errors: [(String, String)] = [
        ("", "a time span such as"), ("   ", "a time span such as"), ("90", "a unit after 90"), ("1h 30", "a unit after 30"),
        ("0.0", "a unit after 0.0"),
        ("-5d", "a time span such as"), ("+5d", "a time span such as"), ("d", "a time span such as"), ("five days", "a time span such as"),
        ("1..5h", "a time span such as"), ("1.h", "a time span such as"), ("5 fortnights", "'fortnights' is no unit"),
        ("5 D", "'D' is no unit"),
        ("1.5 months", "a whole number of calendar months"), ("1e3s", "'e' is no unit"), ("1001y", "below 1000 years"),
        ("12001 months", "at most 1000 years"),
        ("365251d", "below 1000 years"), ("365250d 1ms", "below 1000 years"), ("99999999999999999999s", "below 1000 years"),
        // These would wrap to something small in 64 bits.
        ("30500568905w", "below 1000 years"), ("365000d 15250284452w", "below 1000 years"), ("1d, 2h", "a time span such as"),
        ("５d", "a time span such as"),
    ]

    @Test(arguments: errors) func `what is no span is refused with what was expected`(text: String, says: String) throws {
        let error = #expect(throws: TimeSpan.ParseError.self) { try TimeSpan(parsing: text) }
        #expect(error?.description.contains(says) == true, "\(text): \(error?.description ?? "")")
    }

    @Test(arguments: [
        ("2027-08-31T09:00:00Z", 6, "2028-02-29T09:00:00Z"), ("2026-08-31T09:00:00Z", 6, "2027-02-28T09:00:00Z"),
        ("2026-11-30T00:00:00Z", 3, "2027-02-28T00:00:00Z"), ("2028-02-29T12:00:00Z", 12, "2029-02-28T12:00:00Z"),
        ("2026-01-31T23:59:59Z", 1, "2026-02-28T23:59:59Z"), ("2026-12-15T10:00:00Z", 1, "2027-01-15T10:00:00Z"),
    ])
    func `months are those of the calendar`(from: String, months: Int, to: String) {
        #expect(TimeSpan.months(months).after(date(from)) == date(to))
    }

    @Test func `counted from the anchor a month end does not drift`() {
        let anchor = date("2026-11-30T10:00:00Z")
        let ends = (1...8).map { TimeSpan.months(3).after(anchor, times: $0) }
        let days = ["2027-02-28", "2027-05-30", "2027-08-30", "2027-11-30", "2028-02-29", "2028-05-30", "2028-08-30", "2028-11-30"]
        #expect(ends == days.map { date($0 + "T10:00:00Z") })
    }

    @Test func `a month keeps the local hour over a change of the clock, a span of days does not`() throws {
        let berlin = try #require(TimeZone(identifier: "Europe/Berlin"))
        let winter = date("2026-03-01T08:00:00Z")
        #expect(TimeSpan.months(1).after(winter, in: berlin) == date("2026-04-01T07:00:00Z"))
        #expect(TimeSpan.days(31).after(winter, in: berlin) == date("2026-04-01T08:00:00Z"))
    }

    @Test(arguments: [
        (TimeSpan.months(3), "3 months"), (.months(1), "1 month"), (.months(24), "2y"), (.minutes(90), "1h 30min"), (.zero, "0s"),
        (.days(90), "90d"),
        (TimeSpan(milliseconds: 61_001), "1min 1s 1ms"),
    ])
    func `it is told as a policy would write it, and that can be read again`(span: TimeSpan, text: String) throws {
        #expect(span.description == text)
        #expect(try TimeSpan(parsing: text) == span)
    }
}
