import Foundation
import KeyturnSandbox

/// The three tokens of most tests, one for each way in which programs keep a secret, in files with a life of their own.
enum Targets {
    struct Target: Sendable {
        let token: String
        let file: String
        /// The file as it is to be, the secret at `@@`.
        let text: String

        init(_ token: String, _ file: String, _ text: String) {
            self.token = token
            self.file = file
            self.text = text
        }

        /// The secret in it; nil when the file is not what it is to be around the secret.
        func secret(in content: String) -> String? {
            let parts = text.components(separatedBy: "@@")
            guard content.count >= text.count - 2, content.hasPrefix(parts[0]), content.hasSuffix(parts[1]) else { return nil }
            return String(content.dropFirst(parts[0].count).dropLast(parts[1].count))
        }
    }

    static let all = [
        Target(
            "test-webapp-api", "targets/webapp.env",
            "# settings of the web application\nexport PORT=8080\n\n  TITLE=\"a # b\"\nLAOZHANG_API_KEY=@@\n#LAOZHANG_API_KEY=old\nLAST='no newline'"
        ),
        Target(
            "test-worker-batch", "targets/worker.json",
            "{ \"threads\" : 4,\n\t\"gateway\": {\"url\":\"https:\\/\\/x\", \"api_key\": \"@@\" },\n  \"ratio\":1.0e3 , \"api_key\": null}\n\n"
        ),
        Target("test-monitor-stats", "targets/monitor.token", "@@"),
    ]

    /// Writes the policy of all three and, where they are missing, their files as they are before the first issue.
    static func write(
        to host: Host, every: String = "4s", overlap: String = "{at_least: 1s, at_most: 60s}", then: String = "", more: String = ""
    ) throws {
        let consumer = then.isEmpty ? "" : ", then: \(then)"
        try host.write(
            """
            environment: test
            gateway: laozhang
            defaults:
              rotate: {every: \(every)}
              overlap: \(overlap)
            tokens:
              - project: webapp
                purpose: api
                deliver:
                  - {file: \(host.path("targets/webapp.env")), format: dotenv, key: LAOZHANG_API_KEY\(consumer)}
              - project: worker
                purpose: batch
                deliver:
                  - {file: \(host.path("targets/worker.json")), format: json, key: /gateway/api_key}
              - project: monitor
                purpose: stats
                deliver:
                  - {file: \(host.path("targets/monitor.token"))}
            \(more)
            """, to: "policies/test.yaml"
        )
        for target in all.dropLast() where !host.exists(target.file) {
            try host.write(target.text.replacingOccurrences(of: "@@", with: ""), to: target.file, mode: 0o600)
        }
    }

    /// One token alone, delivered as it is, which rests once it was issued.
    static func writeOne(
        to host: Host, every: String = "90d", overlap: String = "{at_least: 1s}", environment: String = "test", then: String = "",
        more: String = ""
    ) throws {
        let consumer = then.isEmpty ? "" : ", then: \(then)"
        try host.write(
            """
            environment: \(environment)
            gateway: laozhang
            tokens:
              - project: webapp
                purpose: api
                rotate: {every: \(every)}
                overlap: \(overlap)
                deliver: [{file: \(host.path("targets/token"))\(consumer)}]
            \(more)
            """, to: "policies/test.yaml"
        )
    }
}

extension Targets {
    /// One more item of a policy's tokens.
    static func other(_ host: Host) -> String {
        "\n  - {project: other, purpose: api, rotate: {every: 90d}, overlap: {at_least: 1h}, deliver: [{file: \(host.path("targets/other"))}]}\n"
    }
}

extension Account {
    /// Every token has exactly one living generation, and its file holds that one's secret between bytes that nobody touched.
    var isSettled: Bool {
        get throws { try unsettled.isEmpty }
    }

    /// What is not settled, in words.
    var unsettled: [String] {
        get throws {
            var found: [String] = []
            for target in Targets.all {
                let living = living(of: target.token)
                if living.count != 1 { found.append("\(target.token) has \(living.map(\.name)) alive") }
                let secret = target.secret(in: (try? host.read(target.file)) ?? "")
                if secret == nil { found.append("\(target.file) was changed beside its secret: \((try? host.read(target.file)) ?? "")") }
                if secret != living.first?.secret {
                    found.append("\(target.file) holds another secret than \(living.first?.name ?? "none")")
                }
            }
            let others = living.filter { token in !Targets.all.contains { token.name.hasPrefix($0.token + "-") } }
            if !others.isEmpty { found.append("\(others.map(\.name)) are nobody's") }
            return found
        }
    }
}
