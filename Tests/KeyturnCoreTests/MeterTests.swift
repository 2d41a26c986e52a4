import Foundation
import KeyturnCore
import Testing

/// What was spent, out of counters that begin anew when they like.
struct MeterTests {
    static let start = Date(timeIntervalSince1970: 1_767_607_200)

    /// A meter that was read once, with these figures.
    private func meter(_ month: String?, today: String? = nil) -> Meter {
        var meter = fresh
        _ = meter.take(figures(month, today), at: MeterTests.start)
        _ = meter.take(figures(month, today), at: MeterTests.start)
        return meter
    }

    private var fresh: Meter {
        Meter(
            of: Generation(name: "g", state: .held, intendedAt: MeterTests.start.addingTimeInterval(-900), signature: ""),
            token: TokenName("t"), at: GatewayName("main"), currency: "USD")
    }

    private func figures(_ month: String?, _ today: String? = nil) -> Figures {
        func amount(_ text: String?) -> Amount? { text.flatMap { Decimal(string: $0) }.flatMap(Amount.init) }
        return Figures(today: amount(today), month: amount(month))
    }

    /// What each reading of a row adds, a quarter of an hour apart.
    private func sums(_ first: (String?, String?), _ rows: [(String?, String?)], apart: TimeInterval = 900) -> [Decimal] {
        var meter = meter(first.0, today: first.1)
        return rows.enumerated().map { index, row in
            meter.take(figures(row.0, row.1), at: MeterTests.start.addingTimeInterval(apart * Double(index + 1)))
                .reduce(0) { $0 + $1.amount.decimal }
        }
    }

    private func numbers(_ texts: String...) -> [Decimal] { texts.compactMap { Decimal(string: $0) } }

    @Test func `a counter that rises is what was spent`() {
        #expect(sums(("5", "1"), [("5.3", "1.3"), ("5.3", "1.3"), ("5.30000001", "1.4")]) == numbers("0.3", "0", "0.00000001"))
    }

    @Test func `a new month counts from nothing once a second reading says so`() {
        #expect(sums(("50", "2"), [("0.2", "0.2"), ("0.5", "0.5"), ("0.6", "0.6")]) == numbers("0", "0.5", "0.1"))
        // The day's border alone changes nothing.
        #expect(sums(("50", "2"), [("50.2", "0.2"), ("50.4", "0.4")]) == numbers("0.2", "0.2"))
    }

    @Test func `a fall that was a slip counts nothing`() {
        #expect(sums(("50", "2"), [("0", "0"), ("50.1", "2.1")]) == numbers("0", "0.1"))
        #expect(sums(("50", nil), [("0", nil), ("50.1", nil)]) == numbers("0", "0.1"))
    }

    @Test func `an older figure of another server counts nothing, however often it comes back`() {
        let swinging: [(String?, String?)] = (0..<20).flatMap { _ in [("49.7", "1.7"), ("50", "2")] as [(String?, String?)] }
        #expect(sums(("50", "2"), swinging).reduce(0, +) == 0)
        #expect(sums(("50", nil), swinging.map { ($0.0, nil) }).reduce(0, +) == 0)
    }

    @Test func `a jump counts once a second reading bears it out`() {
        #expect(sums(("5", "1"), [("90000", "90000"), ("5.1", "1.1"), ("5.2", "1.2")]) == numbers("0", "0.1", "0.1"))
        #expect(sums(("5", "1"), [("60", "56"), ("60.1", "56.1")]) == numbers("0", "55.1"))
    }

    @Test func `where only the day is shown it stands in for the month`() {
        #expect(sums((nil, "5"), [(nil, "5.5"), (nil, "0.1"), (nil, "0.3")]) == numbers("0.5", "0", "0.3"))
        // A day later all that it shows is new.
        #expect(sums((nil, "0.5"), [(nil, "0.6"), (nil, "0.4")], apart: 86400) == numbers("0.6", "0.4"))
    }

    @Test func `a month that is not shown for a while counts once`() {
        #expect(sums(("5", "1"), [(nil, "1.5"), ("5.6", "1.6")]) == numbers("0.5", "0.1"))
    }

    @Test func `no figures are no news`() {
        #expect(sums(("5", "1"), [(nil, nil), ("5.1", "1.1")]) == numbers("0", "0.1"))
    }

    @Test func `a clock that was set back a month counts the same`() {
        var meter = meter("5", today: "1")
        let back = MeterTests.start.addingTimeInterval(-30 * 86400)
        let increments = meter.take(figures("5.4", "1.4"), at: back)
        #expect(increments.map(\.amount.decimal) == numbers("0.4"))
        #expect(DayCalendar().shares(of: increments[0]).map(\.day) == [DayCalendar().day(of: back)])
    }

    @Test func `what was spent before the first reading of an older generation is of the days before`() {
        var meter = Meter(
            of: Generation(name: "g", state: .held, intendedAt: MeterTests.start.addingTimeInterval(-90 * 86400), signature: ""),
            token: TokenName("t"), at: GatewayName("main"), currency: "USD")
        #expect(meter.take(figures("0.9", "0.2"), at: MeterTests.start).map(\.amount.decimal) == numbers("0.7", "0.2"))
        // More than a unit is believed with the second reading.
        meter = Meter(
            of: Generation(name: "g", state: .held, intendedAt: MeterTests.start.addingTimeInterval(-90 * 86400), signature: ""),
            token: TokenName("t"), at: GatewayName("main"), currency: "USD")
        #expect(meter.take(figures("300", "20"), at: MeterTests.start).isEmpty)
        let sum = meter.take(figures("300.5", "20.5"), at: MeterTests.start.addingTimeInterval(900)).reduce(0) { $0 + $1.amount.decimal }
        #expect(sum == Decimal(string: "300.5"))
    }

    @Test func `what no later reading has borne out is known`() {
        var meter = meter("5", today: "1")
        _ = meter.take(figures("5.5", "1.5"), at: MeterTests.start.addingTimeInterval(900))
        #expect(meter.unconfirmed.decimal == Decimal(string: "0.5"))
        _ = meter.take(figures("5.5", "1.5"), at: MeterTests.start.addingTimeInterval(1800))
        #expect(meter.unconfirmed == .zero)
    }

    @Test(arguments: ["-0.01", "100000000.01", "1e30", "NaN"]) func `what is no figure is none`(text: String) {
        let number = text == "NaN" ? Decimal.nan : Decimal(string: text)
        #expect(number.map { Amount($0) == nil } == true)
        guard case .failure(let why) = Reading(today: number, month: 5, lastUsedAt: nil).figures() else {
            Issue.record("\(text) was taken for a figure")
            return
        }
        #expect(why.description.hasPrefix("today_usage is "))
    }

    @Test func `whatever counters do, no more is counted than they rose and were reset to`() {
        var dice = SplitMix(seed: 7)
        for _ in 0..<150 {
            // A gateway that counts truly, and shows it late, not at all or wrong now and then.
            var (truth, month, today) = (Decimal(0), Decimal(0), Decimal(0))
            var meter = fresh
            var sum = Decimal(0)
            var last = Decimal(0)
            var older = Figures(today: .zero, month: .zero)
            // Two slips in a row bear each other out, as they must.
            var isSlip = false
            for step in 1...200 {
                let use = Decimal(Int(dice.next() % 30)) / 100
                if step % 96 == 0 { today = 0 }
                if step == 150 { month = 0 }
                (truth, month, today) = (truth + use, month + use, today + use)
                let shown = Figures(today: Amount(today), month: Amount(month))
                let kind = dice.next() % 20
                defer { isSlip = kind == 0 || kind == 3 }
                let figures: Figures =
                    switch isSlip ? 9 : kind {
                    case 0: Figures(today: .zero, month: .zero)
                    case 1: Figures(today: nil, month: nil)
                    case 2: step % 96 > 1 && step > 151 || step < 149 && step % 96 > 1 ? older : shown
                    case 3: Figures(today: shown.today, month: Amount(month + 5000))
                    default: shown
                    }
                older = shown
                let now = MeterTests.start.addingTimeInterval(900 * Double(step))
                for increment in meter.take(figures, at: now) { sum += increment.amount.decimal }
                #expect(sum >= last)
                last = sum
            }
            #expect(sum <= truth, "\(sum) of \(truth)")
        }
    }
}

/// SplitMix64, so that a seed repeats.
struct SplitMix {
    private var state: UInt64
    init(seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }
}
