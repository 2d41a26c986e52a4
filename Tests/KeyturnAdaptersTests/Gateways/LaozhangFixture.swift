import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

/// The gateway as the program makes it, at a port of this host.
func laozhang(
    port: Int, admin: String = "admin-token", timeout: TimeSpan = .seconds(10), path: String = "", http: HTTPClient = HTTPClient()
) -> LaozhangGateway {
    let settings = GatewaySettings(
        kind: LaozhangGateway.kind, url: "http://127.0.0.1:\(port)\(path)", adminToken: .environment("UNUSED"), timeout: timeout
    )
    return LaozhangGateway(settings, admin: Secret(admin), http: http)
}

/// A gateway on the wire that answers every request with 200 and the same words.
func answering(_ body: String, admin: String = "admin-token") -> (server: WireServer, gateway: WiredGateway, http: HTTPClient) {
    answering("200 OK", body, admin: admin)
}

/// As `answering(_:admin:)`, with a status and headers.
func answering(
    _ status: String, headers: [String] = [], _ body: String, admin: String = "admin-token"
) -> (server: WireServer, gateway: WiredGateway, http: HTTPClient) {
    let http = HTTPClient()
    let gateway = WiredGateway(http: http, admin: admin) { connection in
        while connection.next() != nil { connection.answer(status, headers: headers, body) }
    }
    return (gateway.server, gateway, http)
}

/// The gateway with the server that it speaks to, which lives as long.
final class WiredGateway: Gateway {
    let server: WireServer
    private let gateway: LaozhangGateway

    init(http: HTTPClient = HTTPClient(), admin: String = "admin-token", _ script: @escaping WireServer.Script) {
        server = WireServer(script)
        gateway = laozhang(port: server.port, admin: admin, http: http)
    }

    func create(_ order: CreateOrder) async -> CreateOutcome { await gateway.create(order) }
    func list() async throws(GatewayError) -> Listing { try await gateway.list() }
    func revoke(_ id: KeyID) async throws(GatewayError) { try await gateway.revoke(id) }
    func probe(_ secret: borrowing Secret) async throws(GatewayError) -> ProbeOutcome { try await gateway.probe(secret) }
    func usage(_ secret: borrowing Secret) async throws(GatewayError) -> Reading { try await gateway.usage(secret) }
}

let sampleOrder = CreateOrder(name: "prod-webapp-api-2026-11", attributes: Attributes(), expiresAt: nil)

/// What became of a call, in a word that a table can hold.
enum CallResult {
    static func create(_ gateway: some Gateway, _ order: CreateOrder = sampleOrder) async -> String {
        switch await gateway.create(order) {
        case .created(let id, _): id == nil ? "created without id" : "created"
        case .notCreated(let error): "not created: \(word(error))"
        case .unknown: "unknown"
        }
    }

    static func list(_ gateway: some Gateway) async -> String {
        do throws(GatewayError) {
            let keys = try await gateway.list().keys
            return keys.allSatisfy { $0.id == nil } && !keys.isEmpty ? "listed without ids" : "listed"
        } catch { return word(error) }
    }

    static func revoke(_ gateway: some Gateway, _ id: String) async -> String {
        do throws(GatewayError) {
            try await gateway.revoke(KeyID(id))
            return "revoked"
        } catch { return word(error) }
    }

    static func probe(_ gateway: some Gateway, _ secret: String) async -> String {
        do throws(GatewayError) {
            switch try await gateway.probe(Secret(secret)) {
            case .accepted: return "accepted"
            case .refused: return "refused"
            }
        } catch { return word(error) }
    }

    static func usage(_ gateway: some Gateway, _ secret: String) async -> String {
        do throws(GatewayError) {
            return try await gateway.usage(Secret(secret)).saysNothing ? "read nothing" : "read"
        } catch { return word(error) }
    }

    static func word(_ error: GatewayError) -> String {
        switch error {
        case .unreachable: "unreachable"
        case .inconclusive: "inconclusive"
        case .adminRefused: "admin refused"
        case .rejected: "rejected"
        }
    }
}

extension Gateway {
    /// The error of a call; nil when there is none.
    func listError() async -> GatewayError? {
        do throws(GatewayError) {
            _ = try await list()
            return nil
        } catch { return error }
    }

    func usageError(_ secret: String = "sk-one") async -> GatewayError? {
        do throws(GatewayError) {
            _ = try await usage(Secret(secret))
            return nil
        } catch { return error }
    }

    func probeError(_ secret: String = "sk-one") async -> GatewayError? {
        do throws(GatewayError) {
            _ = try await probe(Secret(secret))
            return nil
        } catch { return error }
    }

    func revokeError(_ id: String) async -> GatewayError? {
        do throws(GatewayError) {
            try await revoke(KeyID(id))
            return nil
        } catch { return error }
    }

    /// What create says when nothing was created or nothing is known.
    func createMessage(_ order: CreateOrder = sampleOrder) async -> String {
        switch await create(order) {
        case .created: "created"
        case .notCreated(let error): error.description
        case .unknown(let why): why
        }
    }
}
