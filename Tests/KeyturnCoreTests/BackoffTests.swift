import Foundation
import KeyturnCore
import Testing

@Suite struct BackoffTests {
    @Test func `waits follow the table, up to a fifth longer, and end at six hours`() {
        let table: [TimeInterval] = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 21600, 21600]
        for (index, base) in table.enumerated() {
            for name in ["a", "prod-webapp-api", "key_17"] {
                let wait = Backoff.wait(after: index + 1, of: name)
                #expect(wait >= base && wait < base * 1.2, "\(index + 1) of \(name)")
            }
        }
        #expect(Backoff.wait(after: 1_000_000, of: "a") < Backoff.longest * 1.2)
        #expect(Backoff.wait(after: 0, of: "a") < 1.2)
    }

    @Test func `five hundred tokens do not come back at once`() {
        let waits = Set((0..<500).map { Int(Backoff.wait(after: 9, of: "token-\($0)")) })
        #expect(waits.count > 90)
        #expect(Backoff.wait(after: 9, of: "token-1") == Backoff.wait(after: 9, of: "token-1"))
    }

    @Test func `a share is spread evenly and the same everywhere`() {
        var buckets = Array(repeating: 0, count: 10)
        for number in 0..<2000 {
            let share = Spread.share("prod-\(number)")
            #expect(share >= 0 && share < 1)
            buckets[Int(share * 10)] += 1
        }
        #expect(buckets.allSatisfy { (130...270).contains($0) }, "\(buckets)")
        #expect(Spread.bits("") == 0xf52a_15e9_a9b5_e89b)
    }

    @Test func `what failed waits, and is stuck after three times or at once when only a person helps`() {
        var attempts = Attempts()
        #expect(attempts.isDue(at: monday) && !attempts.isStuck)
        attempts.failed("no", of: "a", at: monday)
        #expect(!attempts.isDue(at: monday) && attempts.isDue(at: monday.addingTimeInterval(1.2)) && !attempts.isStuck)
        attempts.failed("no", of: "a", at: monday)
        #expect(!attempts.isStuck)
        attempts.failed("no again", of: "a", at: monday)
        #expect(attempts.isStuck && attempts.failures == 3 && attempts.lastError == "no again")

        var hopeless = Attempts()
        hopeless.failed("read-only", needsPerson: true, of: "a", at: monday)
        #expect(hopeless.isStuck)
        hopeless.failed("503", of: "a", at: monday)
        #expect(!hopeless.isStuck)
    }

    @Test func `what the other side asks for is waited for, up to six hours`() {
        func wait(_ retryAfter: TimeInterval) -> TimeInterval {
            var attempts = Attempts()
            attempts.failed("429", retryAfter: retryAfter, of: "a", at: monday)
            return attempts.notBefore?.timeIntervalSince(monday) ?? 0
        }
        #expect(wait(100) == 100)
        #expect(wait(1e9) == Backoff.longest)
        #expect(wait(-5) >= 1 && wait(0) < 1.2)
    }

    @Test func `a wait set by a clock that was wrong does not last for ever`() {
        var attempts = Attempts()
        attempts.failed("no", of: "a", at: monday.addingTimeInterval(10 * 365 * 86400))
        #expect(attempts.isDue(at: monday))
        attempts = Attempts(failures: 20, notBefore: monday.addingTimeInterval(Backoff.longest * 1.2), lastError: "no", needsPerson: false)
        #expect(!attempts.isDue(at: monday))
    }
}
