import Foundation
import KeyturnAdapters
import Synchronization

/// The demonstration's files: settings, a policy whose months are seconds, an admin token, and the places of two consumers.
struct DemoFolder {
    let path: String
    let adminToken = "demo-admin-\(UInt64.random(in: .min ... .max))"
    var settings: String { path + "/keyturn.yaml" }
    private var dotenv: String { path + "/webapp/laozhang.env" }
    private var json: String { path + "/worker/config.json" }

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/keyturn-demo-\(ProcessInfo.processInfo.processIdentifier)"
        for folder in ["policies", "webapp", "worker"] {
            try FileManager.default.createDirectory(
                atPath: "\(path)/\(folder)", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700]
            )
        }
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    func writePolicies(url: String) throws {
        try write(adminToken + "\n", "admin-token")
        try write(
            """
            gateways:
              laozhang:
                kind: laozhang
                url: \(url)
                admin_token: {file: \(path)/admin-token}
                capacity: 10
            state: state
            policies: policies
            """, "keyturn.yaml"
        )
        try write(
            """
            environment: demo
            gateway: laozhang
            defaults:
              rotate: {every: 8s}
              overlap: {at_least: 3s, at_most: 60s}
            tokens:
              - project: webapp
                purpose: api
                deliver:
                  - {file: \(dotenv), format: dotenv, key: LAOZHANG_API_KEY}
              - project: worker
                purpose: batch
                deliver:
                  - {file: \(json), format: json, key: /gateway/api_key}
            """, "policies/demo.yaml"
        )
        try write("# the web application's own settings stay as they are\nPORT=8080\n", "webapp/laozhang.env")
        try write("{\n  \"threads\": 4,\n  \"gateway\": {\"api_key\": \"\"}\n}\n", "worker/config.json")
    }

    private func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    func consumers(url: String, http: HTTPClient, counts: CallCounts) -> [DemoConsumer] {
        [
            DemoConsumer(url: url, http: http, counts: counts) { [dotenv] in
                let lines = try String(contentsOfFile: dotenv, encoding: .utf8).split(separator: "\n")
                return lines.first { $0.hasPrefix("LAOZHANG_API_KEY=") }.map { String($0.dropFirst(17)) }
            },
            DemoConsumer(url: url, http: http, counts: counts) { [json] in
                struct Config: Decodable {
                    struct Gateway: Decodable { var apiKey: String }
                    var gateway: Gateway
                }
                let decoder = JSONDecoder()
                decoder.keyDecodingStrategy = .convertFromSnakeCase
                let key = try decoder.decode(Config.self, from: Data(contentsOf: URL(fileURLWithPath: json))).gateway.apiKey
                return key.isEmpty ? nil : key
            },
        ]
    }
}

/// Calls made and failed, by all consumers.
final class CallCounts: Sendable {
    private let counts = Mutex((made: 0, failed: 0, isOver: false))
    var made: Int { counts.withLock { $0.made } }
    var failed: Int { counts.withLock { $0.failed } }
    var isOver: Bool { counts.withLock { $0.isOver } }
    func count(failed: Bool) {
        counts.withLock {
            $0.made += 1
            $0.failed += failed ? 1 : 0
        }
    }
    func stop() { counts.withLock { $0.isOver = true } }
}

/// A program as programs are: reads its configuration, calls the model, and again.
struct DemoConsumer {
    let url: String
    let http: HTTPClient
    let counts: CallCounts
    let key: @Sendable () throws -> String?

    func run() async {
        while !counts.isOver {
            // Before the first issue there is nothing to call with; from then on every failure counts.
            if let key = try? key() {
                let request = HTTPRequest(
                    .post, url + "/v1/chat/completions", headers: ["Authorization": "Bearer \(key)", "Content-Type": "application/json"],
                    body: Array(#"{"model":"gpt-4","messages":[{"role":"user","content":"hello"}]}"#.utf8), isolated: false
                )
                let status = try? await http.send(request).status
                counts.count(failed: status != 200)
            }
            try? await Task.sleep(for: .milliseconds(8))
        }
    }
}
