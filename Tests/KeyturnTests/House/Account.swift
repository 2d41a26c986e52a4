import Foundation
import KeyturnSandbox
import KeyturnTestHost

/// A host and the account it keeps at a sandbox gateway, which runs in this process so that a test sees what is true there.
struct Account: Sendable {
    let host: Host
    let gateway: SandboxGateway

    /// - Parameter adjust: the sandbox as it starts.
    static func with(
        faults: [String] = [], _ adjust: (inout SandboxConfiguration) -> Void = { _ in }, body: (Account) async throws -> Void
    ) async throws {
        await Turnstile.shared.enter()
        do { try await serve(faults, adjust, body) } catch {
            await Turnstile.shared.leave()
            throw error
        }
        await Turnstile.shared.leave()
    }

    private static func serve(
        _ faults: [String], _ adjust: (inout SandboxConfiguration) -> Void, _ body: (Account) async throws -> Void
    ) async throws {
        var configuration = SandboxConfiguration(adminToken: Host.admin)
        configuration.faults = try faults.map { try Fault(parsing: $0) }
        adjust(&configuration)
        let gateway = try SandboxGateway(configuration)
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { port.finish() }
                try await gateway.run { port.yield($0) }
            }
            guard let number = await ports.first(where: { _ in true }) else { throw Unexpected("the sandbox does not start") }
            let host = try Host(url: "http://127.0.0.1:\(number)")
            defer {
                host.end()
                group.cancelAll()
            }
            try await body(Account(host: host, gateway: gateway))
        }
    }

    func setFaults(_ faults: String...) throws { gateway.setFaults(try faults.map { try Fault(parsing: $0) }) }

    var living: [SandboxToken] { gateway.snapshot().filter { $0.status != .revoked } }

    /// The gateway's tokens of one stable name, in the order of creation.
    func generations(of token: String) -> [SandboxToken] { gateway.snapshot().filter { $0.name.hasPrefix(token + "-") } }

    func living(of token: String) -> [SandboxToken] { generations(of: token).filter { $0.status != .revoked } }
}
