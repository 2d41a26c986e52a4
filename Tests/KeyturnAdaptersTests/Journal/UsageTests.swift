import Foundation
import GRDB
import KeyturnCore
import KeyturnEngine
import Testing

@testable import KeyturnAdapters

/// The journal remembers what was spent for ever, and readings as long as they are of use.
struct `What the journal keeps of usage` {
    private let fixture: JournalFixture
    private var journal: SQLiteJournal { fixture.journal }
    private let gateway = GatewayName("laozhang")
    private let calendar = DayCalendar()
    init() throws { fixture = try JournalFixture() }

    private func meter(_ name: String = "t-2026-11", at date: Date = JournalFixture.noon, month: Int64 = 5_000_000_001) -> Meter {
        Meter(
            gateway: gateway, generation: name, token: TokenName("t"), currency: "USD", readAt: date, today: .zero,
            month: Amount(billionths: month),
            doubt: Meter.Doubt(figures: Figures(today: nil, month: Amount(billionths: 7)), at: date), unconfirmed: Amount(billionths: 3),
            largest: Amount(billionths: 4), end: .read)
    }

    private func reading(
        _ meter: Meter, at date: Date = JournalFixture.noon, _ spent: Int64 = 0, environment: String = "prod"
    ) -> KeptReading {
        KeptReading(
            meter: meter, figures: Figures(today: nil, month: meter.month), at: date, environment: environment,
            spent: spent == 0 ? [] : [(calendar.day(of: date), Amount(billionths: spent))])
    }

    @Test func `a meter comes back as it was kept`() throws {
        try journal.keep([reading(meter())])
        #expect(try journal.meters(of: gateway, names: ["t-2026-11", "other"]) == ["t-2026-11": meter()])
        var plain = meter()
        (plain.doubt, plain.end, plain.month, plain.isNew) = (nil, nil, nil, true)
        try journal.keep([reading(plain)])
        #expect(try journal.meters(of: gateway, names: ["t-2026-11"]) == ["t-2026-11": plain])
        #expect(try journal.meters(of: GatewayName("other"), names: ["t-2026-11"]).isEmpty)
        #expect(try journal.firstReadings() == [TokenName("t"): JournalFixture.noon])
    }

    @Test func `sums are exact, by token, environment and day, over all generations`() throws {
        let later = JournalFixture.noon.addingTimeInterval(86400)
        try journal.keep([
            reading(meter("t-2026-10"), 100_000_000), reading(meter(), 200_000_000), reading(meter(), at: later, 1),
            reading(meter(), 999_999_999, environment: "dev"),
        ])
        try journal.keep([reading(meter(), 1)])
        let day = calendar.day(of: JournalFixture.noon)
        let spent = try journal.spent(day...day.advanced(by: 1)).map { "\($0.environment) \($0.day.number - day.number) \($0.amount)" }
        #expect(Set(spent) == ["prod 0 0.300000001", "prod 1 0.000000001", "dev 0 0.999999999"])
        #expect(try journal.spent(day.advanced(by: 1)...day.advanced(by: 9)).count == 1)
    }

    @Test func `sums as large as they come overflow nothing`() throws {
        for _ in 0..<200 { try journal.keep([reading(meter(), Amount.largest.billionths)]) }
        for number in 0..<20 { try journal.keep([reading(meter("g\(number)"), 8_999_999_999_999_999_999)]) }
        let day = calendar.day(of: JournalFixture.noon)
        #expect(try journal.spent(day...day)[0].amount > 100_000_000_000)
    }

    @Test func `what was spent does not fall and is not removed, whoever tries`() throws {
        try journal.keep([reading(meter(), 5)])
        for sql in ["UPDATE spent SET amount = 4", "DELETE FROM spent", "UPDATE spent SET amount = -1"] {
            #expect(throws: DatabaseError.self, "\(sql)") { try JournalFixture.execute(sql, in: fixture.path) }
        }
        let day = calendar.day(of: JournalFixture.noon)
        #expect(try journal.spent(day...day).map(\.amount) == [Decimal(5) / 1_000_000_000])
    }

    @Test func `meters that lack something are found`() throws {
        var (whole, doubted, unread) = (meter("a"), meter("b"), meter("c"))
        (whole.doubt, unread.doubt) = (nil, nil)
        doubted.end = nil
        unread.end = .unread
        try journal.keep([reading(whole), reading(doubted), reading(unread)])
        #expect(Set(try journal.lackingMeters().map(\.generation)) == ["b", "c"])
    }

    private func times() throws -> [Date] {
        try journal.queue.read { db in try Int64.fetchAll(db, sql: "SELECT at FROM reading ORDER BY at") }
            .map { Date(timeIntervalSince1970: Double($0) / 1000) }
    }

    @Test func `readings are thinned with age, a bounded part at a time, and sums stay`() throws {
        let retention = ReadingRetention(raw: 10 * 86400, hourly: 40 * 86400, daily: 100 * 86400)
        let now = JournalFixture.noon
        // A reading each quarter of an hour for a hundred and twenty days.
        let count = 120 * 96
        try journal.keep((1...count).map { reading(meter(), at: now.addingTimeInterval(-900 * Double($0)), 1) })
        var steps = 0
        while try journal.thin(retention, at: now, limit: 700) > 0 {
            steps += 1
            try #require(steps < 200)
        }
        #expect(steps > 10)
        let ages = try times().map { now.timeIntervalSince($0) / 86400 }
        #expect(ages.count { $0 <= 10 } == 960)
        #expect((30 * 24...30 * 24 + 8).contains(ages.count { $0 > 10 && $0 <= 40 }))
        // By whole days, which end at midnight.
        #expect((59...61).contains(ages.count { $0 > 41 }))
        #expect(ages.allSatisfy { $0 <= 101 })
        // The last of its hour stands for it.
        #expect(try times().filter { now.timeIntervalSince($0) > 11 * 86400 }.allSatisfy { Int($0.timeIntervalSince1970) % 3600 == 2700 })
        let day = calendar.day(of: now)
        #expect(try journal.spent(day.advanced(by: -121)...day).reduce(0) { $0 + $1.amount } == Decimal(count) / 1_000_000_000)
        #expect(try journal.thin(retention, at: now, limit: 700) == 0)
        // A clock that was set back thins nothing anew.
        #expect(try journal.thin(retention, at: now.addingTimeInterval(-30 * 86400), limit: 700) == 0)
    }

    @Test func `an older journal is brought up to date with all that is in it`() throws {
        try journal.record(JournalFixture.token("t"), [JournalFixture.entry("t")])
        try journal.queue.write { db in
            for table in ["spent", "reading", "meter"] { try db.execute(sql: "DROP TABLE \(table)") }
            try db.execute(sql: "DROP INDEX finding_by_key; DELETE FROM grdb_migrations WHERE identifier = '9'")
        }
        try journal.queue.close()
        let newer = try SQLiteJournal(path: fixture.path)
        #expect(try newer.ledger().count == 1)
        try newer.keep([reading(meter(), 1)])
    }
}
