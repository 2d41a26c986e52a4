import Foundation
import KeyturnAdapters
import KeyturnTestHost
import Synchronization

/// Programs as programs are: each reads its secret from its file, calls the gateway with it, and again.
final class Traffic: Sendable {
    private struct Tally {
        var calls: [String: Int] = [:]
        var failures: [String] = []
        var stalled = 0
    }

    private let tally = Mutex(Tally())
    private let targets: [Targets.Target]
    private let overlap: Duration

    private init(_ targets: [Targets.Target], overlap: Duration) {
        self.targets = targets
        self.overlap = overlap
    }

    /// Calls that were not answered with 200, in words.
    var failures: [String] { tally.withLock { $0.failures } }
    /// Of the consumer that called least.
    var calls: Int { tally.withLock { tally in targets.map { tally.calls[$0.token] ?? 0 }.min() ?? 0 } }
    /// Of all of them.
    var allCalls: Int { tally.withLock { $0.calls.values.reduce(0, +) } }
    /// Calls that failed with a secret read longer ago than the overlap lasts: on a machine too busy to follow a target.
    var stalled: Int { tally.withLock { $0.stalled } }

    /// Consumers of the targets call while `body` runs.
    /// - Parameter overlap: the policy's `at_least`: for so long a secret must serve after it was read.
    static func during(
        _ account: Account, of targets: [Targets.Target] = Targets.all, overlap: Duration = .seconds(1),
        _ body: (Traffic) async throws -> Void
    ) async throws {
        try await during(account.host, account.host.url, of: targets, overlap: overlap, body)
    }

    static func during(
        _ host: Host, _ url: String, of targets: [Targets.Target] = Targets.all, overlap: Duration = .seconds(1),
        _ body: (Traffic) async throws -> Void
    ) async throws {
        let traffic = Traffic(targets, overlap: overlap)
        let http = HTTPClient()
        defer { http.shutdown() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for target in targets {
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
        let read = ContinuousClock.now
        // Before the first issue there is nothing to call with; from then on every failure counts.
        guard let secret = target.secret(in: (try? host.read(target.file)) ?? ""), !secret.isEmpty else { return }
        let request = HTTPRequest(
            .post, url + "/v1/chat/completions", headers: ["Authorization": "Bearer \(secret)"], body: Array(#"{"model":"gpt-4"}"#.utf8),
            isolated: false
        )
        do {
            let answer = try await http.send(request)
            let isFine = answer.status == 200
            let isStalled = !isFine && ContinuousClock.now - read >= overlap
            count(target, isFine || isStalled ? nil : "\(target.token) was answered \(answer.status)", isStalled: isStalled)
        } catch { if !Task.isCancelled { count(target, "\(target.token): \(error)") } }
    }

    private func count(_ target: Targets.Target, _ failure: String?, isStalled: Bool = false) {
        tally.withLock { tally in
            if isStalled { tally.stalled += 1 }
            tally.calls[target.token, default: 0] += 1
            if let failure { tally.failures.append(failure) }
        }
    }
}
