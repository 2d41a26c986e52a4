import Foundation
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// `metrics`, as Prometheus and its tools read it.
struct MetricsTests {
    private static let promtool = "/usr/bin/promtool"
    private static let mayCheck = FileManager.default.isExecutableFile(atPath: promtool)

    /// - Returns: the values, by name and labels as they are written.
    private func metrics(_ host: Host) async throws -> [String: Double] {
        let run = try await host.run("metrics")
        #expect(run.code == 0, "\(run)")
        return Dictionary(
            run.lines.filter { !$0.hasPrefix("#") }.compactMap { line in
                guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else { return nil }
                return (String(line[..<space]), value)
            }, uniquingKeysWith: { first, _ in first })
    }

    private let token = "{token=\"test-webapp-api\",environment=\"test\",gateway=\"laozhang\"}"

    @Test func `a token's life is told, and looking changes nothing`() async throws {
        try await Account.with { account in
            let host = account.host
            try host.settings(gateway: "capacity: 10")
            try Targets.writeOne(to: host, overlap: "{at_least: 1h}")
            let absent = try await metrics(host)
            #expect(!host.exists("state"))
            #expect(absent["keyturn_token_ready\(token)"] == 0)
            #expect(absent["keyturn_account_capacity{gateway=\"laozhang\"}"] == 10)
            #expect(try await host.run("daemon", "--once").code == 0)
            let active = try await metrics(host)
            #expect(active["keyturn_token_ready\(token)"] == 1)
            let made = try #require(account.living.first).createdAt.timeIntervalSince1970
            #expect(abs((active["keyturn_token_created_timestamp_seconds\(token)"] ?? 0) - made) < 5)
            #expect(abs((active["keyturn_token_rotation_timestamp_seconds\(token)"] ?? 0) - made - 90 * 86400) < 86400)
            #expect(active["keyturn_rotations_total{environment=\"test\",outcome=\"finished\"}"] == 1)
            #expect(active["keyturn_findings_open"] == 0)
            #expect(active["keyturn_history_breaks"] == 0)
            #expect(active["keyturn_driven"] == 0)
            for count in 2...3 {
                #expect(try await host.run("rotate", "test-webapp-api").code == 0)
                let after = try await metrics(host)
                #expect(after["keyturn_rotations_total{environment=\"test\",outcome=\"finished\"}"] == Double(count))
                #expect(after["keyturn_requests_total{verb=\"rotate\",outcome=\"done\"}"] == Double(count - 1))
                #expect(after["keyturn_account_generations{gateway=\"laozhang\"}"] == Double(count))
            }
            try account.setFaults("500:create")
            #expect(try await host.run("rotate", "test-webapp-api").code == 3)
            let stuck = try await metrics(host)
            #expect(stuck["keyturn_token_ready\(token)"] == 0)
            #expect(stuck["keyturn_findings{code=\"token-stuck\",severity=\"error\"}"] == 1)
            account.gateway.setFaults([])
            try account.setFaults("500:revoke")
            _ = try await host.run("revoke", "test-webapp-api")
            let ending = try await metrics(host)
            #expect(ending["keyturn_revocations_pending{gateway=\"laozhang\"}"] == 3)
            let since = ending["keyturn_revocation_oldest_timestamp_seconds{gateway=\"laozhang\"}"] ?? 0
            #expect(abs(since - Date().timeIntervalSince1970) < 60)
        }
    }

    @Test func `no secret, no key's id and no path is in them`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.write(to: host)
            _ = try await host.run("daemon", "--once")
            let text = try await host.run("metrics").output
            for key in account.living { #expect(!text.contains(key.secret) && !text.contains(key.id)) }
            #expect(!text.contains(host.folder) && !text.contains(Host.admin))
            #expect(text.contains("test-monitor-stats"))
        }
    }

    @Test func `a file is replaced in one step, for all to read`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            try host.write("old", to: "keyturn.prom", mode: 0o600)
            let run = try await host.run("metrics", "--output", host.path("keyturn.prom"))
            #expect(run.code == 0 && run.output.isEmpty, "\(run)")
            #expect(try host.read("keyturn.prom").hasPrefix("# HELP keyturn_token_ready "))
            #expect(try FileManager.default.attributesOfItem(atPath: host.path("keyturn.prom"))[.posixPermissions] as? Int == 0o644)
            #expect(try FileManager.default.contentsOfDirectory(atPath: host.folder).allSatisfy { !$0.hasPrefix(".keyturn") })
            #expect(try await host.run("metrics", "--output", host.path("keyturn.txt")).code == 64)
            let nowhere = try await host.run("metrics", "--output", host.path("nowhere/keyturn.prom"))
            #expect(nowhere.code == 1 && nowhere.errors.contains("cannot write \(host.path("nowhere/keyturn.prom")): No such file"))
            // A link is replaced, not what it leads to.
            try host.write("mine", to: "other")
            try FileManager.default.removeItem(atPath: host.path("keyturn.prom"))
            try FileManager.default.createSymbolicLink(atPath: host.path("keyturn.prom"), withDestinationPath: host.path("other"))
            #expect(try await host.run("metrics", "-o", host.path("keyturn.prom")).code == 0)
            #expect(try host.read("other") == "mine")
        }
    }

    @Test(.enabled(if: mayCheck, "promtool of Debian's prometheus is not installed: make deps-extra"))
    func `promtool finds nothing to say about them`() async throws {
        try await Account.with { account in
            let host = account.host
            try host.settings(gateway: "capacity: 10")
            try Targets.write(to: host)
            #expect(try await host.run("daemon", "--once").code != 1)
            #expect(try await host.run("rotate", "test-webapp-api").code == 0)
            #expect(try await host.run("metrics", "--output", host.path("m.prom")).code == 0)
            try check(["/bin/sh", "-c", "\(MetricsTests.promtool) check metrics < \(host.path("m.prom"))"], host)
        }
    }

    @Test(.enabled(if: mayCheck, "promtool of Debian's prometheus is not installed: make deps-extra"))
    func `promtool takes the alerts, and they are raised as their tests say`() async throws {
        try await Account.with { account in
            try check([MetricsTests.promtool, "check", "rules", MetricsTests.document("alerts.rules.yml")], account.host)
            try check([MetricsTests.promtool, "test", "rules", MetricsTests.document("alerts.test.yml")], account.host)
        }
    }

    private func check(_ words: [String], _ host: Host) throws {
        let child = try Child(words, folder: host.folder, output: host.path("output/promtool"))
        let code = child.waitForExit()
        #expect(code == 0 && child.complained.isEmpty, "\(child.said)")
    }

    private static func document(_ name: String) -> String {
        URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/\(name)").path
    }

    @Test func `the page lists every metric, and rules and dashboard name no other`() async throws {
        func names(_ text: String) -> Set<String> { Set(text.matches(of: /keyturn_[a-z_]+/).map { String($0.output) }) }
        func read(_ name: String) throws -> String { try String(contentsOfFile: MetricsTests.document(name), encoding: .utf8) }
        let listed = Set(try read("metrics.md").matches(of: /(?m)^\| `(keyturn_[a-z_]+)`/).map { String($0.output.1) })
        #expect(names(try read("alerts.rules.yml")).isSubset(of: listed))
        #expect(names(try read("grafana-dashboard.json")).isSubset(of: listed))
        #expect((try JSONSerialization.jsonObject(with: Data(try read("grafana-dashboard.json").utf8)) as? [String: Any])?["panels"] != nil)
        let source = try read("../Sources/keyturn/MetricsReport.swift")
        #expect(Set(source.matches(of: /"(keyturn_[a-z_]+)"/).map { String($0.output.1) }) == listed)
    }
}
