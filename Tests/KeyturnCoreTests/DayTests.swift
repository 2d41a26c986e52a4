import Foundation
import KeyturnCore
import Testing

struct DayTests {
    @Test func `every day of four centuries is the one that the calendar says`() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        for number in stride(from: -36_525, to: 109_575, by: 13) {
            let day = Day(number: number)
            let parts = calendar.dateComponents([.year, .month, .day, .weekday], from: Date(timeIntervalSince1970: Double(number) * 86400))
            #expect(day.parts.year == parts.year && day.parts.month == parts.month && day.parts.day == parts.day)
            #expect(day.weekday + 1 == parts.weekday)
            #expect(Day(year: day.parts.year, month: day.parts.month, day: day.parts.day) == day)
        }
    }

    @Test func `a text is a day only where there is one`() {
        #expect(Day("2026-02-28")?.description == "2026-02-28")
        for text in ["2026-02-29", "2026-13-01", "26-1-1", "2026-11-24T00:00"] { #expect(Day(text) == nil, "\(text)") }
        #expect(Day("2024-12-05")?.firstOfNextMonth.description == "2025-01-01")
    }

    @Test(arguments: ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Pacific/Kiritimati", "America/St_Johns"])
    func `every moment lies in the day that begins last before it`(name: String) throws {
        let calendar = DayCalendar(zone: try #require(TimeZone(identifier: name)))
        for number in 17_500..<18_300 {
            let day = Day(number: number)
            let start = calendar.start(of: day)
            #expect(calendar.day(of: start) == day)
            #expect(calendar.day(of: start.addingTimeInterval(-1)) == day.advanced(by: -1))
            #expect([23, 23.5, 24, 24.5, 25].contains(calendar.length(of: day) / 3600))
        }
    }

    @Test func `an increment over nights is split by time, and nothing of it is lost`() throws {
        let calendar = DayCalendar(zone: try #require(TimeZone(identifier: "Europe/Berlin")))
        // The night of 25 October 2026 has an hour more: noon to noon is 25 hours, 13 of them on the Sunday.
        let from = calendar.start(of: try #require(Day("2026-10-24"))).addingTimeInterval(12 * 3600)
        let to = calendar.start(of: try #require(Day("2026-10-26")))
        let shares = calendar.shares(of: Increment(amount: Amount(billionths: 37_000_000_000), from: from, to: to))
        #expect(shares.map(\.day.description) == ["2026-10-24", "2026-10-25"])
        #expect(shares.map(\.amount.decimal) == [12, 25])
        let third = Increment(amount: Amount(billionths: 1_000_000_001), from: from, to: from.addingTimeInterval(9 * 86400))
        #expect(calendar.shares(of: third).reduce(0) { $0 + $1.amount.billionths } == 1_000_000_001)
        #expect(calendar.shares(of: third).count == 10)
        // Backwards, or longer than a year: of the day that it was read on.
        for increment in [Increment(amount: .largest, from: to, to: from), Increment(amount: .largest, from: .distantPast, to: from)] {
            #expect(calendar.shares(of: increment).map(\.day.description) == ["2026-10-24"])
        }
    }
}
