package import Foundation

/// One answer of a gateway to "which tokens are there", whole.
package struct Listing: Sendable, Equatable {
    package var keys: [ListedKey]
    /// The gateway's clock, where its answer showed it.
    package var gatewayTime: Date?
    private let byName: [String: [Int]]
    private let byID: [KeyID: Int]

    package init(keys: [ListedKey], gatewayTime: Date?) {
        self.keys = keys
        self.gatewayTime = gatewayTime
        byName = Dictionary(grouping: keys.indices) { keys[$0].name }
        byID = Dictionary(keys.enumerated().compactMap { index, key in key.id.map { ($0, index) } }) { first, _ in first }
    }

    package func keys(named name: String) -> [ListedKey] { (byName[name] ?? []).map { keys[$0] } }

    package func key(_ id: KeyID) -> ListedKey? { byID[id].map { keys[$0] } }
}

package struct ListedKey: Sendable, Equatable {
    package enum Status: Sendable, Equatable {
        case active
        case notUsed
        case revoked
        case expired
        /// A word of the gateway's that we do not know: says nothing.
        case other(String)
    }

    package var id: KeyID?
    package var name: String
    package var status: Status
    package var createdAt: Date?
    package var lastUsedAt: Date?
    package var expiresAt: Date?
    /// Seconds that each of its times may be off, either way: `zoneless` where the gateway does not say their zone.
    package var doubt: TimeInterval
    package var mask: KeyMask?
    package var shown: ShownAttributes

    /// No zone is further from UTC. A time without a zone is kept as if it were UTC, since it says roughly when; what
    /// turns on hours has to heed `doubt`.
    package static let zoneless: TimeInterval = 14 * 3600

    package init(
        id: KeyID?, name: String, status: Status, createdAt: Date? = nil, lastUsedAt: Date? = nil, expiresAt: Date? = nil,
        doubt: TimeInterval = 0, mask: KeyMask? = nil, shown: ShownAttributes = ShownAttributes()
    ) {
        self.id = id
        self.name = name
        self.status = status
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.expiresAt = expiresAt
        self.doubt = doubt
        self.mask = mask
        self.shown = shown
    }

    /// Its last use in UTC, for a key that was made at `made` by our clock: where the gateway's times have no zone, the time
    /// that it shows for that moment tells it. Nil where it cannot be told.
    package func lastUse(madeAt made: Date?) -> Date? {
        guard doubt > 0 else { return lastUsedAt }
        guard let made, let createdAt else { return nil }
        let quarter: TimeInterval = 900
        let zone = (createdAt.timeIntervalSince(made) / quarter).rounded() * quarter
        guard abs(zone) <= doubt, abs(createdAt.timeIntervalSince(made) - zone) <= Sighting.tolerance else { return nil }
        return lastUsedAt?.addingTimeInterval(-zone)
    }

    /// Does it take one of the account's places?
    package var isAlive: Bool {
        switch status {
        case .active, .notUsed, .other: true
        case .revoked, .expired: false
        }
    }
}

/// What a gateway shows of a token's attributes; nil for what it does not show.
package struct ShownAttributes: Sendable, Equatable {
    package var billing: String?
    package var permissions: [String]?
    /// The words that together are all permissions that the gateway's document knows.
    package var allPermissions: [String]
    package var models: [String]?
    package var allowIPs: [String]?
    package var limits: Limits?

    package init(
        billing: String? = nil, permissions: [String]? = nil, allPermissions: [String] = [], models: [String]? = nil,
        allowIPs: [String]? = nil, limits: Limits? = nil
    ) {
        self.billing = billing
        self.permissions = permissions
        self.allPermissions = allPermissions
        self.models = models
        self.allowIPs = allowIPs
        self.limits = limits
    }
}
