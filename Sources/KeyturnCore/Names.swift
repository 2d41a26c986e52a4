/// What a policy asks for, by the name that outlives every generation: `prod-webapp-api`.
package struct TokenName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
    package static func < (one: TokenName, other: TokenName) -> Bool { one.text < other.text }
}

/// The key of an entry under `gateways:` in the settings, for example `laozhang`.
package struct GatewayName: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
    package static func < (one: GatewayName, other: GatewayName) -> Bool { one.text < other.text }
}

/// The gateway's own identifier of one generation, `key_123456`; opaque to Keyturn.
package struct KeyID: Hashable, Sendable, CustomStringConvertible {
    package let text: String
    package init(_ text: String) { self.text = text }
    package var description: String { text }
}

/// How a token's generations are named at the gateway: literal text around exactly one `{date}`.
///
/// `{environment}`, `{project}` and `{purpose}` are filled in when the policy is read; the date is filled in when a
/// generation is made.
package struct NamingPattern: Hashable, Sendable {
    /// What stands before and after the date.
    package let prefix: String
    package let suffix: String

    package init(prefix: String, suffix: String) {
        self.prefix = prefix
        self.suffix = suffix
    }

    /// The pattern without its date and without the separator that the date leaves over: the token's stable name.
    package var stableName: TokenName {
        let separators: Set<Character> = ["-", "_", "."]
        if let last = prefix.last, separators.contains(last), suffix.first.map(separators.contains) ?? true {
            return TokenName(String(prefix.dropLast()) + suffix)
        }
        if prefix.isEmpty, let first = suffix.first, separators.contains(first) {
            return TokenName(String(suffix.dropFirst()))
        }
        return TokenName(prefix + suffix)
    }

    /// The `attempt`-th name for a month (`yyyy-MM`): the plain one, then `-2`, `-3` ...
    package func name(month: String, attempt: Int) -> String {
        prefix + month + suffix + (attempt > 1 ? "-\(attempt)" : "")
    }

    /// Does `name` look like one of this pattern's generations? A question for reports and for `adopt`, never a
    /// licence to touch.
    package func matches(_ name: String) -> Bool {
        guard name.hasPrefix(prefix) else { return false }
        let rest = name.dropFirst(prefix.count)
        let month = rest.prefix(7)
        guard month.count == 7, month.enumerated().allSatisfy({ $0 == 4 ? $1 == "-" : $1.isASCII && $1.isNumber }) else { return false }
        let tail = rest.dropFirst(7)
        guard tail.hasPrefix(suffix) else { return false }
        let attempt = tail.dropFirst(suffix.count)
        return attempt.isEmpty
            || (attempt.first == "-" && attempt.count > 1 && attempt.dropFirst().allSatisfy { $0.isASCII && $0.isNumber })
    }
}
