package import Foundation
import KeyturnEngine
import Logging

/// How a log record becomes a line for people: `18:22:07 warning prod-webapp-api: sentence (step=verify)`.
package enum LogLine {
    /// Who reads it.
    package enum Style: Equatable, Sendable {
        /// A person, now: the local time of day, the level in colour if asked for.
        case terminal(colour: Bool)
        /// A file or another program, later: date and time in UTC, ISO 8601 to the second.
        case stream
    }

    /// One line that ends in its only newline. The token stands before the sentence, the other metadata behind it in the order of their
    /// keys; the catalog's id is for machines and left out.
    package static func text(of record: LogRecord, at now: Date, style: Style, timeZone: TimeZone = .current) -> String {
        let subject = record.metadata[LogKeys.token].map { " \($0):" } ?? ""
        let details = record.metadata.sorted { $0.key < $1.key }
            .filter { $0.key != LogKeys.token && $0.key != LogKeys.messageID }
            .map { "\(quoted($0.key.oneLine))=\(quoted($0.value))" }
            .joined(separator: ", ")
        let tail = details.isEmpty ? "" : " (\(details))"
        return "\(time(now, style, timeZone)) \(level(record.level, style))\(subject) \(record.message)\(tail)\n"
    }

    private static func time(_ now: Date, _ style: Style, _ timeZone: TimeZone) -> String {
        switch style {
        case .stream: now.formatted(.iso8601)
        case .terminal: now.formatted(Date.ISO8601FormatStyle(timeZone: timeZone).time(includingFractionalSeconds: false))
        }
    }

    /// Quotes what would be mistaken for the punctuation around it, so that no value can pretend to be a further key.
    private static func quoted(_ text: String) -> String {
        guard text.isEmpty || text.contains(where: { " ,()=\"".contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\\\"") + "\""
    }

    /// Only the level's word is coloured: red for what is broken, yellow for what may break, dim for what only developers ask for.
    private static func level(_ level: Logger.Level, _ style: Style) -> String {
        guard style == .terminal(colour: true) else { return level.rawValue }
        let colour: Int? =
            switch level {
            case .trace, .debug: 2
            case .info, .notice: nil
            case .warning: 33
            case .error, .critical: 31
            }
        return colour.map { "\u{1B}[\($0)m\(level.rawValue)\u{1B}[0m" } ?? level.rawValue
    }
}
