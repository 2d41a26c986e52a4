import Foundation
import KeyturnCore
import Mustache

/// A message in words, plain and as HTML: what happened, to what, since when, and what to type.
struct MailBody {
    private struct Row {
        var name: String
        var value: String
    }

    private struct Item {
        var title: String
        var rows: [Row]
    }

    private struct Content {
        var outage: String?
        var trial: String?
        var items: [Item]
        var beyond: String?
        var othersTitle: String?
        var others: [String]
        var host: String
    }

    /// Told one by one; the rest is counted.
    private static let mostItems = 50
    private static let mostOthers = 10

    private let content: Content

    init(_ message: Message) {
        let shown = message.items.prefix(MailBody.mostItems)
        let rest = message.items.count - shown.count
        let others = message.others
        content = Content(
            outage: message.failingSince.map { "Nothing could be told by mail since \($0.formatted(.iso8601))." },
            trial: message.isTrial ? "This is a test: mail from Keyturn reaches you." : nil,
            items: shown.map(MailBody.item),
            beyond: rest > 0 ? "... and \(rest) more: see `keyturn status` and `keyturn history`." : nil,
            othersTitle: others.isEmpty ? nil : others.count == 1 ? "1 more is open:" : "\(others.count) more are open:",
            others: others.prefix(MailBody.mostOthers).map { "\($0.severity.rawValue): \($0.sentence.presentable)" }
                + (others.count > MailBody.mostOthers ? ["... and \(others.count - MailBody.mostOthers) more"] : []),
            host: HostName.current
        )
    }

    private static func item(_ item: Owed.Item) -> Item {
        let notice = item.notice
        let finding = notice.finding
        let lead: [Notice.Word: String] = [.worse: "Worse: ", .again: "Still so: ", .over: "Over: ", .passed: "Came and went: "]
        var rows = [Row(name: "what", value: "\(finding.code.rawValue), \(finding.severity.rawValue)")]
        if let token = finding.token {
            rows.append(Row(name: "token", value: token.text + (finding.environment.map { " (\($0))" } ?? "")))
        } else if let environment = finding.environment {
            rows.append(Row(name: "where", value: environment))
        }
        let end = notice.closedAt.map { ", until \($0.formatted(.iso8601))" } ?? ""
        rows.append(Row(name: "since", value: notice.openedAt.formatted(.iso8601) + end))
        if notice.closedAt == nil { rows.append(Row(name: "to do", value: finding.help.presentable)) }
        return Item(title: (lead[item.word] ?? "") + finding.sentence.presentable, rows: rows)
    }

    var text: String { MailBody.textTemplate.render(content) }
    var html: String { MailBody.htmlTemplate.render(content) }

    /// Written here and nowhere else: what does not parse is found by the first test.
    private static func template(_ text: String) -> MustacheTemplate {
        do { return try MustacheTemplate(string: text) } catch { fatalError("\(error)") }
    }

    private static let textTemplate = template(
        """
        {{% CONTENT_TYPE:TEXT}}
        {{#outage}}
        {{outage}}

        {{/outage}}
        {{#trial}}
        {{trial}}

        {{/trial}}
        {{#items}}
        {{title}}

        {{#rows}}
            {{name}}: {{value}}
        {{/rows}}

        {{/items}}
        {{#beyond}}
        {{beyond}}

        {{/beyond}}
        {{#othersTitle}}
        {{othersTitle}}
        {{#others}}
          - {{.}}
        {{/others}}

        {{/othersTitle}}
        -- \("")
        keyturn on {{host}}; `keyturn status` shows how all stands
        """)

    private static let htmlTemplate = template(
        """
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"></head>
        <body style="font-family: sans-serif; max-width: 44em">
        {{#outage}}<p>{{outage}}</p>{{/outage}}
        {{#trial}}<p>{{trial}}</p>{{/trial}}
        {{#items}}
        <h3 style="margin-bottom: 0.3em">{{title}}</h3>
        <table>
        {{#rows}}
        <tr><td style="vertical-align: top; padding-right: 1em; opacity: 0.7">{{name}}</td><td>{{value}}</td></tr>
        {{/rows}}
        </table>
        {{/items}}
        {{#beyond}}<p>{{beyond}}</p>{{/beyond}}
        {{#othersTitle}}
        <p>{{othersTitle}}</p>
        <ul>
        {{#others}}
        <li>{{.}}</li>
        {{/others}}
        </ul>
        {{/othersTitle}}
        <p style="opacity: 0.7">keyturn on {{host}}; <code>keyturn status</code> shows how all stands</p>
        </body></html>
        """)
}
