package import Foundation

/// When a generation falls due for replacement.
package struct Schedule: Sendable, Equatable {
    /// By age; nil for `rotate: never`.
    package var scheduled: Date?
    /// The last moment that leaves an overlap and a day before the gateway ends it; nil when it does not expire. From here
    /// on windows do not count.
    package var beforeExpiry: Date?
    package var window: Window?

    package init(of generation: Generation, under policy: TokenPolicy) {
        let created = generation.createdAt ?? generation.intendedAt
        if case .every(let span, let window, let jitter) = policy.rotate {
            self.window = window
            scheduled = span.after(created, in: window?.zone ?? .gmt)
                .addingTimeInterval(jitter.approximateSeconds * Spread.share(policy.name.text))
        }
        // A fixed date is the end of every generation alike: replacing one before it wins nothing, again and again.
        if case .on(let end) = policy.expires, let expiresAt = generation.expiresAt, end <= expiresAt { return }
        if let expiresAt = generation.expiresAt, policy.rotate != .never {
            beforeExpiry = Schedule.lead(before: expiresAt, createdAt: created, overlap: policy.overlap)
        }
    }

    /// Expiry less `at_least` less a day. A life that is hardly longer than that would be replaced as soon as it began:
    /// then half of the life is used, and `check` warns of it.
    private static func lead(before expiresAt: Date, createdAt: Date, overlap: Overlap) -> Date {
        let life = expiresAt.timeIntervalSince(createdAt)
        let plain = expiresAt.addingTimeInterval(-overlap.atLeast.approximateSeconds - 86400)
        return plain.timeIntervalSince(createdAt) >= life / 10 ? plain : createdAt.addingTimeInterval(life / 2)
    }

    package enum Turn: Sendable, Equatable {
        case now(Rotation.Cause, reason: String?)
        /// Due already, and held back until a window opens; nil: it never does.
        case window(Date?)
        /// Not due before that; nil: never.
        case later(Date?)
    }

    package func turn(at now: Date) -> Turn {
        if let beforeExpiry, beforeExpiry <= now {
            let ignored = window.map { !$0.contains(now) } ?? false
            return .now(.expiring, reason: ignored ? "no window opens before its expiry: the window is ignored" : nil)
        }
        guard let scheduled, scheduled <= now else { return .later([scheduled, beforeExpiry].compactMap(\.self).min()) }
        guard let window, !window.contains(now) else { return .now(.scheduled, reason: nil) }
        return .window([window.nextOpening(from: now), beforeExpiry].compactMap(\.self).min())
    }

    /// The moment at which `turn` will first say now, as far as it can be told today.
    package func next(from now: Date) -> Date? {
        guard let due = [scheduled, beforeExpiry].compactMap(\.self).min() else { return nil }
        let from = max(due, now)
        guard let window, beforeExpiry.map({ from < $0 }) ?? true else { return from }
        return [window.nextOpening(from: from), beforeExpiry].compactMap(\.self).min()
    }
}
