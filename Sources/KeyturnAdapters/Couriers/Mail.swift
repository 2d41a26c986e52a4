import Foundation
import KeyturnCore

/// A message as mail: RFC 5322 and MIME, plain text and HTML, every byte of it ASCII.
struct Mail {
    private let headers: [(name: String, value: String)]
    private let text: String
    private let html: String
    /// In a quoted-printable body `=` is always followed by hex digits: no line of it can be this one.
    private let boundary: String

    /// - Parameters:
    ///   - from: an address of the settings, whose domain is that of the message's id.
    init(_ message: Message, from: String, to: [String]) {
        let domain = from.split(separator: "@").last.map(String.init) ?? "localhost"
        let id = { (id: String) in "<\(id)@\(domain)>" }
        boundary = "=_keyturn_\(String(Spread.bits(message.id), radix: 16))"
        var headers = [
            ("Date", Mail.date(message.at)), ("From", "Keyturn <\(from)>"), ("To", to.joined(separator: ", ")),
            ("Subject", MailSubject(message).text), ("Message-ID", id(message.id)),
        ]
        if let thread = message.thread, thread != message.id {
            headers += [("In-Reply-To", id(thread)), ("References", id(thread))]
        }
        headers += [
            ("Auto-Submitted", "auto-generated"), ("MIME-Version", "1.0"),
            ("Content-Type", "multipart/alternative; boundary=\"\(boundary)\""),
        ]
        self.headers = headers
        let body = MailBody(message)
        (text, html) = (body.text, body.html)
    }

    func bytes(newline: String) -> [UInt8] {
        var lines = headers.flatMap { Mail.fold("\($0.name): \($0.value)") } + [""]
        for (type, body) in [("plain", text), ("html", html)] {
            lines += ["--\(boundary)", "Content-Type: text/\(type); charset=utf-8", "Content-Transfer-Encoding: quoted-printable", ""]
            lines += QuotedPrintable.lines(body)
        }
        lines += ["--\(boundary)--", ""]
        return Array(lines.joined(separator: newline).utf8)
    }

    /// Lines of at most 76 characters where the words allow that, continued by a space.
    private static func fold(_ header: String) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in header.split(separator: " ", omittingEmptySubsequences: false) {
            // The first word is the header's name, which is not left alone.
            if !line.isEmpty, line.utf8.count + 1 + word.utf8.count > 76, line.contains(" ") || !lines.isEmpty {
                lines.append(line)
                line = " \(word)"
            } else {
                line += line.isEmpty ? String(word) : " \(word)"
            }
        }
        return lines + [line]
    }

    /// `Tue, 24 Nov 2026 18:22:00 +0000`
    private static func date(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = .gmt
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        return formatter.string(from: date)
    }
}
