package import Foundation
import Glibc
package import Logging

/// Writes one readable line a record to a file descriptor: what a person sees on a terminal and what cron mails.
///
/// Best effort: a line that cannot be written is lost. A closed pipe raises SIGPIPE as for any write; whether that ends the process is
/// the executable's choice.
package struct LineLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    private let descriptor: Int32
    private let style: LogLine.Style
    private let now: @Sendable () -> Date

    package init(
        level: Logger.Level,
        style: LogLine.Style,
        metadataProvider: Logger.MetadataProvider? = nil,
        descriptor: Int32 = STDERR_FILENO,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        logLevel = level
        self.metadataProvider = metadataProvider
        self.descriptor = descriptor
        self.style = style
        self.now = now
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// One write(2), so that lines of several threads and processes do not mix.
    package func log(event: LogEvent) {
        let record = LogRecord(event, handler: metadata, provider: metadataProvider)
        let line = Array(LogLine.text(of: record, at: now(), style: style).utf8)
        _ = unsafe write(descriptor, line, line.count)
    }
}
