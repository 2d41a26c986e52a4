import Foundation
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
}
