import Foundation
import KeyturnCore
import Testing

@Suite struct WindowTests {
    static let inside: [(window: String, inside: [String], outside: [String])] = [
        (
            "Mon..Thu 09:00-16:00 Europe/Berlin", ["2026-11-02T08:00:00Z", "2026-11-05T14:59:59Z"],
            ["2026-11-02T07:59:59Z", "2026-11-05T15:00:00Z", "2026-11-06T10:00:00Z", "2026-11-08T10:00:00Z"]
        ),
        ("Sat,Sun 00:00-24:00", ["2026-11-07T00:00:00Z", "2026-11-08T23:59:59Z"], ["2026-11-06T23:59:59Z", "2026-11-09T00:00:00Z"]),
        // Over midnight a span belongs to the day it starts on.
        (
            "Fri 22:00-06:00", ["2026-11-06T22:00:00Z", "2026-11-07T05:59:59Z"],
            ["2026-11-06T05:00:00Z", "2026-11-07T06:00:00Z", "2026-11-07T22:00:00Z"]
        ),
        ("Sat..Mon 10:00-11:00", ["2026-11-07T10:00:00Z", "2026-11-08T10:00:00Z", "2026-11-09T10:00:00Z"], ["2026-11-10T10:00:00Z"]),
        ("09:00-10:00", ["2026-11-04T09:30:00Z", "2026-11-08T09:30:00Z"], ["2026-11-04T10:00:00Z"]),
        ("Mon 09:00-10:00 America/New_York", ["2026-11-02T14:00:00Z"], ["2026-11-02T09:00:00Z", "2026-11-02T13:59:59Z"]),
        ("Mon 09:00-10:00 Asia/Kolkata", ["2026-11-02T03:30:00Z"], ["2026-11-02T03:29:59Z", "2026-11-02T04:30:00Z"]),
        // 29 March: 02:00 to 03:00 does not exist; what opens in it opens as many minutes after the gap.
        (
            "Sun 02:30-05:00 Europe/Berlin", ["2026-03-29T01:30:00Z", "2026-03-29T02:59:59Z"],
            ["2026-03-29T01:29:59Z", "2026-03-29T03:00:00Z"]
        ),
        // 25 October: 02:00 to 03:00 comes twice; it opens with the first and closes when the clock is past the second.
        (
            "Sun 02:00-03:00 Europe/Berlin", ["2026-10-25T00:00:00Z", "2026-10-25T01:59:59Z"],
            ["2026-10-24T23:59:59Z", "2026-10-25T02:00:00Z"]
        ),
        ("Sat 23:00-04:00 Europe/Berlin", ["2026-10-24T21:00:00Z", "2026-10-25T02:59:59Z"], ["2026-10-25T03:00:00Z"]),
    ]

    @Test(arguments: inside) func `a window is open on its days, by its own clock`(
        row: (window: String, inside: [String], outside: [String])
    ) throws {
        let window = try Window(parsing: row.window)
        for moment in row.inside { #expect(window.contains(date(moment)), "\(row.window) at \(moment)") }
        for moment in row.outside { #expect(!window.contains(date(moment)), "\(row.window) at \(moment)") }
    }

    @Test(arguments: [
        ("Mon..Thu 09:00-16:00 Europe/Berlin", "2026-11-05T15:00:00Z", "2026-11-09T08:00:00Z"),
        ("Mon..Thu 09:00-16:00 Europe/Berlin", "2026-11-02T10:00:00Z", "2026-11-02T10:00:00Z"),
        ("Fri 22:00-06:00", "2026-11-07T06:00:00Z", "2026-11-13T22:00:00Z"),
        ("Sun 02:30-05:00 Europe/Berlin", "2026-03-23T00:00:00Z", "2026-03-29T01:30:00Z"),
        ("Mon 00:00-01:00", "2026-11-02T01:00:00Z", "2026-11-09T00:00:00Z"),
        // A Friday that Samoa never had.
        ("Fri 09:00-10:00 Pacific/Apia", "2011-12-25T00:00:00Z", "2012-01-05T19:00:00Z"),
    ])
    func `the next opening is the first moment that lies in it`(text: String, from: String, to: String) throws {
        #expect(try Window(parsing: text).nextOpening(from: date(from)) == date(to))
    }

    @Test(arguments: ["Mon 09:00-09:00", "00:00-00:00"]) func `a window of no length never opens`(text: String) throws {
        let window = try Window(parsing: text)
        #expect(!window.canOpen)
        #expect(window.nextOpening(from: monday) == nil)
        #expect(!window.contains(monday))
    }

    @Test func `a window without days never opens`() {
        let window = Window(days: [], opens: 0, closes: 60, zone: .gmt)
        #expect(!window.canOpen && window.nextOpening(from: monday) == nil)
    }

    static let errors: [(String, String)] = [
        ("", "a window such as"), ("Mon", "a window such as"), ("Mon..Thu", "a window such as"), ("Mo 09:00-10:00", "'Mo' is no day"),
        ("Mon.. 09:00-10:00", "'Mon..' is no day"), ("Mon..Tue..Wed 09:00-10:00", "is no day"), ("Mon,,Tue 09:00-10:00", "'' is no day"),
        ("09:00", "'09:00' is no span"), ("09:00-25:00", "is no span"), ("24:00-09:00", "is no span"), ("09:60-10:00", "is no span"),
        ("9-10", "is no span"),
        ("-09:00-10:00", "is no span"), ("09:00-10:00 Mars/Olympus", "no time zone"), ("09:00-10:00 UTC Mon", "'Mon' is left over"),
    ]

    @Test(arguments: errors) func `what is no window is refused with what was expected`(text: String, says: String) {
        let error = #expect(throws: Window.ParseError.self) { try Window(parsing: text) }
        #expect(error?.description.contains(says) == true, "\(text): \(error?.description ?? "")")
    }

    @Test(arguments: ["Mon,Tue,Wed,Thu 09:00-16:00 Europe/Berlin", "22:00-06:00 UTC", "Sun 00:00-24:00 Asia/Kolkata"])
    func `it is told as a policy would write it`(text: String) throws {
        #expect(try Window(parsing: text).description == text)
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>) func `contains and nextOpening agree`(seed: UInt64) throws {
        var random = Seeded(seed)
        let zones = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe", "UTC"]
        let zone = try #require(TimeZone(identifier: zones.randomElement(using: &random) ?? "UTC"))
        let days = Set((1...7).filter { _ in Bool.random(using: &random) })
        let window = Window(
            days: days, opens: Int.random(in: 0..<1440, using: &random), closes: Int.random(in: 0...1440, using: &random), zone: zone)
        // Around changes of the clock, more often than chance would have it.
        let anchors = [
            "2026-03-29T01:00:00Z", "2026-10-25T01:00:00Z", "2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z", "2026-06-15T00:00:00Z",
        ]
        for _ in 0..<12 {
            let moment = date(anchors.randomElement(using: &random) ?? "").addingTimeInterval(
                Double(Int.random(in: -400_000...400_000, using: &random)))
            let next = window.nextOpening(from: moment)
            guard window.canOpen else {
                #expect(next == nil && !window.contains(moment), "seed \(seed)")
                continue
            }
            let opening = try #require(next, "seed \(seed), \(window), \(moment)")
            #expect(opening >= moment && window.contains(opening), "seed \(seed), \(window), \(moment)")
            #expect((opening == moment) == window.contains(moment), "seed \(seed), \(window), \(moment)")
            // Nothing between them is open, and just before an opening it is closed.
            #expect(opening == moment || !window.contains(opening.addingTimeInterval(-1)), "seed \(seed), \(window), \(moment)")
            let between = moment.addingTimeInterval(opening.timeIntervalSince(moment) * Double.random(in: 0..<1, using: &random))
            #expect(opening == moment || !window.contains(between), "seed \(seed), \(window), \(moment), \(between)")
        }
    }
}
