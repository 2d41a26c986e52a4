import Foundation
import KeyturnSandbox
import Synchronization

/// A sandbox that serves while `body` runs, with a clock that only the test moves.
func withSandbox<Result: Sendable>(
    faults: [String] = [],
    _ adjust: (inout SandboxConfiguration) -> Void = { _ in },
    body: (RunningSandbox) async throws -> Result
) async throws -> Result {
    var configuration = SandboxConfiguration(adminToken: "admin-token")
    configuration.faults = try faults.map { try Fault(parsing: $0) }
    adjust(&configuration)
    let clock = StandingClock()
    let gateway = try SandboxGateway(configuration) { clock.now }
    let (ports, ready) = AsyncStream.makeStream(of: Int.self)
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            defer { ready.finish() }
            try await gateway.run { ready.yield($0) }
        }
        guard let port = await ports.first(where: { _ in true }) else {
            try await group.waitForAll()
            throw CancellationError()
        }
        let result = try await body(RunningSandbox(gateway: gateway, port: port, clock: clock))
        group.cancelAll()
        try await group.waitForAll()
        return result
    }
}

/// Stands at 2026-01-31 12:00 UTC until it is moved.
final class StandingClock: Sendable {
    private let moment = Mutex(Date(timeIntervalSince1970: 1_769_860_800))
    var now: Date { moment.withLock { $0 } }
    func advance(_ seconds: TimeInterval) { moment.withLock { $0 += seconds } }
}

/// The documented calls, each on a connection of its own.
struct RunningSandbox: Sendable {
    let gateway: SandboxGateway
    let port: Int
    let clock: StandingClock

    func call(_ method: String, _ path: String, bearer: String? = "admin-token", body: String = "") async -> SandboxReply {
        await SandboxWire.exchange(RunningSandbox.request(method, path, bearer: bearer, body: body, last: true), port: port)
    }

    static func request(_ method: String, _ path: String, bearer: String?, body: String = "", last: Bool) -> String {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: sandbox", "Content-Length: \(body.utf8.count)"]
        if let bearer { lines.append("Authorization: Bearer \(bearer)") }
        if last { lines.append("Connection: close") }
        return lines.joined(separator: "\r\n") + "\r\n\r\n" + body
    }

    func create(_ name: String, more: String = "") async -> SandboxReply {
        await call("POST", "/v1/api-keys", body: #"{"name":"\#(name)","billing_method":"usage_based"\#(more)}"#)
    }

    /// Id and secret of a new token.
    func token(_ name: String, more: String = "") async throws -> (id: String, key: String) {
        let reply = await create(name, more: more)
        guard let id = reply.json?["id"]?.text, let key = reply.json?["key"]?.text else { throw Unexpected(reply: reply) }
        return (id, key)
    }

    func list(_ query: String = "") async -> SandboxReply { await call("GET", "/v1/api-keys" + query) }
    func revoke(_ id: String) async -> SandboxReply { await call("DELETE", "/v1/api-keys/\(id)") }
    func models(_ key: String) async -> SandboxReply { await call("GET", "/v1/models", bearer: key) }
    func usage(_ key: String) async -> SandboxReply { await call("GET", "/v1/usage", bearer: key) }
    func chat(_ key: String) async -> SandboxReply {
        await call("POST", "/v1/chat/completions", bearer: key, body: #"{"model":"gpt-4","messages":[]}"#)
    }

    /// One member of every row of the list.
    func column(_ key: String) async -> [SandboxJSON?] {
        guard case .array(let rows) = await list().json?["data"] else { return [] }
        return rows.map { $0[key] }
    }

    struct Unexpected: Error { let reply: SandboxReply }
}
