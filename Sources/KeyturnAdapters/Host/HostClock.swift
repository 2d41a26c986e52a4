import Foundation
import Glibc
package import KeyturnCore

/// The two clocks of this machine.
package enum HostClock {
    /// Changes with every boot; read once, since it cannot change under a running process.
    private static let bootID: String = {
        let text = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        return text?.trimmingCharacters(in: .whitespacesAndNewlines) ?? "unknown"
    }()

    package static func now() -> Moment {
        var time = timespec()
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        return Moment(wall: Date(), boot: TimeInterval(time.tv_sec) + TimeInterval(time.tv_nsec) / 1e9, bootID: bootID)
    }
}
