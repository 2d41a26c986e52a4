import KeyturnCore

/// One line of ASCII: `[keyturn] prod-webapp-api: is stuck: ...`.
struct MailSubject {
    let text: String

    init(_ message: Message) {
        let spoken = message.items.filter { $0.word != .passed }
        let plain: String
        if message.isTrial {
            plain = "test: mail reaches you"
        } else if spoken.count == 1, let one = spoken.first {
            plain = MailSubject.text(of: one)
        } else if message.items.isEmpty {
            plain = "mail reaches you again"
        } else {
            plain = MailSubject.counts(message.items)
        }
        text = MailSubject.ascii("[keyturn] \(plain)")
    }

    private static func text(of item: Owed.Item) -> String {
        let finding = item.notice.finding
        let sentence = finding.sentence.presentable
        let lead: [Notice.Word: String] = [.worse: "worse: ", .again: "still: ", .over: "over: "]
        guard let name = finding.token?.text ?? finding.environment else { return (lead[item.word] ?? "") + sentence }
        let isNamed = sentence.hasPrefix(name + " ") || sentence.hasPrefix(name + ": ")
        let rest = isNamed ? String(sentence.dropFirst(name.count).drop { $0 == " " || $0 == ":" }) : sentence
        return "\(name): \(lead[item.word] ?? "")\(rest)"
    }

    private static func counts(_ items: [Owed.Item]) -> String {
        let words: [(Notice.Word, String)] = [
            (.opened, "new"), (.worse, "worse"), (.again, "still open"), (.over, "over"), (.passed, "came and went"),
        ]
        let counts = words.compactMap { word, name -> String? in
            let count = items.count { $0.word == word }
            return count == 0 ? nil : "\(count) \(name)"
        }
        return "\(items.count) finding\(items.count == 1 ? "" : "s"): \(counts.joined(separator: ", "))"
    }

    /// Short enough to be read in a list; what is no ASCII is a question mark, and whole in the body.
    private static func ascii(_ text: String) -> String {
        let line = text.unicodeScalars.map { $0.isASCII && $0.value >= 0x20 && $0.value != 0x7f ? Character($0) : "?" }
        return line.count > 160 ? String(line.prefix(157)) + "..." : String(line)
    }
}
