import Foundation
import KeyturnCore
import Testing

@testable import KeyturnAdapters

/// Whatever a gateway, a program or a policy says, a mail stays one mail, to whom it was meant for.
struct MailTextTests {
    private static let hostile =
        "x\r\nBcc: evil@example.com\r\n\r\n.\r\n\u{0}\u{202E}\u{2028}<script>alert(1)</script> sk-abcdefgh12345678 äöü 日本"

    private static func message(_ sentence: String, token: String? = "prod-webapp-api", word: Notice.Word = .opened) -> Message {
        let finding = Finding(
            code: .tokenStuck, severity: .error, token: token.map(TokenName.init), environment: "prod", sentence: sentence,
            help: "type `keyturn rotate prod-webapp-api`")
        let notice = Notice(number: 17, finding: finding, openedAt: Date(timeIntervalSince1970: 1_796_040_000))
        return Message(
            id: "finding.17.abcd", thread: "finding.17.abcd", at: Date(timeIntervalSince1970: 1_796_040_000),
            items: [Owed.Item(notice, word)])
    }

    private static func text(_ message: Message, newline: String = "\r\n") -> String {
        String(decoding: Mail(message, from: "keyturn@example.com", to: ["ops@example.com"]).bytes(newline: newline), as: UTF8.self)
    }

    private static func headers(_ mail: String) -> [String] {
        (mail.components(separatedBy: "\r\n\r\n").first ?? "").components(separatedBy: "\r\n")
    }

    @Test func `nothing that is told becomes a header, a recipient or a part`() {
        for sentence in [Self.hostile, String(repeating: "a\u{301}", count: 500_000), String(repeating: "x", count: 1 << 20), ""] {
            let mail = Self.text(Self.message(sentence))
            let headers = Self.headers(mail)
            #expect(
                headers.filter { !$0.hasPrefix(" ") }.map { String($0.prefix { $0 != ":" }) } == [
                    "Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type",
                ])
            #expect(mail.unicodeScalars.allSatisfy { $0.isASCII && $0 != "\u{0}" })
            // A header is folded where it has words; RFC 5322 lets a line have 998 characters.
            let lines = mail.components(separatedBy: "\r\n")
            #expect(lines.allSatisfy { $0.utf8.count <= 200 && !$0.contains("\n") && !$0.contains("\r") })
            #expect(lines.dropFirst(headers.count).allSatisfy { $0.utf8.count <= 76 })
            #expect(mail.utf8.count < 40_000)
            #expect(!MailBody(Self.message(sentence)).html.contains("<script>"))
            #expect(!mail.contains("sk-abcdefgh") && !mail.contains("\nBcc"))
            #expect(mail.components(separatedBy: "--=_keyturn_").count == 4)
        }
    }

    @Test func `the subject is one line of ASCII that begins with the name`() {
        #expect(MailSubject(Self.message("prod-webapp-api is stuck: no")).text == "[keyturn] prod-webapp-api: is stuck: no")
        #expect(
            MailSubject(Self.message("prod-webapp-api is stuck: no", word: .over)).text == "[keyturn] prod-webapp-api: over: is stuck: no")
        #expect(
            MailSubject(Self.message("51% of 10 USD this month (threshold 50%)", token: nil)).text
                == "[keyturn] prod: 51% of 10 USD this month (threshold 50%)")
        let hostile = MailSubject(Self.message(Self.hostile)).text
        #expect(hostile.unicodeScalars.allSatisfy { (0x20..<0x7f).contains($0.value) } && hostile.utf8.count <= 160)
        #expect(hostile.contains("??? ??"), "\(hostile)")
    }

    @Test func `what belongs to one finding is one thread`() {
        let first = Self.text(Self.message("s"))
        #expect(first.contains("\r\nMessage-ID: <finding.17.abcd@example.com>\r\n") && !first.contains("In-Reply-To"))
        var later = Self.message("s", word: .over)
        later.id = "finding.17.over-1.abcd"
        #expect(
            Self.text(later).contains("\r\nIn-Reply-To: <finding.17.abcd@example.com>\r\nReferences: <finding.17.abcd@example.com>\r\n"))
    }

    @Test func `the same message is the same mail`() {
        #expect(Self.text(Self.message("s")) == Self.text(Self.message("s")))
    }

    @Test func `quoted-printable keeps what no line would survive`() {
        #expect(QuotedPrintable.lines("a=b") == ["a=3Db"])
        #expect(QuotedPrintable.lines(".") == ["=2E"])
        #expect(QuotedPrintable.lines("end ") == ["end=20"])
        #expect(QuotedPrintable.lines("ü") == ["=C3=BC"])
        #expect(QuotedPrintable.lines("From here") == ["=46rom here"])
        #expect(QuotedPrintable.lines(String(repeating: "x", count: 80)) == [String(repeating: "x", count: 75) + "=", "xxxxx"])
    }

    @Test func `a digest of hundreds tells fifty and counts the rest`() {
        var message = Self.message("s")
        message.items = (0..<500).map { number in
            var item = message.items[0]
            item.notice.number = Int64(number)
            item.notice.finding.sentence = "finding number \(number)."
            return item
        }
        let body = MailBody(message).text
        #expect(body.contains("finding number 49.") && !body.contains("finding number 50.") && body.contains("and 450 more"))
        #expect(MailSubject(message).text == "[keyturn] 500 findings: 500 new")
    }
}
