import Foundation
import KeyturnAdapters
import Synchronization

/// Programs as programs are: each reads its secret from its file, calls the gateway with it, and again.
final class Traffic: Sendable {
    private struct Tally {
        var calls: [String: Int] = [:]
        var failures: [String] = []
    }

    private let tally = Mutex(Tally())

    /// Calls that were not answered with 200, in words.
    var failures: [String] { tally.withLock { $0.failures } }
    /// Of the consumer that called least.
    var calls: Int { tally.withLock { tally in Targets.all.map { tally.calls[$0.token] ?? 0 }.min() ?? 0 } }

    /// Consumers of all three targets call while `body` runs.
    static func during(_ account: Account, _ body: (Traffic) async throws -> Void) async throws {
        try await during(account.host, account.host.url, body)
    }

    static func during(_ host: Host, _ url: String, _ body: (Traffic) async throws -> Void) async throws {
        let traffic = Traffic()
        let http = HTTPClient()
        defer { http.shutdown() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for target in Targets.all {
                group.addTask {
                    while !Task.isCancelled {
                        await traffic.call(url, target, host, http)
                        try? await Task.sleep(for: .milliseconds(15))
                    }
                }
            }
            defer { group.cancelAll() }
            try await body(traffic)
        }
    }

    private func call(_ url: String, _ target: Targets.Target, _ host: Host, _ http: HTTPClient) async {
        // Before the first issue there is nothing to call with; from then on every failure counts.
        guard let secret = target.secret(in: (try? host.read(target.file)) ?? ""), !secret.isEmpty else { return }
        let request = HTTPRequest(
            .post, url + "/v1/chat/completions", headers: ["Authorization": "Bearer \(secret)"], body: Array(#"{"model":"gpt-4"}"#.utf8),
            isolated: false
        )
        do {
            let answer = try await http.send(request)
            count(target, answer.status == 200 ? nil : "\(target.token) was answered \(answer.status)")
        } catch { if !Task.isCancelled { count(target, "\(target.token): \(error)") } }
    }

    private func count(_ target: Targets.Target, _ failure: String?) {
        tally.withLock { tally in
            tally.calls[target.token, default: 0] += 1
            if let failure { tally.failures.append(failure) }
        }
    }
}
