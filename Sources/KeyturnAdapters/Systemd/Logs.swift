import Foundation
import Glibc
package import Logging

/// Where this process logs to: systemd's journal if stderr already leads there, else lines on stderr.
package enum Logs {
    package enum Destination: Equatable, Sendable {
        case journal
        case lines(LogLine.Style)
    }

    /// Sends the logs of the whole process to where stderr leads. Once a process, before the first `Logger`: swift-log traps on a second.
    ///
    /// - Parameter level: what every logger starts with; less severe records are dropped.
    package static func bootstrap(level: Logger.Level, metadataProvider: Logger.MetadataProvider? = nil) {
        let destination = destination()
        LoggingSystem.bootstrap(
            { _, provider in handler(for: destination, level: level, metadataProvider: provider) },
            metadataProvider: metadataProvider
        )
    }

    package static func handler(
        for destination: Destination,
        level: Logger.Level,
        metadataProvider: Logger.MetadataProvider? = nil
    ) -> any LogHandler {
        switch destination {
        case .journal: JournaldLogHandler(level: level, metadataProvider: metadataProvider)
        case .lines(let style): LineLogHandler(level: level, style: style, metadataProvider: metadataProvider)
        }
    }

    /// Colour needs a terminal that knows it (`TERM` is not `dumb`) and a person who did not refuse it (no-color.org: `NO_COLOR` is
    /// unset or empty).
    package static func destination(
        of stderr: Int32 = STDERR_FILENO,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> Destination {
        if stderrIsJournal(stderr, environment: environment) { return .journal }
        guard isatty(stderr) == 1 else { return .lines(.stream) }
        return .lines(.terminal(colour: environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"))
    }

    /// Whether stderr is the stream that systemd connected to the journal: `$JOURNAL_STREAM` holds its device and inode (systemd.exec(5)).
    ///
    /// Children inherit the variable, and redirect: that it is set proves nothing.
    package static func stderrIsJournal(
        _ stderr: Int32 = STDERR_FILENO,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) -> Bool {
        var status = stat()
        guard let stream = environment["JOURNAL_STREAM"], unsafe fstat(stderr, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}
