import Foundation
import KeyturnAdapters
import KeyturnCore
import Testing

struct `A policy is read as it is meant` {
    private let folder: Folder
    init() throws { folder = try Folder() }

    @Test func `what is to be adopted, by its defaults or itself`() throws {
        let policy = try folder.policy(
            """
            environment: prod
            gateway: laozhang
            defaults: {adopt: true}
            tokens:
              - {project: webapp, purpose: api, deliver: [{file: /a}]}
              - {project: webapp, purpose: new, adopt: false, deliver: [{file: /b}]}
            """
        )
        #expect(policy.tokens.map(\.adopt) == [true, false])
    }

    @Test func `what is told ahead of time: a span, a list of spans, or nothing in spite of the defaults`() throws {
        let policy = try folder.policy(
            """
            environment: prod
            gateway: laozhang
            defaults: {notify_before: 7 days}
            tokens:
              - {project: webapp, purpose: api, deliver: [{file: /a}]}
              - {project: webapp, purpose: list, notify_before: [14 days, 12h], deliver: [{file: /b}]}
              - {project: webapp, purpose: none, notify_before: never, deliver: [{file: /c}]}
            """
        )
        #expect(policy.tokens.map(\.notifyBefore) == [[.days(7)], [.days(14), .hours(12)], []])
    }

    @Test func `the product's example`() throws {
        let policy = try folder.policy(
            """
            environment: prod
            gateway: laozhang
            defaults:
              name: "{environment}-{project}-{purpose}-{date}"
              rotate: {every: 3 months, window: "Mon..Thu 09:00-16:00 Europe/Berlin", jitter: 1 day}
              overlap: {at_least: 24 hours, quiet_for: 1 hour, at_most: 14 days}
              billing: usage_based
              permissions: [chat, completion]
              models: [gpt-4, claude-3-opus]
              allow_ips: [203.0.113.10, 198.51.100.0/24]
              limits: {day: {requests: 1000, amount: 10}, month: {amount: 300}, request: {tokens: 4000}}
              expires: never
            budget: {day: 40 USD, month: 500 USD, alert_at: [50%, 80%, 100%]}
            tokens:
              - project: webapp
                purpose: api
                deliver:
                  - {file: /etc/webapp/laozhang.env, format: dotenv, key: LAOZHANG_API_KEY, group: webapp, mode: "0640",
                     then: {reload: webapp.service}}
                  - {file: /srv/worker/config.json, format: json, key: /gateway/api_key, then: {run: [/usr/bin/worker-ctl, reload], timeout: 30s}}
            """
        )
        let token = TokenPolicy(
            environment: "prod",
            project: "webapp",
            purpose: "api",
            gateway: GatewayName("laozhang"),
            pattern: NamingPattern(prefix: "prod-webapp-api-", suffix: ""),
            rotate: .every(TimeSpan(months: 3), window: try Window(parsing: "Mon..Thu 09:00-16:00 Europe/Berlin"), jitter: .days(1)),
            overlap: Overlap(atLeast: .hours(24), quietFor: .hours(1), atMost: .days(14)),
            attributes: Attributes(
                billing: .usageBased,
                permissions: .only(["chat", "completion"]),
                models: .only(["gpt-4", "claude-3-opus"]),
                allowIPs: ["203.0.113.10", "198.51.100.0/24"],
                limits: Limits(requestsPerDay: 1000, amountPerDay: 10, amountPerMonth: 300, tokensPerRequest: 4000)
            ),
            expires: .never,
            targets: [
                TargetPolicy(
                    file: "/etc/webapp/laozhang.env",
                    format: .dotenv(key: "LAOZHANG_API_KEY"),
                    group: "webapp",
                    mode: 0o640,
                    then: .reload(unit: "webapp.service")
                ),
                TargetPolicy(
                    file: "/srv/worker/config.json",
                    format: .json(pointer: "/gateway/api_key"),
                    then: .run(Command(arguments: ["/usr/bin/worker-ctl", "reload"], timeout: .seconds(30)))
                ),
            ]
        )
        #expect(policy.tokens == [token])
        #expect(
            policy.budget
                == BudgetPolicy(
                    day: Money(amount: 40, currency: "USD"),
                    month: Money(amount: 500, currency: "USD"),
                    alertAt: [50, 80, 100]
                )
        )
        #expect(policy.tokens[0].name == TokenName("prod-webapp-api"))
    }

    @Test(arguments: [("prod", 3), ("dev", 6)])
    func `what is left out is plain`(environment: String, months: Int) throws {
        let policy = try folder.policy(
            "environment: \(environment)\ngateway: g\ntokens: [{project: a, purpose: b, deliver: [{file: /a/b}]}]\n"
        )
        #expect(
            policy.tokens == [
                TokenPolicy(
                    environment: environment,
                    project: "a",
                    purpose: "b",
                    gateway: GatewayName("g"),
                    pattern: NamingPattern(prefix: "\(environment)-a-b-", suffix: ""),
                    rotate: .every(TimeSpan(months: months), window: nil, jitter: .zero),
                    overlap: Overlap(atLeast: .hours(24), quietFor: .zero, atMost: .days(14)),
                    targets: [TargetPolicy(file: "/a/b", format: .raw)]
                )
            ]
        )
        #expect(policy.budget == nil)
    }

    private func token(_ keys: String, defaults: String = "{}") throws -> TokenPolicy {
        try folder.policy(
            "environment: prod\ngateway: g\ndefaults: \(defaults)\ntokens: [{project: a, purpose: b, deliver: [{file: /a/b}], \(keys)}]\n"
        ).tokens[0]
    }

    @Test func `a token overrides its defaults key by key`() throws {
        let token = try token(
            "overlap: {quiet_for: 5m}, rotate: {every: 1 month}, limits: {day: {amount: 2.50, requests: unlimited}}",
            defaults: "{overlap: {at_least: 2h}, rotate: {every: 2 months, jitter: 1h}, limits: {day: {requests: 5}, month: {requests: 6}}}"
        )
        #expect(token.overlap == Overlap(atLeast: .hours(2), quietFor: .minutes(5), atMost: .days(14)))
        #expect(token.rotate == .every(TimeSpan(months: 1), window: nil, jitter: .hours(1)))
        #expect(token.attributes.limits == Limits(amountPerDay: Decimal(string: "2.5"), requestsPerMonth: 6))
    }

    @Test func `a token rotates although the defaults say never, once it says how often`() throws {
        #expect(try token("rotate: {every: 2d}", defaults: "{rotate: never}").rotate == .every(.days(2), window: nil, jitter: .zero))
        #expect(try token("rotate: never").rotate == .never)
        try folder.write(
            "environment: prod\ngateway: g\ndefaults: {rotate: never}\ntokens: [{project: a, purpose: b, rotate: {jitter: 1d}, deliver: [{file: /a}]}]\n",
            to: "p.yaml"
        )
        #expect(folder.policyProblems() == ["p.yaml:4:43: rotate: missing key 'every', expected a time span such as 3 months"])
    }

    @Test(arguments: [
        ("never", Expiry.never), ("90d", .after(.days(90))), ("3 months", .after(TimeSpan(months: 3))),
        ("2026-12-31", .on(Date(timeIntervalSince1970: 1_798_761_599))),
        ("\"2026-12-31\"", .on(Date(timeIntervalSince1970: 1_798_761_599))),
        ("2026-12-31T23:59:59Z", .on(Date(timeIntervalSince1970: 1_798_761_599))),
        ("2027-01-01T00:59:59+01:00", .on(Date(timeIntervalSince1970: 1_798_761_599))),
    ])
    func `an expiry is never, a span, a day or a moment`(text: String, expiry: Expiry) throws {
        #expect(try token("rotate: never, expires: \(text)").expires == expiry)
    }

    @Test(arguments: [("full", Permissions.full), ("read_only", .readOnly), ("[chat]", .only(["chat"]))])
    func `permissions are full, read-only or named`(text: String, permissions: Permissions) throws {
        #expect(try token("permissions: \(text)").attributes.permissions == permissions)
    }

    @Test(arguments: ["2001:db8::/32", "::1", "10.0.0.0/8", "192.0.2.1"])
    func `addresses and ranges of both kinds are kept as written`(range: String) throws {
        #expect(try token("allow_ips: [\"\(range)\"]").attributes.allowIPs == [range])
    }

    @Test(arguments: [
        ("{signal: HUP, pid_file: /run/a.pid}", Then.signal(1, pidFile: "/run/a.pid")),
        ("{signal: SIGUSR1, pid_file: /run/a.pid}", .signal(10, pidFile: "/run/a.pid")),
        ("{signal: 34, pid_file: /run/a.pid}", .signal(34, pidFile: "/run/a.pid")),
        ("{restart: a@b.service}", .restart(unit: "a@b.service")),
        ("{run: [/bin/x, \"\", -n, \"5\"]}", .run(Command(arguments: ["/bin/x", "", "-n", "5"]))),
    ])
    func `a consumer is told in four ways`(text: String, then: Then) throws {
        let policy = try folder.policy(
            "environment: prod\ngateway: g\ntokens: [{project: a, purpose: b, deliver: [{file: /a/b, then: \(text)}]}]\n"
        )
        #expect(policy.tokens[0].targets[0].then == then)
    }

    @Test func `a target may name numbers for accounts, octal bits, and a template beside the policy`() throws {
        let policy = try folder.policy(
            """
            environment: prod
            gateway: g
            tokens:
              - project: a
                purpose: b
                deliver:
                  - {file: /a//./b, owner: 1000, group: "0", mode: 0640, format: template, template: {file: t/x.tmpl}, confirm: {run: [/bin/ok]}}
            """
        )
        #expect(
            policy.tokens[0].targets == [
                TargetPolicy(
                    file: "/a/b",
                    format: .template(.file("\(folder.path)/t/x.tmpl")),
                    owner: "1000",
                    group: "0",
                    mode: 0o640,
                    confirm: Command(arguments: ["/bin/ok"])
                )
            ]
        )
    }
}
