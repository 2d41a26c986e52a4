package import Foundation
package import KeyturnCore

/// One key as it truly is at the gateway, whatever lists and answers say.
package struct Key: Sendable {
    package enum Maker: Sendable { case keyturn, others }
    package enum Ender: Sendable { case keyturn, others }

    package let id: KeyID
    package let name: String
    package let secret: String
    package var maker: Maker
    package let createdAt: Date
    package let expiresAt: Date?
    package var models: Set<String>
    package var shown = ShownAttributes()
    /// Before this its secret is not accepted, or the list does not show it.
    package var validFrom: Date
    package var listedFrom: Date
    /// Who asked for its end first, and from when on it is refused.
    package var endedBy: Ender?
    package var refusedFrom: Date?
    package var lastUsedAt: Date?
    package var uses = 0
    /// What consumers spent besides, where each use counts one.
    package var spent: Decimal = 0

    /// May a call with it succeed, now or later?
    package func isAlive(at time: Date) -> Bool {
        if let refusedFrom, refusedFrom <= time { return false }
        if let expiresAt, expiresAt <= time { return false }
        return true
    }

    package func isAccepted(at time: Date) -> Bool { validFrom <= time && isAlive(at: time) }
}

/// One account of a gateway: the truth, and how it behaves.
package struct Account: Sendable {
    package enum Mood: Sendable, Equatable {
        case well, unreachable, broken
        /// 401 to everybody, the admin included.
        case refusesEverybody
        case refusesAdmin
        /// 401 to every token, while the admin is served.
        case refusesTokens
    }

    package let name: GatewayName
    package var mood = Mood.well
    package var capacity: Int?
    package var models: Set<String> = ["gpt-4", "claude-3-opus"]
    /// What a key made from now on may use; nil is all of them.
    package var modelsOfNewKeys: Set<String>?
    package var shownOfNewKeys = ShownAttributes()
    /// Seconds until a new key is accepted, until it is listed, and until a revoked one is refused.
    package var validityLag: TimeInterval = 0
    package var listLag: TimeInterval = 0
    /// What its list leaves out, as a list that is read page by page while it changes.
    package var unlisted: Set<KeyID> = []
    package var revocationLag: TimeInterval = 0
    package var answersIDs = true
    package var showsCreated = true
    /// Seconds that its list's times are ahead of UTC, where they do not say their zone; nil where they do.
    package var unsaidZone: TimeInterval?
    package var showsLastUse = true
    /// Does the list show the beginning and the end of each key?
    package var showsMasks = false
    package var showsUsage = true
    /// Does a reading of usage count as a use of the key?
    package var countsReadings = true
    package var clockError: TimeInterval = 0

    package private(set) var keys: [Key] = []
    /// Creates that have not landed yet.
    package private(set) var underWay: [(at: Date, key: Key)] = []
    private var next = 1

    package init(name: GatewayName) { self.name = name }

    package mutating func makeKey(named name: String, by maker: Key.Maker, expiresAt: Date? = nil, at time: Date) -> Key {
        defer { next += 1 }
        return Key(
            id: KeyID("key_\(next)"), name: name, secret: "sk-\(self.name)-\(next)-secret", maker: maker, createdAt: time,
            expiresAt: expiresAt,
            models: modelsOfNewKeys ?? models, shown: shownOfNewKeys, validFrom: time.addingTimeInterval(validityLag),
            listedFrom: time.addingTimeInterval(listLag)
        )
    }

    package mutating func land(_ key: Key) { keys.append(key) }
    package mutating func land(_ key: Key, at time: Date) { underWay.append((time, key)) }

    /// Lets happen what was to happen by `time`.
    package mutating func settle(at time: Date) {
        for (_, key) in underWay.filter({ $0.at <= time }) { keys.append(key) }
        underWay.removeAll { $0.at <= time }
    }

    package func isFull(at time: Date) -> Bool { capacity.map { limit in keys.count { $0.isAlive(at: time) } >= limit } ?? false }

    package func key(withSecret secret: String) -> Key? { keys.last { $0.secret == secret } }
    package func key(_ id: KeyID) -> Key? { keys.last { $0.id == id } }
    package func living(named name: String, at time: Date) -> [Key] { keys.filter { $0.name == name && $0.isAlive(at: time) } }

    package mutating func change(_ id: KeyID, _ body: (inout Key) -> Void) {
        guard let index = keys.lastIndex(where: { $0.id == id }) else { return }
        body(&keys[index])
    }

    package mutating func end(_ id: KeyID, by ender: Key.Ender, at time: Date) {
        let refusedFrom = time.addingTimeInterval(ender == .keyturn ? revocationLag : 0)
        change(id) { key in
            guard key.refusedFrom == nil else { return }
            (key.endedBy, key.refusedFrom) = (ender, refusedFrom)
        }
    }

    /// As its list shows it.
    package func listing(at time: Date) -> Listing {
        let shown = keys.filter { $0.listedFrom <= time && !unlisted.contains($0.id) }.map { key in
            let status: ListedKey.Status =
                if let refusedFrom = key.refusedFrom, refusedFrom <= time { .revoked } else if !key.isAlive(at: time) {
                    .expired
                } else if key.lastUsedAt == nil {
                    .notUsed
                } else { .active }
            let zone = unsaidZone ?? 0
            return ListedKey(
                id: key.id, name: key.name, status: status, createdAt: showsCreated ? key.createdAt.addingTimeInterval(zone) : nil,
                lastUsedAt: showsLastUse ? key.lastUsedAt?.addingTimeInterval(zone) : nil,
                expiresAt: key.expiresAt?.addingTimeInterval(zone), doubt: unsaidZone == nil ? 0 : ListedKey.zoneless,
                mask: showsMasks ? KeyMask("\(key.secret.dropLast(7))****\(key.secret.suffix(2))") : nil, shown: key.shown
            )
        }
        return Listing(keys: shown, gatewayTime: time.addingTimeInterval(clockError))
    }
}
