import Foundation
import KeyturnCore
import KeyturnTestKit
import Testing

/// What is owed of one finding, and when.
struct NoticeTests {
    private static let start = Date(timeIntervalSince1970: 1_796_040_000)

    private static func notice(_ severity: Severity = .error, _ telling: Telling = .whileOpen, closed: Double? = nil) -> Notice {
        let finding = Finding(code: .tokenStuck, severity: severity, token: TokenName("t"), sentence: "s", help: "h", telling: telling)
        return Notice(number: 1, finding: finding, openedAt: start, closedAt: closed.map { start.addingTimeInterval($0 * 86400) })
    }

    private static func day(_ number: Double) -> Date { start.addingTimeInterval(number * 86400) }

    @Test func `it is told when it opens, and again 1, 2, 4, 8 and 16 days after`() throws {
        var notice = Self.notice()
        var told: [Double] = []
        for hour in stride(from: 0.0, through: 24 * 20, by: 1) {
            let now = Self.day(hour / 24)
            guard case .now(let word) = notice.due(from: .warning, at: now) else { continue }
            #expect(word == (told.isEmpty ? .opened : .again))
            told.append(hour / 24)
            notice = try #require(notice.saying(word, at: now))
        }
        #expect(told == [0, 1, 2, 4, 8, 16])
    }

    @Test func `its end is told where its beginning was, and settles it`() {
        var notice = Self.notice()
        notice = notice.saying(.opened, at: Self.start) ?? notice
        notice.closedAt = Self.day(0.5)
        #expect(notice.due(from: .warning, at: Self.day(3)) == .now(.over))
        #expect(notice.saying(.over, at: Self.day(3)) == nil)
    }

    @Test func `what was over before it was told has come and gone`() {
        #expect(Self.notice(closed: 0.1).due(from: .warning, at: Self.day(1)) == .now(.passed))
        #expect(Self.notice(.info, closed: 0.1).due(from: .warning, at: Self.day(1)) == .settled)
        #expect(Self.notice(.info, .asked, closed: 0.1).due(from: .warning, at: Self.day(1)) == .settled)
    }

    @Test func `what is less severe than the courier begins with is not told until it is`() {
        var notice = Self.notice(.info)
        #expect(notice.due(from: .warning, at: Self.start) == .idle)
        notice.finding.severity = .warning
        #expect(notice.due(from: .warning, at: Self.start) == .now(.opened))
        notice = notice.saying(.opened, at: Self.start) ?? notice
        notice.finding.severity = .error
        #expect(notice.due(from: .warning, at: Self.day(0.1)) == .now(.worse))
        notice = notice.saying(.worse, at: Self.day(0.1)) ?? notice
        #expect(notice.due(from: .warning, at: Self.day(0.2)) == .later(Self.day(1.1)))
    }

    @Test func `a budget's finding and one that a policy asks for are told once, and the end of neither`() {
        for telling in [Telling.once, .asked] {
            var notice = Self.notice(telling == .asked ? .info : .warning, telling)
            #expect(notice.due(from: .warning, at: Self.start) == .now(.opened))
            notice = notice.saying(.opened, at: Self.start) ?? notice
            #expect(notice.due(from: .warning, at: Self.day(40)) == .settled)
            notice.closedAt = Self.day(41)
            #expect(notice.due(from: .warning, at: Self.day(41)) == .settled)
        }
        #expect(Self.notice(.error, .kept).due(from: .info, at: Self.start) == .settled)
    }

    @Test func `a clock that leaps a year ahead and comes back brings two repetitions, and no silence after`() throws {
        var notice = try #require(Self.notice().saying(.opened, at: Self.start))
        #expect(notice.due(from: .warning, at: Self.day(365)) == .now(.again))
        notice = try #require(notice.saying(.again, at: Self.day(365)))
        #expect(notice.due(from: .warning, at: Self.day(0.1)) == .now(.again))
        notice = try #require(notice.saying(.again, at: Self.day(0.1)))
        #expect(notice.due(from: .warning, at: Self.day(0.2)) == .later(Self.day(2.1)))
    }

    @Test func `what comes and goes all day is told again an hour after the last word about it`() {
        var notice = Self.notice()
        notice.toldBefore = Self.start.addingTimeInterval(-600)
        #expect(notice.due(from: .warning, at: Self.start) == .later(Self.start.addingTimeInterval(3000)))
        #expect(notice.due(from: .warning, at: Self.start.addingTimeInterval(3000)) == .now(.opened))
        // A wrong clock's word about the past holds nothing back.
        notice.toldBefore = Self.day(365)
        #expect(notice.due(from: .warning, at: Self.start) == .now(.opened))
    }
}

/// In how many messages.
struct OwedTests {
    private static let now = Date(timeIntervalSince1970: 1_796_040_000)

    private static func notices(_ count: Int, _ severity: Severity = .error, closed: Bool = false) -> [Notice] {
        (0..<count).map { number in
            let finding = Finding(code: .tokenStuck, severity: severity, token: TokenName("t\(number)"), sentence: "s", help: "h")
            return Notice(number: Int64(number), finding: finding, openedAt: now, closedAt: closed ? now : nil)
        }
    }

    private static func owed(_ notices: [Notice], taken: [Date] = [], wasFailing: Bool = false) -> Owed {
        Owed(notices, from: .warning, taken: taken, wasFailing: wasFailing, at: now)
    }

    @Test func `few are told one by one, many in one message`() {
        #expect(Self.owed(Self.notices(5)).next.count == 1)
        #expect(Self.owed(Self.notices(6)).next.count == 6)
        #expect(Self.owed(Self.notices(500)).next.count == 500)
    }

    @Test func `an hour has twelve messages, and what waits for the next one is told in one`() {
        let taken = (1...12).map { Self.now.addingTimeInterval(-60 * Double($0)) }
        let owed = Self.owed(Self.notices(2), taken: taken)
        #expect(owed.next.isEmpty)
        #expect(owed.later == Self.now.addingTimeInterval(3600 - 720))
        #expect(Self.owed(Self.notices(2), taken: Array(taken.prefix(11))).next.count == 2)
        // Messages of a clock that was ahead hold nothing up.
        #expect(Self.owed(Self.notices(2), taken: taken.map { $0.addingTimeInterval(1e7) }).next.count == 1)
    }

    @Test func `what came and went is told with the next message, or alone after an outage`() {
        let passed = Self.notices(3, closed: true)
        #expect(Self.owed(passed).next.isEmpty)
        #expect(Self.owed(passed, wasFailing: true).next.map(\.word) == [.passed, .passed, .passed])
        var one = Self.notices(1)
        one[0].number = 9
        #expect(Self.owed(passed + one).next.map(\.word) == [.opened, .passed, .passed, .passed])
    }
}

/// Random histories of findings beside a courier that fails, and a clock that leaps.
struct TellingHistoryTests {
    @Test(arguments: UInt64(1)...60) func `nothing is told twice, forgotten, or told in a storm`(seed: UInt64) {
        var history = History(seed: seed)
        for _ in 0..<400 { history.step() }
        history.calm()
        #expect(history.wrongs.isEmpty, "seed \(seed): \(history.wrongs.prefix(3))")
        #expect(history.messages > 3)
    }
}

private struct History {
    private var dice: Dice
    private var now = Date(timeIntervalSince1970: 1_796_040_000)
    private var notices: [Int64: Notice] = [:]
    private var open: [String: Int64] = [:]
    private var last: [String: Date] = [:]
    private var taken: [Date] = []
    private var said: Set<String> = []
    private var mattered: Set<Int64> = []
    private var isDown = false
    private var wasFailing = false
    private var number: Int64 = 0
    private(set) var wrongs: [String] = []
    private(set) var messages = 0

    init(seed: UInt64) { dice = Dice(seed: seed) }

    mutating func step() {
        now += dice.pick([1, 30, 600, 3000, 40_000])
        if dice.happens(0.02) { now += dice.pick([-30 * 86400, 365 * 86400, -3000]) }
        if dice.happens(0.1) { isDown.toggle() }
        for key in 0..<dice.number(0...8) where dice.happens(0.3) { dice.happens(0.6) ? begin("\(key)") : end("\(key)") }
        if dice.happens(0.05) { for key in 0..<60 { begin("burst\(key)") } }
        if dice.happens(0.1) { for key in open.keys.sorted() { end(key) } }
        deliver()
    }

    mutating func calm() {
        isDown = false
        for _ in 0..<6 {
            now += 3601
            deliver()
        }
        for (key, number) in open where notices[number].map({ $0.told == 0 && $0.finding.severity >= .warning }) ?? true {
            wrongs.append("\(key) is open and was never told")
        }
    }

    private mutating func begin(_ key: String) {
        let severity = dice.pick(Severity.allCases)
        if let number = open[key] {
            notices[number]?.finding.severity = severity
            return
        }
        number += 1
        open[key] = number
        let finding = Finding(code: .tokenStuck, severity: severity, token: TokenName(key), sentence: key, help: "h")
        notices[number] = Notice(number: number, finding: finding, openedAt: now, toldBefore: last[key])
    }

    private mutating func end(_ key: String) {
        guard let number = open.removeValue(forKey: key) else { return }
        notices[number]?.closedAt = now
    }

    private mutating func deliver() {
        let start = messages
        while true {
            let owed = Owed(
                notices.values.filter { !said.contains("\($0.number) settled") }.sorted { $0.number < $1.number },
                from: .warning, taken: taken, wasFailing: wasFailing, at: now)
            for number in owed.settled { said.insert("\(number) settled") }
            guard !owed.next.isEmpty else { break }
            guard !isDown else {
                wasFailing = true
                break
            }
            wasFailing = false
            messages += 1
            taken.append(now)
            for item in owed.next { tell(item) }
        }
        if messages - start > Owed.mostAnHour { wrongs.append("\(messages - start) messages at one time") }
    }

    private mutating func tell(_ item: Owed.Item) {
        let number = item.notice.number
        if [.opened, .over, .passed].contains(item.word), !said.insert("\(number) \(item.word)").inserted {
            wrongs.append("\(number) is told \(item.word) twice")
        }
        if item.word == .over, !said.contains("\(number) opened") { wrongs.append("\(number) is over, and was never told") }
        last[item.notice.finding.token?.text ?? ""] = now
        if let next = item.notice.saying(item.word, at: now) { notices[number] = next } else { said.insert("\(number) settled") }
    }
}
