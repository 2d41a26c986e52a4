package import FoundationEssentials

/// One token in the gateway's table, alive or revoked.
package struct SandboxToken: Codable, Equatable, Sendable {
    /// The three words of the console; the list uses no other.
    package enum Status: String, Codable, Sendable {
        case active = "Active"
        case notUsed = "Not Used"
        case revoked = "Revoked"
    }

    /// `key_` and a number, never given twice.
    package let id: String
    package let name: String
    /// Shown to a client once, on create. Plain text here: it opens nothing but this sandbox.
    package let secret: String
    package let createdAt: Date
    package let expiresAt: Date?
    /// The whole object of the create request; limits and IP lists are kept here and never answered.
    package let attributes: [String: SandboxJSON]
    package internal(set) var lastUsedAt: Date?
    /// When it was revoked, or expired: the gateway revokes what expires.
    package internal(set) var revokedAt: Date?

    /// Later than `createdAt` under `late-validity`.
    var acceptedFrom: Date
    /// Later than `revokedAt` under `lagging-revocation`.
    var acceptedUntil: Date?
    /// Set by `no-models`.
    var lacksLastModel: Bool
    /// What was spent by UTC day (`2024-01-31`), which is all that today's and this month's figures need.
    var spent: [String: Decimal] = [:]
    /// The newest calls, oldest first.
    var calls: [SandboxCall] = []

    package var status: Status {
        if revokedAt != nil { .revoked } else if lastUsedAt == nil { .notUsed } else { .active }
    }

    var isAlive: Bool { revokedAt == nil }

    func isAccepted(at now: Date) -> Bool {
        now >= acceptedFrom && acceptedUntil.map { now < $0 } ?? true
    }

    mutating func revoke(at moment: Date, lag: TimeInterval = 0) {
        revokedAt = moment
        acceptedUntil = moment + lag
    }

    mutating func record(_ call: SandboxCall) {
        lastUsedAt = call.timestamp
        spent[call.timestamp.utcDay, default: 0] += call.cost
        calls.append(call)
        // A demo makes fifty calls a second: the log keeps what a reader would page through, `spent` keeps the sums.
        if calls.count > 1200 { calls.removeFirst(200) }
    }

    func spent(on day: String) -> Decimal { spent[day] ?? 0 }

    /// - Parameter month: `2024-01`
    func spent(in month: String) -> Decimal {
        spent.reduce(0) { $1.key.hasPrefix(month) ? $0 + $1.value : $0 }
    }
}

/// One line of a token's usage log.
struct SandboxCall: Codable, Equatable, Sendable {
    let timestamp: Date
    let model: String
    let tokens: Int
    let cost: Decimal
}

extension Date {
    /// Seconds and `Z`, the one form in which the document writes a time.
    var utcText: String { formatted(.iso8601) }
    var utcDay: String { String(utcText.prefix(10)) }
    var utcMonth: String { String(utcText.prefix(7)) }
}
