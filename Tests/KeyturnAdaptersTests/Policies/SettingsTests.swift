import Foundation
import KeyturnAdapters
import KeyturnCore
import Testing

struct `Settings are read as they are meant` {
    private let folder: Folder
    init() throws { folder = try Folder() }

    static let gateway =
        "gateways: {laozhang: {kind: laozhang, url: https://api.laozhang.ai/, admin_token: {credential: laozhang-admin}}}\n"

    private func settings(_ text: String, _ environment: [String: String] = [:]) throws -> Settings {
        try Folder.settingsReader(environment).read(folder.write(text, to: "k.yaml")).settings
    }

    @Test func `what is left out is plain`() throws {
        let expected = Settings(
            file: folder.path + "/k.yaml",
            gateways: [
                GatewayName("laozhang"): GatewaySettings(
                    kind: "laozhang",
                    url: "https://api.laozhang.ai",
                    adminToken: .credential("laozhang-admin"),
                    capacity: nil,
                    concurrent: 8,
                    timeout: .seconds(30),
                    currency: "USD"
                )
            ],
            watchEvery: .minutes(15),
            stateFolder: "/var/lib/keyturn",
            policyFolder: folder.path + "/policies"
        )
        #expect(try settings(Self.gateway) == expected)
    }

    @Test func `the product's example`() throws {
        let settings = try settings(
            """
            gateways:
              laozhang:
                kind: laozhang
                url: https://api.laozhang.ai
                admin_token: {env: ADMIN}
                capacity: 50
                requests: {concurrent: 4, timeout: 20s}
                currency: CNY
            watch: {every: 5 minutes, zone: Europe/Berlin}
            state: ../state
            policies: p
            mail: {from: keyturn@example.com, to: [ops@example.com], smtp: {url: "smtps://mail.example.com", user: u, password: {file: pw}}}
            webhooks: [{url: https://hooks.example.com/keyturn?x=1, severity: error}, {url: "http://127.0.0.1:8080/"}]
            audits: {weekly: Mon 09:00, monthly: 1 09:30, quarterly: 31 00:00 Europe/Berlin}
            """
        )
        let parent = URL(filePath: folder.path).deletingLastPathComponent().path
        let gateway = try #require(settings.gateways[GatewayName("laozhang")])
        #expect(gateway.capacity == 50 && gateway.concurrent == 4 && gateway.timeout == .seconds(20) && gateway.currency == "CNY")
        #expect(settings.watchEvery == .minutes(5))
        #expect(settings.watchZone.identifier == "Europe/Berlin")
        #expect(settings.stateFolder == parent + "/state")
        #expect(settings.policyFolder == folder.path + "/p")
        #expect(
            settings.mail
                == MailSettings(
                    from: "keyturn@example.com",
                    to: ["ops@example.com"],
                    transport: .smtp(url: "smtps://mail.example.com", user: "u", password: .file(folder.path + "/pw"))
                )
        )
        #expect(
            settings.webhooks == [
                WebhookSettings(url: "https://hooks.example.com/keyturn?x=1", severity: .error),
                WebhookSettings(url: "http://127.0.0.1:8080/", severity: .warning),
            ]
        )
        let berlin = try #require(TimeZone(identifier: "Europe/Berlin"))
        #expect(
            settings.audits
                == AuditSettings(
                    weekly: AuditTime(day: 2, minute: 540, zone: .gmt),
                    monthly: AuditTime(day: 1, minute: 570, zone: .gmt),
                    quarterly: AuditTime(day: 31, minute: 0, zone: berlin)
                )
        )
    }

    @Test func `the address of a gateway's support, which a mail's header must survive`() throws {
        let gateway = Self.gateway.replacingOccurrences(of: "kind: laozhang,", with: "kind: laozhang, support: help@example.com,")
        #expect(try settings(gateway).support == [GatewayName("laozhang"): "help@example.com"])
        let broken = gateway.replacingOccurrences(of: "help@example.com", with: "\"a@b\\nBcc: x@y\"")
        #expect(throws: ConfigurationErrors.self) { try settings(broken) }
    }

    @Test func `systemd's state directory wins, and sendmail is the way of mail`() throws {
        let text = Self.gateway + "state: /elsewhere\nmail: {from: a@b, to: [c@d]}\n"
        let settings = try settings(text, ["STATE_DIRECTORY": "/var/lib/private/keyturn:/x"])
        #expect(settings.stateFolder == "/var/lib/private/keyturn")
        #expect(settings.mail?.transport == .sendmail("/usr/sbin/sendmail"))
    }

    @Test func `what mail and webhooks are told of, and what signs and proves them`() throws {
        let text =
            Self.gateway + """
                mail: {from: a@b, to: [c@d], severity: error, smtp: {url: "smtps://m", ca_file: ca.pem}}
                webhooks: [{url: "https://a/", secret: {credential: hook}}]

                """
        let settings = try settings(text, [:])
        #expect(settings.mail?.severity == .error)
        #expect(settings.mail?.transport == .smtp(url: "smtps://m", user: nil, password: nil, caFile: folder.path + "/ca.pem"))
        #expect(settings.webhooks == [WebhookSettings(url: "https://a/", severity: .warning, secret: .credential("hook"))])
    }

    @Test(arguments: [
        Row(
            "watch: {zone: Mars/Base}",
            "2:15: zone: found 'Mars/Base', expected UTC or a time zone that is known here, such as Europe/Berlin"),
        Row("watch: {zone: EST}", "2:15: zone: found 'EST', expected UTC or a time zone that is known here, such as Europe/Berlin"),
        Row("watch: {every: 0}", "2:16: every: found '0', expected a time span above zero"),
        Row("wacth: {every: 1h}", "2:1: unknown key 'wacth', did you mean 'watch'?"),
        Row("mail: {from: a@b, to: c@d}", "2:23: to: found 'c@d', expected a list of addresses such as [ops@example.com]"),
        Row("mail: {from: \"-oQ/tmp@b\", to: [c@d]}", "2:14: from: found '-oQ/tmp@b', expected a mail address such as ops@example.com"),
        Row(
            "mail: {from: \"a@b\\nBcc: x@y\", to: [c@d]}",
            "2:14: from: found 'a@b\\nBcc: x@y', expected a mail address such as ops@example.com, on one line without control characters"
        ),
        Row("mail: {from: a@b, to: [nobody]}", "2:24: to: found 'nobody', expected a mail address such as ops@example.com"),
        Row(
            "mail: {from: a@b, to: [c@d], sendmail: /s, smtp: {url: \"smtps://m\"}}",
            "2:7: mail: found sendmail and smtp, expected one of them"
        ),
        Row(
            "mail: {from: a@b, to: [c@d], smtp: {url: \"https://m\"}}",
            "2:42: url: found text that is none, expected a mail server such as smtps://mail.example.com or smtp://mail.example.com:587"
        ),
        Row(
            "mail: {from: a@b, to: [c@d], smtp: {url: \"smtp://m\", user: u}}",
            "2:36: smtp: found one of user and password, expected both or none"
        ),
        Row(
            "webhooks: [{url: \"http://example.com/\"}]",
            "2:18: url: found http:// to 'example.com', expected https://, as a secret would cross the network readable"
        ),
        Row(
            "webhooks: [{url: \"ftp://example.com/\"}]",
            "2:18: url: found text that is none, expected an https:// URL, or http:// to this host alone"
        ),
        Row(
            "webhooks: [{url: \"https://u:p@example.com/\"}]",
            "2:18: url: found text that is none, expected an https:// URL, or http:// to this host alone"
        ),
        Row("webhooks: [{url: \"https://a/\", severity: warn}]", "2:42: severity: found 'warn', expected info, warning, error"),
        Row(
            "audits: {weekly: 1 09:00}",
            "2:18: weekly: found '1 09:00', expected a day of the week and a time such as Mon 09:00, with a time zone if it is not UTC"
        ),
        Row(
            "audits: {monthly: 32 09:00}",
            "2:19: monthly: found '32 09:00', expected a day of the month and a time such as 1 09:00, with a time zone if it is not UTC"
        ),
        Row(
            "audits: {weekly: Mon 09:00 Mars/Base}",
            "2:18: weekly: found 'Mon 09:00 Mars/Base', expected a day of the week and a time such as Mon 09:00; 'Mars/Base' is no time zone that is known here"
        ),
        Row("mail: {from: a@b, to: [c@d], severity: bad}", "2:40: severity: found 'bad', expected info, warning, error"),
        Row(
            "mail: {from: a@b, to: [\"c@d\\nBcc: x@y\"]}",
            "2:24: to: found 'c@d\\nBcc: x@y', expected a mail address such as ops@example.com, on one line without control characters"),
        Row(
            "webhooks: [{url: \"https://a/\"}, {url: \"https://a/\"}]",
            "2:39: url: found one a second time, expected each URL once"
        ),
        Row(
            "webhooks: [{url: \"https://a/\", secret: sk-1234}]",
            "2:40: secret: found text, expected {credential: NAME}, {file: PATH} or {env: NAME}"
        ),
        Row("state: ~", "2:8: state: found nothing, expected a path"),
        Row("policies: [a]", "2:11: policies: found a list, expected a path"),
    ])
    func `a mistake beside the gateways says where it is`(_ row: Row) throws {
        try folder.write(Self.gateway + row.line, to: "k.yaml")
        #expect(folder.settingsProblems() == ["k.yaml:" + row.message])
    }

    @Test(arguments: [
        Row("kind: laozang", "11: kind: found 'laozang', expected laozhang (did you mean 'laozhang'?)"),
        Row(
            "url: http://example.com",
            "10: url: found http:// to 'example.com', expected https://, as a secret would cross the network readable"
        ),
        Row(
            "url: https://example.com/?a=b",
            "10: url: found text that is none, expected an https:// URL, or http:// to this host alone, without user, query and fragment"
        ),
        Row(
            "url: https://exa mple.com",
            "10: url: found text that is none, expected an https:// URL, or http:// to this host alone, without user, query and fragment"
        ),
        Row("admin_token: sk-1234", "18: admin_token: found text, expected {credential: NAME}, {file: PATH} or {env: NAME}"),
        Row("admin_token: {env: sk-1234}", "24: env: found text, expected the name of an environment variable"),
        Row("admin_token: {credential: sk-1234}", "31: credential: found text, expected the name of a systemd credential"),
        Row("admin_token: {env: A, file: b}", "18: admin_token: found 2 of credential, file and env, expected one"),
        Row("admin_token: {}", "18: admin_token: found 0 of credential, file and env, expected one"),
        Row("capacity: 0", "15: capacity: found '0', expected a whole number from 1 to 1000000000 or unlimited"),
        Row(
            "capacity: \"50\"",
            "15: capacity: found the text '50', expected a whole number from 1 to 1000000000 or unlimited, without quotes"
        ),
        Row("requests: {concurrent: 65}", "28: concurrent: found '65', expected a whole number from 1 to 64"),
        Row("requests: {timeout: 0s}", "25: timeout: found '0s', expected a time span above zero"),
        Row("requests: {timeout: 1 month}", "25: timeout: found '1 month', expected a time span from 1s to 5min"),
        Row("requests: {timeout: 200ms}", "25: timeout: found '200ms', expected a time span from 1s to 5min"),
        Row("currency: usd", "15: currency: found 'usd', expected three capital letters such as USD"),
    ])
    func `a mistake in a gateway says where it is and never what may be a secret`(_ row: Row) throws {
        let key = row.line.prefix { $0 != ":" }
        let right = ["kind: laozhang", "url: https://a.example", "admin_token: {env: A}"].filter { !$0.hasPrefix(key) }
        try folder.write("gateways:\n  g:\n    " + ([row.line] + right).joined(separator: "\n    "), to: "k.yaml")
        #expect(folder.settingsProblems() == ["k.yaml:3:" + row.message])
    }

    @Test func `missing gateways and missing keys are named`() throws {
        try folder.write("watch: {every: 1h}", to: "k.yaml")
        #expect(
            folder.settingsProblems() == [
                "k.yaml:1:1: missing key 'gateways', expected a map of gateways such as {laozhang: {kind: laozhang, ...}}"
            ]
        )
        try folder.write("gateways: {}", to: "k.yaml")
        #expect(folder.settingsProblems() == ["k.yaml:1:11: gateways: found no gateway, expected at least one"])
        try folder.write("gateways: {\"a b\": {}}", to: "k.yaml")
        #expect(
            folder.settingsProblems() == [
                "k.yaml:1:12: gateways: found the name 'a b', expected letters, digits, '.', '_' and '-', at most 64",
                "k.yaml:1:19: a b: missing key 'kind', expected one of laozhang",
                "k.yaml:1:19: a b: missing key 'url', expected its base such as https://api.laozhang.ai",
                "k.yaml:1:19: a b: missing key 'admin_token', expected {credential: NAME}, {file: PATH} or {env: NAME}",
            ]
        )
    }
}
