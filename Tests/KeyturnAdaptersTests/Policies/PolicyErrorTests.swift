import KeyturnCore
import Testing

/// A wrong line within a policy that is right otherwise, and what is said of it.
struct Row: CustomTestStringConvertible, Sendable {
    let line: String
    let message: String
    init(_ line: String, _ message: String) {
        self.line = line
        self.message = message
    }
    var testDescription: String { line }
}

struct `A policy with one mistake says where it is, what was found and what was expected` {
    /// Line 3 is `line`.
    private func problems(topLevel line: String) throws -> [String] {
        let folder = try Folder()
        try folder.write(
            """
            environment: prod
            gateway: laozhang
            \(line)
            tokens: [{project: webapp, purpose: api, deliver: [{file: /a/b}]}]
            """,
            to: "p.yaml"
        )
        return folder.policyProblems()
    }

    @Test(arguments: [
        Row("budgett: {day: 1 USD}", "3:1: unknown key 'budgett', did you mean 'budget'?"),
        Row("colour: red", "3:1: unknown key 'colour', expected one of environment, gateway, defaults, budget, tokens"),
        Row("gateway: other", "3:1: found the key 'gateway' a second time (the first is at 2:1), expected it once"),
        Row("\"gateway\": other", "3:1: found the key 'gateway' a second time (the first is at 2:1), expected it once"),
        Row("[a, b]: c", "3:1: found a list or map as a key, expected a word"),
        Row("budget: ~", "3:9: budget: found nothing, expected a map such as {day: 40 USD, month: 500 USD, alert_at: [50%, 80%, 100%]}"),
        Row("budget: {}", "3:9: budget: found neither day nor month, expected at least one of them"),
        Row("budget: {day: 40}", "3:15: day: found '40', expected an amount above 0 with its currency, such as 40 USD"),
        Row("budget: {day: -4 USD}", "3:15: day: found '-4 USD', expected an amount above 0 with its currency, such as 40 USD"),
        Row("budget: {day: 0 USD}", "3:15: day: found '0 USD', expected an amount above 0 with its currency, such as 40 USD"),
        Row("budget: {day: 4 dollars}", "3:15: day: found '4 dollars', expected an amount above 0 with its currency, such as 40 USD"),
        Row("budget: {day: 1e3 USD}", "3:15: day: found '1e3 USD', expected an amount above 0 with its currency, such as 40 USD"),
        Row("budget: {day: 4 USD, month: 9 EUR}", "3:29: month: found '9 EUR', expected USD, the currency of the gateway"),
        Row(
            "budget: {day: 4 USD, alert_at: [50]}",
            "3:33: alert_at: found '50', expected a percentage above 0% and at most 100000%, such as 80%"
        ),
        Row(
            "budget: {day: 4 USD, alert_at: [0%]}",
            "3:33: alert_at: found '0%', expected a percentage above 0% and at most 100000%, such as 80%"
        ),
        Row(
            "budget: {day: 4 USD, alert_at: [100001%]}",
            "3:33: alert_at: found '100001%', expected a percentage above 0% and at most 100000%, such as 80%"
        ),
        Row("budget: {day: 4 USD, when_spent: stop}", "3:34: when_spent: found 'stop', expected alert, revoke"),
        Row("budget: {day: 4 USD, when: revoke}", "3:22: budget: unknown key 'when', expected one of day, month, alert_at, when_spent"),
        Row("budget: {day: 4 USD, alert_at: [9%, 9%]}", "3:37: alert_at: found '9%' a second time, expected each percentage once"),
        Row("defaults: [a]", "3:11: defaults: found a list, expected a map of what all tokens share"),
        Row("defaults: {<<: {}}", "3:12: found the merge key <<, expected plain YAML (no anchors, aliases or merge keys)"),
        Row("defaults: &x {}", "3:11: found the anchor &x, expected plain YAML (no anchors, aliases or merge keys)"),
        Row("defaults: *x", "3:11: found the alias *x, expected plain YAML (no anchors, aliases or merge keys)"),
        Row("defaults: !!map {}", "3:11: found a tag, expected plain YAML (no tags)"),
        Row("defaults: {billing: ! usage_based}", "3:21: found a tag, expected plain YAML (no tags)"),
        Row("---", "3:1: found a second document, expected one document a file"),
        Row("\tdefaults: {}", "3:1: found no YAML: a tab: "),
        Row("defaults: 'x", "4:67: found no YAML: "),
    ])
    func `at the top`(_ row: Row) throws {
        let problems = try problems(topLevel: row.line)
        #expect(problems.count == 1)
        let first = try #require(problems.first)
        #expect(row.message.hasSuffix(": ") ? first.hasPrefix("p.yaml:" + row.message) : first == "p.yaml:" + row.message)
    }

    @Test(arguments: [
        Row("name: prod", "9: name: found 'prod' with 0 of {date}, expected {date} once"),
        Row("name: \"{date}-{date}\"", "9: name: found '{date}-{date}' with 2 of {date}, expected {date} once"),
        Row("name: \"{date}\"", "9: name: found '{date}', expected something beside {date}"),
        Row(
            "name: \"{projekt}-{date}\"",
            "9: name: found the placeholder '{projekt}', expected {environment}, {project}, {purpose} and one {date} (did you mean '{project}'?)"
        ),
        Row("name: \"a b-{date}\"", "9: name: found ' ' in 'a b-{date}', expected letters, digits, '.', '_', '-' and placeholders"),
        Row(
            "rotate: 3 months",
            "11: rotate: found '3 months', expected never or a map such as {every: 3 months, window: \"Mon..Thu 09:00-16:00 Europe/Berlin\", jitter: 1 day}"
        ),
        Row("rotate: {every: 0}", "19: every: found '0', expected a time span above zero"),
        Row("rotate: {every: 90}", "19: every: found '90', expected a unit after 90, such as 90 days"),
        Row("rotate: {every: 1:30}", "19: every: found '1:30', expected a unit after 1, such as 1 days"),
        Row("rotate: {every: ~}", "19: every: found nothing, expected a time span such as 90d, 24 hours or 3 months"),
        Row("rotate: {evry: 3d}", "12: rotate: unknown key 'evry', did you mean 'every'?"),
        Row(
            "rotate: {window: Mon 9-16}",
            "20: window: found 'Mon 9-16', expected a window such as \"Mon..Thu 09:00-16:00 Europe/Berlin\"; '9-16' is no span of the day"
        ),
        Row("overlap: {at_most: 0s}", "22: at_most: found '0s', expected a time span above zero"),
        Row("overlap: {at_least: 30d, at_most: 0s}", "37: at_most: found '0s', expected a time span above zero"),
        Row(
            "overlap: {at_least: often, at_most: 1h}",
            "23: at_least: found 'often', expected a time span such as 90d, 24 hours, 1h 30min, 20s or 3 months"),
        Row("adopt: yes", "10: adopt: found 'yes', expected true, false"),
        Row("overlap: {at_most: 1 hour}", "22: at_most: found '1 hour', expected no less than at_least (1d)"),
        Row("overlap: {at_least: 15 days}", "23: at_least: found '15 days', expected no more than at_most (14d)"),
        Row("billing: flat", "12: billing: found 'flat', expected usage_based, pay_per_use"),
        Row(
            "permissions: [full]",
            "17: permissions: found 'full', expected a permission of the gateway's, such as chat (full and read_only stand without a list)"
        ),
        Row("permissions: []", "16: permissions: found an empty list, expected full, read_only or a list such as [chat, completion]"),
        Row("models: gpt-4", "11: models: found 'gpt-4', expected all or a list such as [gpt-4, claude-3-opus]"),
        Row("models: [a, a]", "15: models: found 'a' a second time, expected each once"),
        Row(
            "allow_ips: [10.1]",
            "15: allow_ips: found '10.1', expected an address or range such as 203.0.113.10, 198.51.100.0/24 or 2001:db8::/32"
        ),
        Row(
            "allow_ips: [10.0.0.0/33]",
            "15: allow_ips: found '10.0.0.0/33', expected an address or range such as 203.0.113.10, 198.51.100.0/24 or 2001:db8::/32"
        ),
        Row(
            "allow_ips: [fe80::/129]",
            "15: allow_ips: found 'fe80::/129', expected an address or range such as 203.0.113.10, 198.51.100.0/24 or 2001:db8::/32"
        ),
        Row(
            "limits: {day: {requests: 010}}",
            "28: requests: found '010', the number 8 in YAML 1.1, expected a whole number from 1 to 1000000000 or unlimited"
        ),
        Row(
            "limits: {day: {requests: 1:30}}",
            "28: requests: found '1:30', the number 90 in YAML 1.1, expected a whole number from 1 to 1000000000 or unlimited"
        ),
        Row(
            "limits: {day: {requests: 1_000}}",
            "28: requests: found '1_000', the number 1000 in YAML 1.1, expected a whole number from 1 to 1000000000 or unlimited"
        ),
        Row(
            "limits: {day: {requests: \"10\"}}",
            "28: requests: found the text '10', expected a whole number from 1 to 1000000000 or unlimited, without quotes"
        ),
        Row("limits: {day: {requests: 0}}", "28: requests: found '0', expected a whole number from 1 to 1000000000 or unlimited"),
        Row("limits: {day: {requests: 1.5}}", "28: requests: found '1.5', expected a whole number from 1 to 1000000000 or unlimited"),
        Row("limits: {day: {amount: -1}}", "26: amount: found '-1', expected an amount above 0 such as 10 or 2.50, without a currency"),
        Row(
            "limits: {day: {amount: 10 USD}}",
            "26: amount: found '10 USD', expected an amount above 0 such as 10 or 2.50, without a currency"
        ),
        Row(
            "budget: 5",
            "11: budget: found '5', expected a map such as {day: 40 USD, month: 500 USD, alert_at: [50%, 80%, 100%]}"),
        Row("budget: {}", "11: budget: found neither day nor month, expected at least one of them"),
        Row("budget: {month: 9 EUR, day: 4 USD}", "19: month: found '9 EUR', expected USD, the currency of the gateway"),
        Row("when_removed: revoke", "17: when_removed: found 'revoke', expected keep or a map such as {revoke_after: 7 days}"),
        Row("notify_before: 0s", "18: notify_before: found '0s', expected a time span above zero"),
        Row("notify_before: [7 days, 7d]", "27: notify_before: found '7d' a second time, expected each span once"),
        Row(
            "notify_before: {}",
            "18: notify_before: found a map, expected never, a time span such as 7 days or a list such as [14 days, 1 day]"),
        Row("when_removed: {revoke_after: 0s}", "32: revoke_after: found '0s', expected a time span above zero"),
        Row("expires: 0d", "12: expires: found '0d', expected a time span above zero"),
        Row(
            "expires: 2027-02-30",
            "12: expires: found '2027-02-30', expected a date such as 2026-12-31 or a time such as 2026-12-31T18:00:00Z"
        ),
        Row(
            "expires: 2027-01-01T25:00:00Z",
            "12: expires: found '2027-01-01T25:00:00Z', expected a date such as 2026-12-31 or a time such as 2026-12-31T18:00:00Z"
        ),
        Row(
            "expires: 2027-01-01T12:00:00",
            "12: expires: found '2027-01-01T12:00:00', expected a date such as 2026-12-31 or a time such as 2026-12-31T18:00:00Z"
        ),
        Row(
            "expires: soon",
            "12: expires: found 'soon', expected never, a time span such as 90d, a date such as 2026-12-31 or a time such as 2026-12-31T18:00:00Z"
        ),
        Row(
            "deliver: []",
            "3: defaults: unknown key 'deliver', expected one of name, rotate, overlap, billing, permissions, models, allow_ips, limits, expires, when_removed, adopt, notify_before, budget"
        ),
    ])
    func `in its defaults`(_ row: Row) throws {
        let problems = try problems(topLevel: "defaults:\n  \(row.line)")
        #expect(problems == ["p.yaml:4:" + row.message])
    }

    @Test(arguments: [
        Row(
            "purpose: yes",
            "6:14: purpose: found 'yes', a boolean in YAML 1.1, expected a word of letters, digits, '.', '_' and '-', in quotes if it is meant"
        ),
        Row(
            "purpose: 010",
            "6:14: purpose: found '010', the number 8 in YAML 1.1, expected a word of letters, digits, '.', '_' and '-', in quotes if it is meant"
        ),
        Row(
            "purpose: 1:30",
            "6:14: purpose: found '1:30', the number 90 in YAML 1.1, expected a word of letters, digits, '.', '_' and '-', in quotes if it is meant"
        ),
        Row(
            "purpose: 2026-11-01",
            "6:14: purpose: found '2026-11-01', a date in YAML 1.1, expected a word of letters, digits, '.', '_' and '-', in quotes if it is meant"
        ),
        Row("purpose: null", "6:14: purpose: found nothing, expected a word of letters, digits, '.', '_' and '-'"),
        Row("purpose:", "6:13: purpose: found nothing, expected a word of letters, digits, '.', '_' and '-'"),
        Row("purpose: [api]", "6:14: purpose: found a list, expected a word of letters, digits, '.', '_' and '-'"),
        Row("purpose: a b", "6:14: purpose: found 'a b', expected a word of letters, digits, '.', '_' and '-'"),
        Row(
            "purpose: \"a\\nb\"",
            "6:14: purpose: found 'a\\nb', expected a word of letters, digits, '.', '_' and '-', on one line without control characters"
        ),
        Row(
            "purposes: api",
            "4:5: tokens: missing key 'purpose', expected a word for the token's name|6:5: tokens: unknown key 'purposes', did you mean 'purpose'?"
        ),
    ])
    func `in a word of a token`(_ row: Row) throws {
        let folder = try Folder()
        try folder.write(
            """
            environment: prod
            gateway: laozhang
            tokens:
              - deliver: [{file: /a/b}]
                project: webapp
                \(row.line)
            """,
            to: "p.yaml"
        )
        // A missing key is reported where its map begins.
        #expect(folder.policyProblems() == row.message.split(separator: "|").map { "p.yaml:\($0)" })
    }

    @Test(arguments: [
        Row("{format: raw}", "9: deliver: missing key 'file', expected the absolute path of the file"),
        Row("{file: etc/token}", "16: file: found 'etc/token', expected the absolute path of a file such as /etc/webapp/token"),
        Row("{file: /etc/}", "16: file: found '/etc/', expected the absolute path of a file such as /etc/webapp/token"),
        Row("{file: /a, format: yaml}", "28: format: found 'yaml', expected raw, dotenv, json, template"),
        Row("{file: /a, format: jsn}", "28: format: found 'jsn', expected raw, dotenv, json, template (did you mean 'json'?)"),
        Row("{file: /a, key: K}", "25: key: found 'K', expected no key with format: raw; a key needs format: dotenv or json"),
        Row("{file: /a, format: dotenv}", "9: deliver: missing key 'key', expected the variable's name, such as LAOZHANG_API_KEY"),
        Row("{file: /a, format: dotenv, key: 1A}", "41: key: found '1A', expected a variable's name such as LAOZHANG_API_KEY"),
        Row("{file: /a, format: json}", "9: deliver: missing key 'key', expected a JSON pointer such as /gateway/api_key"),
        Row(
            "{file: /a, format: json, key: a/b}",
            "39: key: found 'a/b', expected a JSON pointer such as /gateway/api_key, where ~0 is a tilde and ~1 a slash"
        ),
        Row(
            "{file: /a, format: json, key: /a~2}",
            "39: key: found '/a~2', expected a JSON pointer such as /gateway/api_key, where ~0 is a tilde and ~1 a slash"
        ),
        Row("{file: /a, format: template}", "9: deliver: missing key 'template', expected the text of the file, or {file: PATH}"),
        Row(
            "{file: /a, format: template, template: hello}",
            "48: template: found a text without {{secret}}, expected the text of the file with {{secret}} in it, or {file: PATH}"
        ),
        Row("{file: /a, template: \"{{secret}}\"}", "30: template: found one, expected no template without format: template"),
        Row("{file: /a, mode: 640}", "26: mode: found '640', the decimal number 640 in YAML, expected \"0640\", in quotes"),
        Row("{file: /a, mode: \"0888\"}", "26: mode: found '0888', expected permission bits such as \"0640\", in quotes"),
        Row("{file: /a, mode: rw-r-----}", "26: mode: found 'rw-r-----', expected permission bits such as \"0640\", in quotes"),
        Row(
            "{file: /a, mode: \"4755\"}",
            "26: mode: found '4755', expected permission bits without setuid, setgid or sticky, at most \"0777\""
        ),
        Row("{file: /a, mode: \"0666\"}", "26: mode: found '0666', expected a file that not everybody may write, such as \"0640\""),
        Row("{file: /a, owner: \"a:b\"}", "27: owner: found 'a:b', expected a user's name or number"),
        Row(
            "{file: /a, then: {}}",
            "26: then: found none of run, signal, reload and restart, expected exactly one of run, signal, reload and restart"
        ),
        Row(
            "{file: /a, then: {reload: a.service, run: [/b]}}",
            "26: then: found run and reload, expected exactly one of run, signal, reload and restart"
        ),
        Row("{file: /a, then: {reload: a}}", "35: reload: found 'a', expected a systemd unit with its type, such as webapp.service"),
        Row(
            "{file: /a, then: {run: []}}",
            "32: run: found an empty list, expected a program with its arguments such as [/usr/bin/worker-ctl, reload]"
        ),
        Row("{file: /a, then: {run: [ctl]}}", "33: run: found 'ctl', expected the program's absolute path, such as /usr/bin/worker-ctl"),
        Row(
            "{file: /a, then: {run: [/ctl, on]}}",
            "39: run: found 'on', a boolean in YAML 1.1, expected an argument as text, in quotes if it is meant"
        ),
        Row(
            "{file: /a, then: {run: /ctl reload}}",
            "32: run: found '/ctl reload', expected a program with its arguments such as [/usr/bin/worker-ctl, reload]"
        ),
        Row("{file: /a, then: {run: [/ctl], timeout: 0s}}", "49: timeout: found '0s', expected a time span above zero"),
        Row("{file: /a, then: {reload: a.service, timeout: 1s}}", "55: timeout: found '1s', expected a timeout beside run alone"),
        Row(
            "{file: /a, then: {signal: HUPP, pid_file: /p}}",
            "35: signal: found 'HUPP', expected a signal such as HUP, SIGUSR1 or 1 (did you mean 'HUP'?)"
        ),
        Row(
            "{file: /a, then: {signal: 65, pid_file: /p}}",
            "35: signal: found '65', expected a whole number from 1 to 64 or a name such as HUP"
        ),
        Row("{file: /a, then: {signal: HUP}}", "26: then: missing key 'pid_file', expected the file that holds the number of the process"),
        Row(
            "{file: /a, confirm: {timeout: 1s}}",
            "29: confirm: missing key 'run', expected a program with its arguments such as [/usr/bin/worker-ctl, status]"
        ),
    ])
    func `in a target`(_ row: Row) throws {
        let folder = try Folder()
        try folder.write(
            """
            environment: prod
            gateway: laozhang
            tokens:
              - project: webapp
                purpose: api
                deliver:
                  - \(row.line)
            """,
            to: "p.yaml"
        )
        #expect(folder.policyProblems() == ["p.yaml:7:" + row.message])
    }
}
