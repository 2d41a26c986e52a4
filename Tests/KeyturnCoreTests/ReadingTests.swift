import Foundation
import KeyturnCore
import Testing

@Suite struct ReadingTests {
    static func reading(_ today: Decimal?, _ month: Decimal?, used: TimeInterval? = nil) -> Reading {
        Reading(today: today, month: month, lastUsedAt: used.map { monday.addingTimeInterval($0) })
    }

    static let rows: [(before: Reading, after: Reading, isUse: Bool, what: String)] = [
        (reading(1, 5), reading(1, 5), false, "nothing moved"),
        (reading(1, 5), reading(2, 6), true, "both rose"),
        (reading(1, nil), reading(1.01, nil), true, "a small rise"),
        (reading(nil, 5), reading(nil, 6), true, "the month rose"),
        (reading(5, 9), reading(1, 10), true, "used after midnight"),
        (reading(5, 9), reading(0, 10), true, "used just before midnight"),
        (reading(5, 9), reading(0, 9), false, "midnight, and the month vouches"),
        (reading(5, nil), reading(0, nil), true, "midnight, and nothing vouches for the minutes before it"),
        (reading(0, nil), reading(0, nil), false, "the first quiet reading after that"),
        (reading(5, 9), reading(0, 0), true, "the end of a month, and nothing vouches"),
        (reading(0, 9), reading(0, 0), true, "the end of a month after a quiet day"),
        (reading(5, 9, used: 0), reading(0, 0, used: 0), false, "the end of a month, and the last use vouches"),
        (reading(5, 9, used: 0), reading(1, 1, used: 0), true, "a counter that rose after its reset"),
        (reading(nil, nil, used: 0), reading(nil, nil, used: 60), true, "a later use"),
        (reading(nil, nil, used: 60), reading(nil, nil, used: 0), false, "an earlier use is no new one"),
        (reading(nil, nil), reading(nil, nil, used: 0), true, "a first use"),
        (reading(nil, nil, used: 0), reading(nil, nil), false, "a figure that is shown no more says nothing"),
        (reading(nil, 5), reading(3, 5), false, "a figure that is new says nothing about before"),
    ]

    @Test(arguments: rows) func `use is a rise, a later last use, or a reset that hides the time before it`(
        row: (before: Reading, after: Reading, isUse: Bool, what: String)
    ) {
        #expect(row.before.shows(useIn: row.after) == row.isUse, "\(row.what)")
    }

    @Test func `a reading without figures says nothing`() {
        #expect(Reading(today: nil, month: nil, lastUsedAt: nil).saysNothing)
        #expect(!ReadingTests.reading(0, nil).saysNothing && !ReadingTests.reading(nil, nil, used: 0).saysNothing)
    }
}
