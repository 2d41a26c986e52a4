import Foundation
import Glibc

extension YAMLValue {
    /// A part of names at the gateway and in files: letters, digits, `.`, `_` and `-`, at most 64.
    func name(_ expected: String) -> String? {
        matching("\(expected) of letters, digits, '.', '_' and '-'") { $0.wholeMatch(of: /[A-Za-z0-9._-]{1,64}/) != nil }
    }

    /// One line of text that `accepts`; `secret` keeps it out of the message.
    func matching(_ expected: String, secret: Bool = false, _ accepts: (String) -> Bool) -> String? {
        guard let text = text(expected, secret: secret) else { return nil }
        guard accepts(text) else {
            refuse(expected: expected, found: secret ? kind : nil)
            return nil
        }
        return text
    }

    /// A path, normalised; a relative one continues `folder`, or is refused where there is none.
    func path(from folder: String? = nil, _ expected: String = "an absolute path such as /etc/webapp/token") -> String? {
        guard let text = matching(expected, { folder != nil || $0.hasPrefix("/") }) else { return nil }
        return normalised(text.hasPrefix("/") ? text : "\(folder ?? "")/\(text)")
    }

    /// The absolute path of a file.
    func filePath() -> String? {
        let expected = "the absolute path of a file such as /etc/webapp/token"
        return matching(expected) { text in
            text.hasPrefix("/") && !["", ".", ".."].contains(text.split(separator: "/", omittingEmptySubsequences: false).last ?? "")
        }
        .map(normalised)
    }

    /// A user or group by name or number.
    func account(_ expected: String) -> String? {
        if let plain = plainText, plain.wholeMatch(of: /0|[1-9][0-9]{0,8}/) != nil { return plain }
        return matching(expected) { $0.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_.-]{0,63}\$?|0|[1-9][0-9]{0,8}/) != nil }
    }

    /// `https`, or `http` to this host alone; without a user, fragment or (for an API's base) query and without a slash at its end.
    func webURL(isBase: Bool) -> String? {
        let expected = "an https:// URL, or http:// to this host alone"
        guard let text = text(expected, secret: true) else { return nil }
        guard let parts = urlParts(text), ["http", "https"].contains(parts.scheme), parts.fragment == nil, !isBase || parts.query == nil
        else {
            refuse(expected: isBase ? "\(expected), without user, query and fragment" : expected, found: "text that is none")
            return nil
        }
        guard parts.scheme == "https" || YAMLValue.isLoopback(parts.host ?? "") else {
            refuse(expected: "https://, as a secret would cross the network readable", found: "http:// to \(quoted(parts.host ?? ""))")
            return nil
        }
        return isBase ? String(text.reversed().drop { $0 == "/" }.reversed()) : text
    }

    func mailServerURL() -> String? {
        let expected = "a mail server such as smtps://mail.example.com or smtp://mail.example.com:587"
        guard let text = text(expected, secret: true) else { return nil }
        guard let parts = urlParts(text), ["smtp", "smtps"].contains(parts.scheme), parts.query == nil, parts.fragment == nil else {
            refuse(expected: expected, found: "text that is none")
            return nil
        }
        return text
    }

    /// The parts of a URL with a host; a user or password in it is refused, as URLs are shown in logs.
    private func urlParts(_ text: String) -> URLComponents? {
        guard let parts = URLComponents(string: text, encodingInvalidCharacters: false), let host = parts.host, !host.isEmpty,
            parts.user == nil,
            parts.password == nil, host.wholeMatch(of: /[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]/) != nil,
            parts.port.map((1...65535).contains) ?? true
        else { return nil }
        return parts
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "[::1]" || host == "::1" || (host.hasPrefix("127.") && isAddress(host, family: AF_INET))
    }

    func mailAddress() -> String? { matching("a mail address such as ops@example.com", MailAddress.isPlausible) }

    /// A single address or a CIDR range, of IPv4 or IPv6.
    func ipRange() -> String? {
        // Not `text`: 10.1 would be called a number, where only its being no address matters.
        guard let text = scalarText, YAMLValue.isRange(text) else {
            refuse(expected: "an address or range such as 203.0.113.10, 198.51.100.0/24 or 2001:db8::/32")
            return nil
        }
        return text
    }

    private static func isRange(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count) else { return false }
        let bits = isAddress(String(parts[0]), family: AF_INET) ? 32 : isAddress(String(parts[0]), family: AF_INET6) ? 128 : nil
        guard let bits else { return false }
        guard parts.count == 2 else { return true }
        return parts[1].wholeMatch(of: /0|[1-9][0-9]{0,2}/) != nil && Int(parts[1]).map { $0 <= bits } ?? false
    }

    private static func isAddress(_ text: String, family: Int32) -> Bool {
        var address = in6_addr()
        return unsafe inet_pton(family, text, &address) == 1
    }
}

/// Without `.`, `..` and empty parts, by the text alone.
func normalised(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
        if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
}
