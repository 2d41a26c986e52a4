import Foundation
import Glibc
import KeyturnAdapters
import KeyturnCore
import Testing

struct `A file that is no policy at all is refused with its reason` {
    private let folder: Folder
    init() throws { folder = try Folder() }

    @Test(arguments: [
        Row("", "1:1: found an empty file, expected a map of keys and values"),
        Row("\n  # only a comment\n", "1:1: found an empty file, expected a map of keys and values"),
        Row("- a", "1:1: found a list, expected a map with environment, gateway and tokens"),
        Row("a: 1\n\nb: \u{1b}[31m", "3:4: found the control character U+001B, expected text"),
        Row("a: \u{0}", "1:4: found the control character U+0000, expected text"),
    ])
    func `by its text`(_ row: Row) throws {
        try folder.write(row.line, to: "p.yaml")
        #expect(folder.policyProblems() == ["p.yaml:" + row.message])
    }

    @Test func `a byte that is not UTF-8 is named with its place`() throws {
        try folder.write(Array("a: 1\nb: ü".utf8) + [0xFF, 0x41], to: "p.yaml")
        #expect(folder.policyProblems() == ["p.yaml:2:5: found the byte 0xFF, expected UTF-8"])
    }

    @Test func `a file over 1 MiB is not read`() throws {
        try folder.write([UInt8](repeating: 0x20, count: 1 << 20 + 1), to: "p.yaml")
        #expect(folder.policyProblems() == ["p.yaml: found a file of 1048577 bytes, expected a readable YAML file of at most 1 MiB"])
    }

    @Test(arguments: [
        String(repeating: "[", count: 20_000), String(repeating: "- ", count: 20_000), String(repeating: "{a: ", count: 20_000),
    ])
    func `20 000 levels of nesting end in a message`(_ text: String) throws {
        try folder.write(text, to: "p.yaml")
        let problems = folder.policyProblems()
        #expect(problems.count == 1)
        #expect(problems[0].hasSuffix("found more than 1000 levels of nesting, expected a policy's few"))
    }

    @Test func `an alias bomb never goes off, even as a key`() throws {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 { text += "a\(level): &a\(level) [\((0..<10).map { _ in "*a\(level - 1)" }.joined(separator: ", "))]\n" }
        try folder.write(text + "? *a12\n: 1\n? *a12\n: 2\n", to: "p.yaml")
        let problems = folder.policyProblems()
        #expect(
            problems.contains { $0.contains(/^p\.yaml:\d+:\d+: found more than 40 anchors, aliases and duplicate keys, expected none$/) })
        #expect(problems.first == "p.yaml:1:5: found the anchor &a0, expected plain YAML (no anchors, aliases or merge keys)")
        #expect(problems.count == 41)
    }

    @Test func `signs within texts and comments are no anchors or aliases`() throws {
        let policy = try folder.policy(
            """
            environment: prod # &a *b
            gateway: laozhang
            tokens:
              - project: webapp
                purpose: api
                deliver: [{file: /a&b/*c, format: template, template: "a=*b&c={{secret}}"}]
            """
        )
        #expect(policy.tokens[0].targets == [TargetPolicy(file: "/a&b/*c", format: .template(.text("a=*b&c={{secret}}")))])
    }

    @Test func `a policy cut off or spoilt at any place is read or refused, and every problem has a place in it`() throws {
        let sample = try Data(contentsOf: URL(filePath: Repository.path("policies/production.yaml")))
        let signs = Array("&*!{}[]:,'\"#%|>?-~\\\t\n@ x\u{0}".utf8) + [0xFF]
        for offset in stride(from: 0, to: sample.count, by: 37) {
            var spoilt = Array(sample)
            spoilt[offset] = signs[offset / 37 % signs.count]
            for bytes in [spoilt, Array(sample.prefix(offset))] {
                let file = try folder.write(bytes, to: "p.yaml")
                do throws(ConfigurationErrors) {
                    _ = try PolicyReader(now: Folder.now).read(file)
                } catch {
                    #expect(error.problems.allSatisfy { ($0.line ?? 0) > 0 && ($0.column ?? 0) > 0 })
                }
            }
        }
    }

    @Test func `a folder, a missing file, a dangling link and a pipe are no files`() throws {
        try FileManager.default.createDirectory(atPath: folder.path + "/d/a.yaml", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(atPath: folder.path + "/d/b.yaml", withDestinationPath: "nowhere")
        #expect(unsafe mkfifo(folder.path + "/d/c.yaml", 0o600) == 0)
        #expect(
            folder.policyProblems("d") == [
                "d/a.yaml: found a folder, expected a readable YAML file of at most 1 MiB",
                "d/b.yaml: found no such file, expected a readable YAML file of at most 1 MiB",
                "d/c.yaml: found something that is no regular file, expected a readable YAML file of at most 1 MiB",
            ]
        )
        #expect(folder.policyProblems("x.yaml") == ["x.yaml: found no such file, expected a readable YAML file of at most 1 MiB"])
    }

    @Test(.enabled(if: geteuid() != 0, "root may read everything"))
    func `a file that may not be read says so`() throws {
        let file = try folder.write("a: 1", to: "p.yaml")
        try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: file)
        #expect(
            folder.policyProblems() == [
                "p.yaml: found a file that user \(geteuid()) may not read (permission denied), expected a readable YAML file of at most 1 MiB"
            ]
        )
    }
}

struct `What is wrong in several places` {
    private let folder: Folder
    init() throws { folder = try Folder() }

    private func policy(_ environment: String, _ tokens: String) -> String {
        "environment: \(environment)\ngateway: laozhang\ntokens:\n" + tokens
    }

    @Test func `all errors of a file come at once, in the order of its lines`() throws {
        try folder.write(
            """
            environment: yes
            gatway: laozhang
            defaults:
              rotate: {every: 0, every: 3 months}
              base: &base {}
              limits: *base
            tokens:
              - project: webapp
                purpose: !x api
                deliver: [{file: a, mode: 640}]
                deliver: []
              - 7
            """,
            to: "p.yaml"
        )
        #expect(
            folder.policyProblems() == [
                "p.yaml:1:1: missing key 'gateway', expected the name of a gateway of the settings",
                "p.yaml:1:14: environment: found 'yes', a boolean in YAML 1.1, expected an environment's name of letters, digits, '.', '_' and '-', in quotes if it is meant",
                "p.yaml:2:1: unknown key 'gatway', did you mean 'gateway'?",
                "p.yaml:4:19: every: found '0', expected a time span above zero",
                "p.yaml:4:22: found the key 'every' a second time (the first is at 4:12), expected it once",
                "p.yaml:5:3: defaults: unknown key 'base', expected one of name, rotate, overlap, billing, permissions, models, allow_ips, limits, expires, when_removed, adopt, notify_before, budget",
                "p.yaml:5:9: found the anchor &base, expected plain YAML (no anchors, aliases or merge keys)",
                "p.yaml:6:11: found the alias *base, expected plain YAML (no anchors, aliases or merge keys)",
                "p.yaml:9:14: found a tag, expected plain YAML (no tags)",
                "p.yaml:10:22: file: found 'a', expected the absolute path of a file such as /etc/webapp/token",
                "p.yaml:10:31: mode: found '640', the decimal number 640 in YAML, expected \"0640\", in quotes",
                "p.yaml:11:5: found the key 'deliver' a second time (the first is at 10:5), expected it once",
                "p.yaml:12:5: tokens: found '7', expected a map with project, purpose and deliver",
            ]
        )
    }

    @Test func `three equal keys in every way of writing are found, and keys that only look alike are not`() throws {
        try folder.write("a*b: 1\n\"a*b\": 2\n'a*b': 3\na*c: 4\na&b: 5\n", to: "p.yaml")
        #expect(
            folder.policyProblems().filter { $0.contains("second time") } == [
                "p.yaml:2:1: found the key 'a*b' a second time (the first is at 1:1), expected it once",
                "p.yaml:3:1: found the key 'a*b' a second time (the first is at 1:1), expected it once",
            ]
        )
    }

    @Test func `a duplicate key that is written with an escape is reported at one of the two`() throws {
        try folder.write("\"\\x41\": 1\nA: 2\n", to: "p.yaml")
        #expect(folder.policyProblems().first?.contains("found the key 'A' twice in one map, expected it once") == true)
    }

    @Test func `two tokens with one stable name name both places`() throws {
        let token = "  - {project: webapp, purpose: api, deliver: [{file: /a/FILE}]}\n"
        try folder.write(policy("prod", token.replacing("FILE", with: "1") + token.replacing("FILE", with: "2")), to: "p.yaml")
        #expect(
            folder.policyProblems() == [
                "p.yaml:5:5: found a second token named 'prod-webapp-api' (the first is at p.yaml:4:5), expected a name of its own"
            ]
        )
    }

    @Test func `two files may not share a token's name, a target or an environment`() throws {
        try folder.write(
            policy("prod", "  - {project: webapp, purpose: api, name: \"x-{date}\", deliver: [{file: /a/b}]}\n"),
            to: "d/a.yaml"
        )
        try folder.write(
            policy("test", "  - {project: webapp, purpose: api, name: \"{date}-x\", deliver: [{file: /a//c/../b}]}\n"),
            to: "d/b.yml"
        )
        try folder.write(policy("prod", "  - {project: other, purpose: api, deliver: [{file: /a/c}]}\n"), to: "d/c.yaml")
        #expect(
            folder.policyProblems("d") == [
                "d/b.yml:4:5: found a second token named 'x' (the first is at d/a.yaml:4:5), expected a name of its own",
                "d/b.yml:4:65: found a second target that writes /a/b (the first is /a/b, of x at d/a.yaml:4:65), expected a file or key of its own",
                "d/c.yaml:1:14: environment: found 'prod', which d/a.yaml:1:14 has already, expected one file an environment",
            ]
        )
    }

    @Test(arguments: [
        ("{file: /f, format: dotenv, key: A}", "{file: /f, format: dotenv, key: A}", true),
        ("{file: /f, format: dotenv, key: A}", "{file: /f, format: dotenv, key: B}", false),
        ("{file: /f, format: json, key: /a/b}", "{file: /f, format: json, key: /a/c}", false),
        ("{file: /f, format: json, key: /a}", "{file: /f, format: json, key: /a/c}", true),
        ("{file: /f, format: json, key: /a}", "{file: /f, format: json, key: /ab}", false),
        ("{file: /f, format: json, key: /a}", "{file: /f, format: dotenv, key: A}", true),
        ("{file: /f}", "{file: /x/.././f, format: dotenv, key: A}", true),
        ("{file: /f}", "{file: /g}", false),
    ])
    func `two targets in one file clash when one would undo the other`(one: String, other: String, clash: Bool) throws {
        try folder.write(policy("prod", "  - {project: webapp, purpose: api, deliver: [\(one), \(other)]}\n"), to: "p.yaml")
        #expect(folder.policyProblems().contains { $0.contains("found a second target that writes") } == clash)
        #expect(folder.policyProblems().count == (clash ? 1 : 0))
    }

    @Test func `only policy files of a folder are read, in the order of their names`() throws {
        for name in ["b.yaml", "a.yml", "c.yaml~", "#d.yaml", ".e.yaml", "f.yaml.swp", "README"] {
            let known = name == "b.yaml" || name == "a.yml"
            try folder.write(
                known ? policy("e" + name.prefix(1), "  - {project: x, purpose: z, deliver: [{file: /\(name)}]}\n") : "{",
                to: "d/\(name)"
            )
        }
        #expect(try PolicyReader().read(folder.path + "/d").policies.map(\.environment) == ["ea", "eb"])
    }

    @Test func `a folder without policies is a warning, a missing one an error`() throws {
        #expect(folder.policyProblems("d") == ["d: found no such file, expected a readable YAML file of at most 1 MiB"])
        try FileManager.default.createDirectory(atPath: folder.path + "/d", withIntermediateDirectories: true)
        #expect(folder.policyProblems("d") == ["warning d: found no policy (*.yaml), expected one file an environment"])
    }

    @Test func `what will hurt is a warning`() throws {
        try folder.write(
            policy(
                "prod",
                """
                  - {project: a, purpose: b, expires: 2026-11-29, deliver: [{file: /a, mode: "0644"}]}
                  - {project: c, purpose: d, expires: 30d, rotate: {window: "09:00-09:00"}, deliver: [{file: /b}]}
                """
            ),
            to: "p.yaml"
        )
        #expect(
            folder.policyProblems() == [
                "warning p.yaml:4:39: expires: found '2026-11-29', which is past: nothing is issued",
                "warning p.yaml:4:78: mode: found '0644', by which everybody may read the secret",
                "warning p.yaml:5:39: expires: found an expiry (30d) shorter than the rotation (3 months): tokens are replaced before they expire",
                "warning p.yaml:5:61: window: found '09:00-09:00', a window that never opens",
            ]
        )
    }

    @Test func `a gateway and a currency that the settings do not know are refused`() throws {
        try folder.write("environment: prod\ngateway: laozang\ntokens: [{project: a, purpose: b, deliver: [{file: /a}]}]\n", to: "p.yaml")
        let gateways = [
            GatewayName("laozhang"): GatewaySettings(kind: "laozhang", url: "https://a", adminToken: .environment("A"), currency: "CNY")
        ]
        #expect(
            folder.policyProblems(gateways: gateways) == [
                "p.yaml:2:10: gateway: found 'laozang', expected a gateway of the settings: laozhang (did you mean 'laozhang'?)"
            ]
        )
        try folder.write(
            "environment: prod\ngateway: laozhang\nbudget: {month: 5 USD}\ntokens: [{project: a, purpose: b, deliver: [{file: /a}]}]\n",
            to: "p.yaml"
        )
        #expect(
            folder.policyProblems(gateways: gateways) == ["p.yaml:3:17: month: found '5 USD', expected CNY, the currency of the gateway"]
        )
    }
}
