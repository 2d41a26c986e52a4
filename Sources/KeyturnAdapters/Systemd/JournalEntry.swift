import KeyturnEngine
import Logging

/// How a log record becomes an entry of systemd's journal: a list of fields, see systemd.journal-fields(7).
package enum JournalEntry {
    /// One `NAME=value`. The journal takes the value as it is, of any length.
    package typealias Field = (name: String, value: String)

    /// The entry's fields, each name once: the journal's own first, then the metadata's in the order of their names.
    package static func fields(of record: LogRecord) -> [Field] {
        var fields: [Field] = [
            ("MESSAGE", sentence(of: record)),
            ("PRIORITY", priority(of: record.level)),
            ("SYSLOG_IDENTIFIER", "keyturn"),
            ("CODE_FILE", record.file.oneLine),
            ("CODE_LINE", "\(record.line)"),
            ("CODE_FUNC", record.function.oneLine),
        ]
        if let id = record.metadata[LogKeys.messageID], isMessageID(id) {
            fields.append(("MESSAGE_ID", id.lowercased()))
        }
        // Two keys may share a name, as `Token` and `token` do. Sorted by key the lower case comes last and wins, so that
        // nothing but `token` can say what KEYTURN_TOKEN is beside it.
        var named: [String: String] = [:]
        for (key, value) in record.metadata.sorted(by: { $0.key < $1.key }) where key != LogKeys.messageID {
            if let name = fieldName(of: key) { named[name] = value }
        }
        return fields + named.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The message with its token in front, since journalctl shows no other field to who reads along.
    private static func sentence(of record: LogRecord) -> String {
        guard let token = record.metadata[LogKeys.token], !record.message.hasPrefix(token) else { return record.message }
        return "\(token): \(record.message)"
    }

    /// `KEYTURN_` and the key in upper case, `_` for everything but A-Z, 0-9 and `_`; nil for an empty key and for a name of more than
    /// 64 bytes, which journald would drop without a word. The prefix keeps callers off the fields that systemd trusts.
    package static func fieldName(of key: String) -> String? {
        guard !key.isEmpty else { return nil }
        let name = "KEYTURN_" + String(key.unicodeScalars.map(fieldCharacter))
        return name.utf8.count <= 64 ? name : nil
    }

    private static func fieldCharacter(for scalar: Unicode.Scalar) -> Character {
        switch scalar {
        case "a"..."z": Character(Unicode.Scalar(UInt8(scalar.value) - 32))
        case "A"..."Z", "0"..."9": Character(scalar)
        default: "_"
        }
    }

    /// syslog(3)'s scale, 0 for the worst. It has nothing below 7, and 0 and 1 are for machines on fire, not for a daemon.
    private static func priority(of level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "7"
        case .info: "6"
        case .notice: "5"
        case .warning: "4"
        case .error: "3"
        case .critical: "2"
        }
    }

    /// 128 bits in hexadecimal without dashes: any other form is no key of the message catalog.
    private static func isMessageID(_ text: String) -> Bool {
        text.utf8.count == 32 && text.allSatisfy { $0.isASCII && $0.isHexDigit }
    }
}
