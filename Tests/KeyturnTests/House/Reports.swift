import Foundation
import KeyturnTestHost

/// `status --json` as a program reads it.
struct StatusReport: Decodable {
    struct Generation: Decodable {
        var id: String?
        var name: String
        var created_at: Date?
        var expires_at: Date?
        var fingerprint: String?
        var revoke_after: Date?
        var released_at: Date?
    }

    struct Target: Decodable {
        var file: String
        var delivered_at: Date?
        var applied: Bool
    }

    var token: String
    var environment: String
    var state: String
    var reason: String?
    var stuck: String?
    var generation: Generation?
    var previous: [Generation]
    var next_rotation: Date?
    var targets: [Target]
}

extension Host {
    func status() async throws -> [StatusReport] { try await run("status", "--json").json([StatusReport].self) }

    func status(of token: String) async throws -> StatusReport {
        let reports = try await run("status", token, "--json").json([StatusReport].self)
        guard reports.count == 1, let report = reports.first else { throw Unexpected("status of \(token): \(reports)") }
        return report
    }

    func until(_ token: String, is state: String, within limit: Duration = patience) async throws {
        try await KeyturnTestHost.until("\(token) is \(state)", within: limit) { try await self.status(of: token).state == state }
    }
}
