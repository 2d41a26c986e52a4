/// A place that a secret is delivered to.
package struct TargetPolicy: Sendable, Equatable {
    package var file: String
    package var format: Format
    /// Names, or numbers as text; nil keeps what an existing file has.
    package var owner: String?
    package var group: String?
    /// Permission bits; nil keeps what an existing file has, 0600 for a new one.
    package var mode: UInt16?
    package var then: Then?
    package var confirm: Command?

    package init(
        file: String, format: Format, owner: String? = nil, group: String? = nil, mode: UInt16? = nil, then: Then? = nil,
        confirm: Command? = nil
    ) {
        self.file = file
        self.format = format
        self.owner = owner
        self.group = group
        self.mode = mode
        self.then = then
        self.confirm = confirm
    }

    /// What tells targets of one token apart: two of them may lie in one file under different keys.
    package var id: TargetID {
        switch format {
        case .raw, .template: TargetID(file: file, key: nil)
        case .dotenv(let key), .json(let key): TargetID(file: file, key: key)
        }
    }
}

package struct TargetID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var file: String
    package var key: String?
    package init(file: String, key: String?) {
        self.file = file
        self.key = key
    }
    package var description: String { key.map { "\(file) (\($0))" } ?? file }
    /// What is wrong with it, in one sentence.
    package func sentence(_ why: String) -> String { "\(self): \(apart(why))" }
    /// An error of the file without its beginning, which names the file itself: for where that is said already.
    package func apart(_ why: String) -> String { why.hasPrefix("\(file): ") ? String(why.dropFirst(file.count + 2)) : why }
    package static func < (one: TargetID, other: TargetID) -> Bool { (one.file, one.key ?? "") < (other.file, other.key ?? "") }
}

package enum Format: Sendable, Equatable {
    /// The file is the secret, with nothing before or after it.
    case raw
    /// The line of one variable.
    case dotenv(key: String)
    /// One string value, by JSON Pointer (RFC 6901).
    case json(pointer: String)
    /// The file is made from a text with `{{secret}}` in it; the policy holds the text or names a file.
    case template(Template)

    package enum Template: Sendable, Equatable {
        case text(String)
        case file(String)
    }
}
