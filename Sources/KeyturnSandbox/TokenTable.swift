import FoundationEssentials

/// The gateway's tokens in the order of their creation: a value without clock, network or faults.
///
/// Everything that time alone brings about (a late create lands, a token expires) happens in `settle`, which whoever
/// looks calls first. So nothing waits and nothing is missed, however far the clock has moved.
struct TokenTable: Codable, Sendable {
    private(set) var tokens: [SandboxToken] = []
    /// Creates whose requesters were cut off and which land at their `createdAt`.
    private(set) var late: [SandboxToken] = []
    /// Starts anywhere, so that the ids of an earlier sandbox mean nothing to this one; never goes back.
    private var lastNumber = Int.random(in: 100_000_000..<900_000_000)
    /// Moves with every token made, revoked or deleted; calls leave it alone.
    private(set) var revision = 0

    var alive: Int { tokens.count(where: \.isAlive) }

    /// Lands what is due and revokes what has expired.
    /// - Returns: how many late creates became tokens; one that finds the table full is dropped.
    mutating func settle(at now: Date, capacity: Int?) -> Int {
        expire(at: now)
        let due = late.filter { $0.createdAt <= now }
        late.removeAll { $0.createdAt <= now }
        revision += due.count
        var landed = 0
        for token in due where alive < capacity ?? .max {
            tokens.append(token)
            landed += 1
        }
        expire(at: now)
        return landed
    }

    private mutating func expire(at now: Date) {
        for index in tokens.indices where tokens[index].isAlive {
            guard let expiry = tokens[index].expiresAt, expiry <= now else { continue }
            tokens[index].revoke(at: expiry)
            revision += 1
        }
    }

    /// Makes a token, at once or, when `delay` is positive, at `now + delay`.
    mutating func issue(_ order: TokenOrder, at now: Date, delay: TimeInterval = 0) -> SandboxToken {
        lastNumber += 1
        let born = now + delay
        let token = SandboxToken(
            id: "key_\(lastNumber)",
            name: order.name,
            secret: TokenTable.newSecret(),
            createdAt: born,
            expiresAt: order.expiresAt,
            attributes: order.attributes,
            acceptedFrom: born + order.validityLag,
            lacksLastModel: order.lacksLastModel
        )
        if delay > 0 { late.append(token) } else { tokens.append(token) }
        revision += 1
        return token
    }

    /// What a delete does is the console's two buttons: Revoke on a living token, Delete on a revoked one.
    enum Removal { case revoked, deleted, unknown }

    mutating func remove(id: String, at now: Date, lag: TimeInterval = 0) -> Removal {
        guard let index = tokens.firstIndex(where: { $0.id == id }) else { return .unknown }
        revision += 1
        guard tokens[index].isAlive else {
            tokens.remove(at: index)
            return .deleted
        }
        tokens[index].revoke(at: now, lag: lag)
        return .revoked
    }

    /// Where the token with this secret stands, if the gateway accepts it now.
    func index(accepting secret: String, at now: Date) -> Int? {
        tokens.firstIndex { $0.secret == secret && $0.isAccepted(at: now) }
    }

    mutating func record(_ call: SandboxCall, at index: Int) {
        tokens[index].record(call)
    }

    /// The token that a call under `name` would use today: the newest living one, else the newest.
    func newest(named name: String) -> Int? {
        tokens.lastIndex { $0.name == name && $0.isAlive } ?? tokens.lastIndex { $0.name == name }
    }

    private static func newSecret() -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        var generator = SystemRandomNumberGenerator()
        return "sk-" + String((0..<48).map { _ in alphabet[Int.random(in: alphabet.indices, using: &generator)] })
    }
}

/// What a create asks for, with what the faults make of it.
struct TokenOrder: Sendable {
    var name: String
    var expiresAt: Date?
    var attributes: [String: SandboxJSON] = [:]
    var validityLag: TimeInterval = 0
    var lacksLastModel = false
}
