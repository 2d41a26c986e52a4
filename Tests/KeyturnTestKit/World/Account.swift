package import Foundation
package import KeyturnCore

/// One key as it truly is at the gateway, whatever lists and answers say.
package struct Key: Sendable {
    package enum Maker: Sendable { case keyturn, others }
    package enum Ender: Sendable { case keyturn, others }

    package let id: KeyID
    package fileprivate(set) var name: String
    package let secret: String
    package var maker: Maker
    package let createdAt: Date
    package var expiresAt: Date?
    package var models: Set<String>
    package var shown = ShownAttributes()
    /// Before this its secret is not accepted, or the list does not show it.
    package var validFrom: Date
    package var listedFrom: Date
    /// Who asked for its end first, and from when on it is refused.
    package var endedBy: Ender?
    package var refusedFrom: Date?
    package var lastUsedAt: Date?
    /// What consumers spent besides, where each use counts one.
    package var spent: Decimal = 0
    package private(set) var uses = Uses()
    /// The last use that was not Keyturn's own.
    package private(set) var consumerUsedAt: Date?
    /// Somebody made it, and Keyturn was asked to take it over.
    package var isOffered = false
    /// Made by somebody else under our name with our create or within the hour after it: where that create's answer or its secret is lost,
    /// nothing tells the two apart.
    package var isTwin = false
    /// Out of every list, as where a gateway forgets what is over or a person deletes it.
    package var isDeleted = false

    /// Calls of one day and of one month, as a gateway counts them: by UTC, from nothing each time.
    package struct Uses: Sendable {
        private var day = 0
        private var today = 0
        private var thisMonth = 0
        /// Of all its life.
        private(set) var total = 0

        private static func day(of time: Date) -> Int { Int(time.timeIntervalSince1970 / 86400) }

        mutating func add(at time: Date) {
            let day = Uses.day(of: time)
            if day != self.day { today = 0 }
            if day / 30 != self.day / 30 { thisMonth = 0 }
            (self.day, today, thisMonth, total) = (day, today + 1, thisMonth + 1, total + 1)
        }

        /// A month is thirty days here: what matters is that it begins anew.
        func counted(at time: Date) -> (today: Int, month: Int) {
            let day = Uses.day(of: time)
            return (day == self.day ? today : 0, day / 30 == self.day / 30 ? thisMonth : 0)
        }
    }

    /// A consumer calls with it.
    package mutating func use(at time: Date) {
        uses.add(at: time)
        (lastUsedAt, consumerUsedAt) = (time, time)
    }

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
    /// Does an answer show the gateway's clock, and a list what is over?
    package var showsTime = true
    package var keepsRevoked = true
    /// Somebody else takes the same name while the next create is on its way.
    package var rival: Rival?

    package enum Rival: Sendable { case before, after }

    package private(set) var keys: [Key] = []
    /// Creates that have not landed yet.
    package private(set) var underWay: [(at: Date, key: Key)] = []
    private var next = 1
    // Where in `keys` each is found, and which of them were still alive when time last moved: nothing dead comes back.
    private var byName: [String: [Int]] = [:]
    private var byID: [KeyID: Int] = [:]
    private var bySecret: [String: Int] = [:]
    private var open: [Int] = []

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

    package mutating func land(_ key: Key) {
        byName[key.name, default: []].append(keys.count)
        (byID[key.id], bySecret[key.secret]) = (keys.count, keys.count)
        open.append(keys.count)
        keys.append(key)
    }

    mutating func landTwin(named name: String, at time: Date) {
        var twin = makeKey(named: name, by: .others, at: time)
        twin.isTwin = true
        land(twin)
    }

    package mutating func land(_ key: Key, at time: Date) { underWay.append((time, key)) }

    /// Lets happen what was to happen by `time`.
    package mutating func settle(at time: Date) {
        open.removeAll { !keys[$0].isAlive(at: time) }
        guard underWay.contains(where: { $0.at <= time }) else { return }
        let landing = underWay.filter { $0.at <= time }
        underWay.removeAll { $0.at <= time }
        for (_, key) in landing { land(key) }
    }

    package func isFull(at time: Date) -> Bool { capacity.map { limit in countAlive(at: time) >= limit } ?? false }

    package func countAlive(at time: Date) -> Int { open.count { keys[$0].isAlive(at: time) } }

    package func living(at time: Date) -> [Key] { open.compactMap { keys[$0].isAlive(at: time) ? keys[$0] : nil } }

    package func key(withSecret secret: String) -> Key? { bySecret[secret].map { keys[$0] } }
    package func key(_ id: KeyID) -> Key? { byID[id].map { keys[$0] } }
    /// Also those that are over.
    func keys(named name: String) -> [Key] { (byName[name] ?? []).map { keys[$0] } }

    package func living(named name: String, at time: Date) -> [Key] {
        (byName[name] ?? []).compactMap { keys[$0].isAlive(at: time) ? keys[$0] : nil }
    }

    package mutating func change(_ id: KeyID, _ body: (inout Key) -> Void) {
        guard let index = byID[id] else { return }
        body(&keys[index])
    }

    package mutating func rename(_ id: KeyID, to name: String) {
        guard let index = byID[id] else { return }
        byName[keys[index].name]?.removeAll { $0 == index }
        byName[name, default: []].append(index)
        keys[index].name = name
    }

    package mutating func end(_ id: KeyID, by ender: Key.Ender, at time: Date) {
        let refusedFrom = time.addingTimeInterval(ender == .keyturn ? revocationLag : 0)
        change(id) { key in
            // What has expired nobody ends.
            guard key.refusedFrom == nil, key.isAlive(at: time) else { return }
            (key.endedBy, key.refusedFrom) = (ender, refusedFrom)
        }
    }

    /// As its list shows it.
    package func listing(at time: Date) -> Listing {
        let shown = (keepsRevoked ? Array(keys.indices) : open).map { keys[$0] }.filter { key in
            key.listedFrom <= time && !key.isDeleted && !unlisted.contains(key.id) && (keepsRevoked || key.isAlive(at: time))
        }.map { key in
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
                mask: showsMasks ? KeyMask("\(key.secret.prefix(3))****\(key.secret.suffix(key.secret.count - 8))") : nil, shown: key.shown
            )
        }
        return Listing(keys: shown, gatewayTime: showsTime ? time.addingTimeInterval(clockError) : nil)
    }
}
