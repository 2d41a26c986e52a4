package import Foundation

/// What the clocks say at one look: the wall clock for due dates, the boot clock for what must really have passed.
package struct Moment: Sendable, Equatable {
    package var wall: Date
    /// Seconds since the machine started, suspension included (CLOCK_BOOTTIME); never jumps within one boot.
    package var boot: TimeInterval
    /// `/proc/sys/kernel/random/boot_id`: boot seconds of different boots do not compare.
    package var bootID: String

    package init(wall: Date, boot: TimeInterval, bootID: String) {
        self.wall = wall
        self.boot = boot
        self.bootID = bootID
    }
}

/// A wait that a wrong clock cannot cut short: over when the wall clock has reached `until` and as much boot time has
/// passed. After a reboot the rest that was last saved counts anew.
package struct Hold: Sendable, Equatable {
    package private(set) var until: Date
    /// Boot seconds still to pass, as of `stamp`.
    package private(set) var rest: TimeInterval
    package private(set) var stamp: TimeInterval
    package private(set) var bootID: String

    package init(for span: TimeSpan, from now: Moment) {
        until = span.after(now.wall)
        rest = max(0, until.timeIntervalSince(now.wall))
        stamp = now.boot
        bootID = now.bootID
    }

    /// As stored in the journal.
    package init(until: Date, rest: TimeInterval, stamp: TimeInterval, bootID: String) {
        self.until = until
        self.rest = rest
        self.stamp = stamp
        self.bootID = bootID
    }

    private func restLeft(at now: Moment) -> TimeInterval {
        now.bootID == bootID ? max(0, rest - max(0, now.boot - stamp)) : rest
    }

    package func isOver(at now: Moment) -> Bool {
        now.wall >= until && restLeft(at: now) <= 0
    }

    /// When to look again if nothing jumps.
    package func end(seenAt now: Moment) -> Date {
        max(until, now.wall.addingTimeInterval(restLeft(at: now)))
    }

    /// The same wait with what has passed written down, so that a reboot costs no more than since the last save.
    package func saved(at now: Moment) -> Hold {
        Hold(until: until, rest: restLeft(at: now), stamp: now.boot, bootID: now.bootID)
    }

    /// Is it worth saving: another boot, or a good part of the rest gone by.
    package func wantsSaving(at now: Moment) -> Bool {
        now.bootID != bootID || rest - restLeft(at: now) > max(60, rest / 10)
    }
}
