package import Foundation
package import KeyturnCore

/// The true time, and what this host believes it to be.
package struct WorldClock: Sendable {
    package private(set) var time: Date
    /// Seconds that the host's wall clock is ahead of the truth.
    package var error: TimeInterval = 0
    private var bootedAt: Date
    private var boots = 1

    package init(startingAt time: Date) {
        self.time = time
        bootedAt = time.addingTimeInterval(-1000)
    }

    package var moment: Moment {
        Moment(wall: time.addingTimeInterval(error), boot: time.timeIntervalSince(bootedAt), bootID: "boot-\(boots)")
    }

    package mutating func advance(by seconds: TimeInterval) { time = time.addingTimeInterval(max(0, seconds)) }

    package mutating func reboot() {
        bootedAt = time
        boots += 1
    }
}
