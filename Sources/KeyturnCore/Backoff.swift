package import Foundation

/// How long to wait after the nth failure in a row.
package enum Backoff {
    /// Seconds. Front-loaded, because most trouble is short; long at the end, because what lasts needs a person.
    private static let table: [TimeInterval] = [
        1, 2, 5, 10, 30,  // a hiccup, a reload
        60, 120, 300, 600,  // a restart, a deployment
        1200, 1800, 3600, 7200,  // an outage
        14400, 21600,  // a weekend: six hours and no longer
    ]
    package static let longest: TimeInterval = 21600

    /// The wait after `failures` failures (1 ...), up to a fifth longer by a hash of `name`, so that five hundred tokens do not come back at once.
    package static func wait(after failures: Int, of name: String) -> TimeInterval {
        let base = table[min(max(failures, 1), table.count) - 1]
        return base * (1 + 0.2 * Spread.share("\(name) \(failures)"))
    }
}

/// The trouble that one thing has had since it last went well. Stored, so that a restart neither hurries nor forgets.
package struct Attempts: Sendable, Equatable {
    package var failures = 0
    package var notBefore: Date?
    package var lastError: String?
    /// The cause does not go away by waiting; shown as stuck at once.
    package var needsPerson = false

    package init() {}

    package init(failures: Int, notBefore: Date?, lastError: String?, needsPerson: Bool) {
        self.failures = failures
        self.notBefore = notBefore
        self.lastError = lastError
        self.needsPerson = needsPerson
    }

    /// An answered failure. `retryAfter` is what the other side asked for, in seconds.
    package mutating func failed(_ why: String, needsPerson: Bool = false, retryAfter: TimeInterval? = nil, of name: String, at now: Date) {
        failures += 1
        lastError = why
        self.needsPerson = needsPerson
        let wait = max(Backoff.wait(after: failures, of: name), min(retryAfter ?? 0, Backoff.longest))
        notBefore = now.addingTimeInterval(wait)
    }

    /// May it be tried at `now`? A moment further ahead than any wait we hand out comes from a clock that was wrong.
    package func isDue(at now: Date) -> Bool {
        guard let notBefore else { return true }
        return notBefore <= now || notBefore.timeIntervalSince(now) > Backoff.longest * 1.5
    }

    /// Three failures in a row, or one that only a person can end.
    package var isStuck: Bool { needsPerson || failures >= 3 }
}
