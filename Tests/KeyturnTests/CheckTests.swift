import Foundation
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// `check`: what it looks at, and what it warns of without failing.
struct CheckTests {
    @Test func `a file, a folder, the settings, and what is in force`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.write(to: host)
            try Targets.writeOne(to: host)
            let inForce = try await host.run("check")
            #expect(inForce.code == 0)
            #expect(inForce.lines == ["no errors in 1 policy of 1 token"])
            #expect(
                try await host.run("check", host.path("keyturn.yaml"), environment: ["KEYTURN_CONFIG": "/nowhere"]).lines == inForce.lines)
            #expect(try await host.run("check", host.folder).lines == inForce.lines)
            for path in ["policies", "policies/test.yaml"] {
                let run = try await host.run("check", path)
                #expect(run.code == 0)
                #expect(run.lines == ["no errors in 1 policy of 1 token (their gateways were not looked up)"], "\(run)")
            }
            let none = try await host.run("check", "nowhere.yaml")
            #expect(none.code == 78)
            #expect(none.errors.contains("nowhere.yaml"))
        }
    }

    @Test func `a target that is one of Keyturn's own files, or lies in its folders, is an error, by whatever link`() async throws {
        try await Account.with { account in
            let host = account.host
            try FileManager.default.createSymbolicLink(atPath: host.path("link"), withDestinationPath: host.path("policies"))
            let files = [
                "state/lock", "state/keys/host.key", "admin-token", "keyturn.yaml", "policies/test.yaml", "link/x", "x/../admin-token",
            ]
            let tokens = files.enumerated().map { number, file in
                "  - {project: p\(number), purpose: api, deliver: [{file: \(host.path(file))}]}"
            }
            try host.write("environment: test\ngateway: laozhang\ntokens:\n\(tokens.joined(separator: "\n"))\n", to: "policies/test.yaml")
            let run = try await host.run("check")
            #expect(run.code == 78)
            let errors = run.errors.split(separator: "\n").filter { $0.contains("of Keyturn itself, expected a file of its consumers") }
            #expect(errors.count == files.count, "\(run)")
            #expect(errors.first?.hasPrefix("\(host.path("policies/test.yaml")):4:") == true)
            #expect(try await host.run("daemon", "--once").code == 78)
            #expect(account.gateway.statistics().creates == 0)
        }
    }

    @Test func `what may be a secret is not repeated, neither a whole file nor a value that looks like one`() async throws {
        try await Account.with { account in
            let host = account.host
            let secret = "sk-SECRETSECRET1234567890"
            try host.write(secret + "\n", to: "file")
            #expect(try await host.run("check", host.path("file")).errors.contains("found text, expected a map"))
            try host.write("environment: \(secret)!\ngateway: laozhang\ntokens: []\n", to: "policies/test.yaml")
            for run in [
                try await host.run("check", host.path("file")), try await host.run("status", "--config", host.path("file")),
                try await host.run("check"), try await host.run("rotate", "a", "--reason", "was \(secret)"),
            ] {
                #expect(run.code != 0 && !run.errors.contains("SECRET") && !run.output.contains("SECRET"), "\(run)")
            }
        }
    }

    @Test func `the samples of the project have no errors`() async throws {
        let samples = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../policies").standardized.path
        try await Account.with { account in
            let host = account.host
            for path in try FileManager.default.contentsOfDirectory(atPath: samples).map({ "\(samples)/\($0)" }) + [samples] {
                let run = try await host.run("check", path)
                #expect(run.code == 0, "\(run)")
                #expect(run.output.contains("no errors in "))
            }
            try host.settings(lines: "policies: \(samples)".replacingOccurrences(of: "policies:", with: "watch: {every: 1h} #"))
            try host.write(
                try host.read("keyturn.yaml").replacingOccurrences(of: "policies: policies", with: "policies: \(samples)"),
                to: "keyturn.yaml")
            let all = try await host.run("check")
            #expect(all.code == 0)
            #expect(all.output.contains("no errors in 3 policies of 6 tokens"))
        }
    }

    @Test func `it warns of what will hurt, with the file that it stands in, and ends with 0`() async throws {
        try await Account.with { account in
            let host = account.host
            try host.settings(gateway: "capacity: 3")
            try Targets.writeOne(
                to: host, overlap: "{at_least: 1s, quiet_for: 0s}", environment: "prod",
                more: """
                      - {project: public, purpose: api, deliver: [{file: \(host.path("targets/public"))}]}
                      - {project: gone, purpose: api, deliver: [{file: \(host.path("targets/gone")), owner: nobody-of-that-name, group: "4711",
                         then: {run: [\(host.path("no-such-ctl"))]}, confirm: {run: [\(host.path("plain"))]}}]}
                      - {project: hup, purpose: api, expires: 2d, deliver: [{file: \(host.path("targets/hup")), group: no-such-group,
                         then: {signal: HUP, pid_file: \(host.path("run/x.pid"))}}]}
                      - {project: nowhere, purpose: api, deliver: [{file: \(host.path("missing/token"))}]}
                      - {project: unit, purpose: api, deliver: [{file: \(host.path("targets/unit")), then: {reload: nginx.service}}]}
                      - {project: git, purpose: api, deliver: [{file: \(host.path("tree/token"))}, {file: \(host.path("tree/ignored"))}]}
                    """
            )
            try host.write("old", to: "targets/public", mode: 0o644)
            try host.write("no program", to: "plain", mode: 0o644)
            let git = try Child(
                ["/usr/bin/git", "init", "-q", "tree"], environment: ["HOME": host.folder], folder: host.folder,
                output: host.path("output/git"))
            #expect(try await git.ended() == 0, "\(git.said)")
            try host.write("ignored\n", to: "tree/.gitignore")
            let check = try await host.run("check")
            #expect(check.code == 0)
            #expect(check.errors == "")
            let policy = host.path("policies/test.yaml")
            let expected = [
                (policy, "prod-webapp-api: quiet_for: 0s"), (policy, "targets/public is readable by everybody: chmod o-r it"),
                (policy, "missing/token: its folder does not exist"), (policy, "this version cannot reload nginx.service"),
                (policy, "tree/token lies in the git work tree"),
                (host.path("keyturn.yaml"), "gateway laozhang holds 3 tokens and the policies ask for 7"),
                (policy, "targets/gone: \(host.path("no-such-ctl")) of its then does not exist"),
                (policy, "targets/gone: \(host.path("plain")) of its confirm is not executable"),
                (policy, "targets/gone: its owner nobody-of-that-name is no user of this host"),
                (policy, "targets/hup: its group no-such-group is no group of this host"),
                (policy, "targets/hup: the folder of its pid_file \(host.path("run/x.pid")) does not exist"),
                (policy, "prod-hup-api: an expiry after 2d leaves no room for an overlap of 1"),
                (policy, "found an expiry (2d) shorter than the rotation"),
            ]
            for (file, sentence) in expected {
                #expect(
                    check.lines.contains { $0.hasPrefix(file + ":") && $0.contains("warning: ") && $0.contains(sentence) },
                    "\(sentence): \(check)")
            }
            #expect(!check.output.contains("tree/ignored"))
            #expect(!check.output.contains("4711"), "a number needs no name")
            #expect(check.lines.last?.hasPrefix("no errors in 1 policy of 7 tokens, with ") == true, "\(check)")
        }
    }

    @Test func `each warning stands where the line is that it is about`() async throws {
        try await Account.with { account in
            let host = account.host
            try host.settings(gateway: "capacity: 2", lines: "mail: {from: a@example.com, to: [b@example.com]}")
            try host.write("admin", to: "admin-token", mode: 0o644)
            let file = host.path("missing/token")
            try host.write(
                """
                environment: prod
                gateway: laozhang
                defaults:
                  permissions: [chatt, completion]
                  expires: 100d
                tokens:
                  - project: webapp
                    purpose: api
                    deliver: [{file: \(host.path("targets/token"))}]
                  - project: other
                    purpose: api
                    permissions: [chat, billing]
                    expires: never
                    overlap: {at_least: 1h, quiet_for: 0s}
                    deliver:
                      - {file: \(file)}
                  - {project: third, purpose: api, overlap: {at_least: 90d, at_most: 95d, quiet_for: 1h}, deliver: [{file: \(file)2}]}
                """, to: "policies/test.yaml"
            )
            let check = try await host.run("check")
            #expect(check.code == 0)
            let (policy, settings) = (host.path("policies/test.yaml"), host.path("keyturn.yaml"))
            let sure = "a production token may still be in use"
            let expected = [
                "\(policy):7:5: warning: prod-webapp-api: quiet_for: 0s revokes by time and applied targets alone; \(sure)",
                "\(policy):4:16: warning: permissions: found 'chatt', which the gateway does not document, expected chat, completion"
                    + " (did you mean 'chat'?)",
                "\(policy):14:14: warning: prod-other-api: quiet_for: 0s revokes by time and applied targets alone; \(sure)",
                "\(policy):12:18: warning: permissions: found 'billing', which the gateway does not document, expected chat, completion",
                "\(policy):16:9: warning: prod-other-api: \(file): its folder does not exist, so nothing can be delivered there",
                "\(policy):5:12: warning: prod-third-api: an expiry after 100d leaves no room for an overlap of 90d and a day: "
                    + "it is replaced at half of its life",
                "\(policy):17:101: warning: prod-third-api: \(file)2: its folder does not exist, so nothing can be delivered there",
                "\(settings):5:18: warning: admin_token of gateway laozhang: everybody may read \(host.path("admin-token")): chmod 600 it",
                "\(settings):6:15: warning: gateway laozhang holds 2 tokens and the policies ask for 3: none can be rotated without a free place",
            ]
            #expect(Array(check.lines.dropLast()) == expected)
            try host.write("admin", to: "admin-token", mode: 0o640)
            #expect(try await host.run("check").output.contains(" may read \(host.path("admin-token")): chmod g-r it\n"))
            try host.write("admin", to: "admin-token", mode: 0o600)
            #expect(try await !host.run("check").output.contains("may read"))
        }
    }
}
