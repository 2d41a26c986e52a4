import Foundation
import KeyturnCore
import Testing

@Suite struct ScheduleTests {
    func generation(made: Date = monday, expiresAt: Date? = nil) -> Generation {
        Generation(name: "g1", state: .held, intendedAt: made, createdAt: made, expiresAt: expiresAt, signature: "")
    }

    func named(_ name: String, jitter: TimeSpan) -> TokenPolicy {
        var policy = TokenPolicy.sample(rotate: .every(.months(3), window: nil, jitter: jitter))
        policy.pattern = NamingPattern(prefix: name + "-", suffix: "")
        return policy
    }

    @Test func `a generation is due three months after it was made`() {
        let schedule = Schedule(of: generation(made: date("2026-11-30T10:00:00Z")), under: .sample())
        #expect(schedule.scheduled == date("2027-02-28T10:00:00Z") && schedule.beforeExpiry == nil)
        #expect(schedule.turn(at: date("2027-02-28T09:59:59Z")) == .later(date("2027-02-28T10:00:00Z")))
        #expect(schedule.turn(at: date("2027-02-28T10:00:00Z")) == .now(.scheduled, reason: nil))
    }

    @Test func `without a moment of creation the intent counts`() {
        let intended = Generation(name: "g1", state: .held, intendedAt: monday, signature: "")
        #expect(Schedule(of: intended, under: .sample()).scheduled == TimeSpan.months(3).after(monday))
    }

    @Test func `jitter is a fixed share of itself that only the name decides`() throws {
        var delays: Set<TimeInterval> = []
        for number in 0..<200 {
            let policy = named("token-\(number)", jitter: .days(1))
            let first = try #require(Schedule(of: generation(), under: policy).scheduled).timeIntervalSince(
                TimeSpan.months(3).after(monday))
            let later = date("2027-03-04T05:06:07Z")
            let second = try #require(Schedule(of: generation(made: later), under: policy).scheduled).timeIntervalSince(
                TimeSpan.months(3).after(later))
            #expect(first >= 0 && first < 86400)
            #expect(abs(first - second) < 0.001)
            delays.insert(first)
        }
        #expect(delays.count > 190)
        #expect(Schedule(of: generation(), under: named("token-1", jitter: .zero)).scheduled == TimeSpan.months(3).after(monday))
    }

    @Test func `before an expiry there is time for the overlap and a day`() {
        let expiry = monday.addingTimeInterval(30 * 86400)
        let policy = TokenPolicy.sample(overlap: Overlap(atLeast: .hours(48)), expires: .after(.days(30)))
        let schedule = Schedule(of: generation(expiresAt: expiry), under: policy)
        #expect(schedule.beforeExpiry == expiry.addingTimeInterval(-3 * 86400))
        #expect(schedule.turn(at: monday) == .later(expiry.addingTimeInterval(-3 * 86400)))
        #expect(schedule.turn(at: expiry.addingTimeInterval(-3 * 86400)) == .now(.expiring, reason: nil))
    }

    @Test func `a life hardly longer than its overlap uses half of it`() {
        let expiry = monday.addingTimeInterval(2 * 86400)
        let schedule = Schedule(of: generation(expiresAt: expiry), under: .sample(expires: .after(.days(2))))
        #expect(schedule.beforeExpiry == monday.addingTimeInterval(86400))
    }

    @Test func `a fixed date is no reason to replace what ends with it`() {
        let end = monday.addingTimeInterval(20 * 86400)
        #expect(Schedule(of: generation(expiresAt: end), under: .sample(expires: .on(end))).beforeExpiry == nil)
        // The policy's date was moved: a replacement lives longer.
        let moved = TokenPolicy.sample(expires: .on(end.addingTimeInterval(86400)))
        #expect(Schedule(of: generation(expiresAt: end), under: moved).beforeExpiry == end.addingTimeInterval(-2 * 86400))
    }

    @Test func `a rotation that is due waits for its window`() throws {
        let window = try Window(parsing: "Mon..Thu 09:00-16:00")
        let policy = TokenPolicy.sample(rotate: .every(.days(4), window: window, jitter: .zero))
        let schedule = Schedule(of: generation(), under: policy)
        let friday = monday.addingTimeInterval(4 * 86400)
        let nextMonday = date("2026-11-09T09:00:00Z")
        #expect(schedule.turn(at: friday) == .window(nextMonday))
        #expect(schedule.next(from: monday) == nextMonday)
        #expect(schedule.turn(at: nextMonday) == .now(.scheduled, reason: nil))
    }

    @Test func `where no window opens before the expiry the window is ignored, and it says so`() throws {
        let window = try Window(parsing: "Mon 09:00-10:00")
        let policy = TokenPolicy.sample(rotate: .every(.days(3), window: window, jitter: .zero), expires: .after(.days(6)))
        let schedule = Schedule(of: generation(expiresAt: monday.addingTimeInterval(6 * 86400)), under: policy)
        let lead = monday.addingTimeInterval(4 * 86400)
        #expect(schedule.turn(at: monday.addingTimeInterval(3 * 86400)) == .window(lead))
        #expect(schedule.next(from: monday) == lead)
        guard case .now(.expiring, let reason) = schedule.turn(at: lead) else {
            Issue.record("\(schedule.turn(at: lead))")
            return
        }
        #expect(reason?.contains("window is ignored") == true)
    }

    @Test func `a window that never opens holds back for ever, except before an expiry`() {
        let closed = Window(days: [], opens: 0, closes: 60, zone: .gmt)
        let policy = TokenPolicy.sample(rotate: .every(.days(3), window: closed, jitter: .zero))
        let due = monday.addingTimeInterval(3 * 86400)
        #expect(Schedule(of: generation(), under: policy).turn(at: due) == .window(nil))
        #expect(Schedule(of: generation(), under: policy).next(from: monday) == nil)
        let mortal = Schedule(of: generation(expiresAt: monday.addingTimeInterval(9 * 86400)), under: policy)
        #expect(mortal.turn(at: due) == .window(monday.addingTimeInterval(7 * 86400)))
    }

    @Test func `what never rotates is never due, not even before an expiry`() {
        let schedule = Schedule(
            of: generation(expiresAt: monday.addingTimeInterval(86400)), under: .sample(rotate: .never, expires: .after(.days(1))))
        #expect(schedule.turn(at: monday) == .later(nil) && schedule.next(from: monday) == nil)
    }

    @Test(arguments: 1...30 as ClosedRange<UInt64>) func `next is the first moment at which it turns`(seed: UInt64) throws {
        var random = Seeded(seed)
        let window = Window(
            days: Set((1...7).filter { _ in Bool.random(using: &random) }), opens: Int.random(in: 0..<1440, using: &random), closes: 720,
            zone: try #require(TimeZone(identifier: "Europe/Berlin"))
        )
        let rotate = RotateRule.every(
            .days(Int64.random(in: 1...60, using: &random)), window: window, jitter: .hours(Int64.random(in: 0...48, using: &random)))
        let life = Int64.random(in: 1...60, using: &random)
        let expires = Bool.random(using: &random) ? Expiry.never : .after(.days(life))
        let policy = TokenPolicy.sample(rotate: rotate, expires: expires)
        let schedule = Schedule(of: generation(expiresAt: expires.date(ofGenerationMadeAt: monday)), under: policy)
        guard let next = schedule.next(from: monday) else {
            #expect(!window.canOpen && expires == .never, "seed \(seed)")
            return
        }
        if case .now = schedule.turn(at: next) {} else { Issue.record("seed \(seed): \(schedule.turn(at: next)) at \(next)") }
        for _ in 0..<20 {
            let before = monday.addingTimeInterval(Double.random(in: 0..<1, using: &random) * max(0, next.timeIntervalSince(monday) - 1))
            if case .now = schedule.turn(at: before), before < next {
                Issue.record("seed \(seed): due at \(before) already, not at \(next)")
            }
        }
    }
}
