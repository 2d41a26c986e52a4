package import Foundation
package import KeyturnCore

/// A gateway whose calls keep to a limit: never more at once than it allows, and none during a pause that the gateway has
/// asked for. A call that is not sent is answered at once, with what is left of the pause; nothing sleeps here.
package struct LimitedGateway: Gateway {
    private let gateway: any Gateway
    private let limit: GatewayLimit

    package init(_ gateway: any Gateway, _ limit: GatewayLimit) {
        self.gateway = gateway
        self.limit = limit
    }

    package func create(_ order: CreateOrder) async -> CreateOutcome {
        let turn: Int
        do throws(GatewayError) { turn = try await limit.enter(.admin) } catch { return .notCreated(error) }
        defer { limit.leave() }
        switch await gateway.create(order) {
        case .created(let id, let secret):
            limit.answered(.admin, turn)
            return .created(id, secret)
        case .notCreated(let error):
            limit.failed(error, .admin, turn)
            return .notCreated(error)
        case .unknown(let why): return .unknown(why)
        }
    }

    package func list() async throws(GatewayError) -> Listing {
        try await inTurn(.admin) { () async throws(GatewayError) in try await gateway.list() }
    }

    package func revoke(_ id: KeyID) async throws(GatewayError) {
        try await inTurn(.admin) { () async throws(GatewayError) in try await gateway.revoke(id) }
    }

    package func probe(_ secret: borrowing Secret) async throws(GatewayError) -> ProbeOutcome {
        try await inTurn(.token) { () async throws(GatewayError) in try await gateway.probe(secret) }
    }

    package func usage(_ secret: borrowing Secret) async throws(GatewayError) -> Reading {
        try await inTurn(.token) { () async throws(GatewayError) in try await gateway.usage(secret) }
    }

    package func usage(_ secret: borrowing Secret, within limit: TimeSpan) async throws(GatewayError) -> Reading {
        try await inTurn(.token) { () async throws(GatewayError) in try await gateway.usage(secret, within: limit) }
    }
}

extension LimitedGateway: UsageLog {
    package func usageLog(
        _ secret: borrowing Secret, from start: Date, to end: Date
    ) async throws(GatewayError) -> (lines: [UsageLine], isPart: Bool) {
        guard let log = gateway as? any UsageLog else { throw .rejected("this gateway keeps no usage log") }
        return try await inTurn(.token) { () async throws(GatewayError) in try await log.usageLog(secret, from: start, to: end) }
    }
}

extension LimitedGateway {
    private func inTurn<Answer>(_ bearer: GatewayLimit.Bearer, _ call: () async throws(GatewayError) -> Answer) async throws(GatewayError)
        -> Answer
    {
        let turn = try await limit.enter(bearer)
        defer { limit.leave() }
        do throws(GatewayError) {
            let answer = try await call()
            limit.answered(bearer, turn)
            return answer
        } catch {
            limit.failed(error, bearer, turn)
            throw error
        }
    }
}
