package import Logging

/// A log event with all that it carries put together, as text that may be written as it stands.
///
/// Both handlers write this and nothing else, so that no word of a gateway reaches a terminal or a journal unescaped. The journal
/// needs it too: `journalctl` hides a message with a control character as "blob data", and `-o cat` prints it raw.
package struct LogRecord: Sendable {
    package let level: Logger.Level
    /// The sentence, on one line.
    package let message: String
    /// Every value on one line; a list as `a, b`, a dictionary as `k=v, l=w` in the order of its keys. Keys are as the caller gave them.
    package let metadata: [String: String]
    /// Where it was logged: `Module/File.swift`, the function, the line.
    package let file: String
    package let function: String
    package let line: UInt

    /// The nearer word wins, as in swift-log's own handlers: the event's metadata, then the provider's, then the handler's. An error
    /// comes as the keys `error.message` and `error.type`.
    package init(_ event: LogEvent, handler: Logger.Metadata = [:], provider: Logger.MetadataProvider? = nil) {
        var all = handler
        for nearer in [provider?.get() ?? [:], event.metadata ?? [:]] {
            all.merge(nearer) { _, nearer in nearer }
        }
        if let error = event.error {
            all["error.message"] = "\(error)"
            all["error.type"] = "\(String(reflecting: type(of: error)))"
        }
        level = event.level
        message = event.message.description.oneLine
        metadata = all.mapValues { Self.text(of: $0).oneLine }
        file = event.file
        function = event.function
        line = event.line
    }

    private static func text(of value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): text
        case .stringConvertible(let value): value.description
        case .array(let values): values.map(text).joined(separator: ", ")
        case .dictionary(let values):
            values.sorted { $0.key < $1.key }.map { "\($0.key)=\(text(of: $0.value))" }.joined(separator: ", ")
        }
    }
}
