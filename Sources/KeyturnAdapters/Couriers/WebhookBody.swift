import Foundation
import KeyturnCore

/// What a webhook is sent; its keys are a contract, `docs/mail.md` describes them.
struct WebhookBody: Encodable {
    struct Item: Encodable {
        var event: String
        var number: Int64
        var code: String
        var severity: String
        var token: String?
        var environment: String?
        var subject: String
        var sentence: String
        var help: String
        var openedAt: String
        var closedAt: String?

        private enum CodingKeys: String, CodingKey {
            case event, number, code, severity, token, environment, subject, sentence, help
            case openedAt = "opened_at"
            case closedAt = "closed_at"
        }

        init(_ item: Owed.Item) {
            let notice = item.notice
            let finding = notice.finding
            event = item.word.rawValue
            number = notice.number
            code = finding.code.rawValue
            severity = finding.severity.rawValue
            token = finding.token?.text
            environment = finding.environment
            subject = finding.subject.presentable
            sentence = finding.sentence.presentable
            help = finding.help.presentable
            openedAt = notice.openedAt.formatted(.iso8601)
            closedAt = notice.closedAt?.formatted(.iso8601)
        }

        /// Every key is always there.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(event, forKey: .event)
            try container.encode(number, forKey: .number)
            try container.encode(code, forKey: .code)
            try container.encode(severity, forKey: .severity)
            try container.encode(token, forKey: .token)
            try container.encode(environment, forKey: .environment)
            try container.encode(subject, forKey: .subject)
            try container.encode(sentence, forKey: .sentence)
            try container.encode(help, forKey: .help)
            try container.encode(openedAt, forKey: .openedAt)
            try container.encode(closedAt, forKey: .closedAt)
        }
    }

    var delivery: String
    var test: Bool
    var host: String
    var at: String
    var findings: [Item]
    /// Other findings that are open.
    var open: Int

    init(_ message: Message) {
        delivery = message.id
        test = message.isTrial
        host = HostName.current
        at = message.at.formatted(.iso8601)
        findings = message.items.map(Item.init)
        open = message.others.count
    }

    var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Strings, numbers and dates that are strings: nothing in it can fail.
        return (try? encoder.encode(self)).map(Array.init) ?? []
    }
}
