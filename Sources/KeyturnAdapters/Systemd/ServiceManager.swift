import CSystemd
import Glibc

/// Tells systemd how the daemon is doing: the protocol of sd_notify(3) for a unit of `Type=notify`.
///
/// Best effort throughout: without a manager (no `$NOTIFY_SOCKET`) every call does nothing, and one that fails is forgotten. What the
/// daemon is here for must not end because nobody listens.
package struct ServiceManager: Sendable {
    /// The unit's `WatchdogSec=`: the longest silence before systemd ends and restarts the daemon; nil when nobody watches.
    ///
    /// Call `watchdog()` at half of it, from the loop that does the work: a timer of its own would vouch for a loop that hangs.
    package let watchdogInterval: Duration?
    private let send: @Sendable (String) -> Void

    /// The manager that started this process, if one did.
    package init() {
        self.init(watchdogInterval: Self.configuredWatchdog()) { _ = unsafe sd_notify(0, $0) }
    }

    /// A manager of one's own.
    ///
    /// - Parameter send: takes one message, `NAME=value` lines as in sd_notify(3).
    package init(watchdogInterval: Duration? = nil, send: @escaping @Sendable (String) -> Void) {
        self.watchdogInterval = watchdogInterval
        self.send = send
    }

    /// The daemon has started, or has finished its reload.
    package func ready() { send("READY=1") }

    /// What `systemctl status` shows of the daemon. Put on one line, lest a newline in a gateway's words start a message of its own, and
    /// cut after 1,000 characters: systemd drops a message above 4,096 bytes whole.
    package func status(_ text: String) { send("STATUS=\(String(text.oneLine.unicodeScalars.prefix(1000)))") }

    /// The daemon reads its policies anew; `ready()` ends it.
    ///
    /// With the time of CLOCK_MONOTONIC, by which `Type=notify-reload` of systemd 253 tells this reload's answer from the last one's.
    package func reloading() { send("RELOADING=1\nMONOTONIC_USEC=\(Self.monotonicMicroseconds())") }

    /// The daemon winds up. From here `TimeoutStopSec=` counts.
    package func stopping() { send("STOPPING=1") }

    /// A sign of life, due every `watchdogInterval`.
    package func watchdog() { send("WATCHDOG=1") }

    private static func monotonicMicroseconds() -> Int {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
    }

    /// `$WATCHDOG_USEC`, where `$WATCHDOG_PID` is this process or unset. A malformed one counts as none.
    private static func configuredWatchdog() -> Duration? {
        var microseconds: UInt64 = 0
        guard unsafe sd_watchdog_enabled(0, &microseconds) > 0 else { return nil }
        return .microseconds(Int64(clamping: microseconds))
    }
}
