import Foundation
import KeyturnCore
import KeyturnEngine

/// The gateway as one process of ours meets it.
struct WorldGateway: Gateway {
    let world: World
    let process: Int
    let name: GatewayName

    private static let dead = GatewayError.inconclusive("the process is dead", retryAfter: nil)

    func create(_ order: CreateOrder) async -> CreateOutcome {
        let answer: Answer
        do throws(GatewayError) {
            answer = try world.call(.create, by: process, order.name, dead: WorldGateway.dead) { state, fault throws(GatewayError) in
                state.create(order, at: name, fault)
            }
        } catch { return .unknown(error.description) }
        switch answer {
        case .created(let id, let secret): return .created(id, Secret(secret))
        case .notCreated(let error): return .notCreated(error)
        case .unknown(let why): return .unknown(why)
        }
    }

    func list() async throws(GatewayError) -> Listing {
        try world.call(.list, by: process, name.text, dead: WorldGateway.dead) { state, fault throws(GatewayError) in
            try state.answerAdmin(at: name, fault)
            return state.accounts[name]?.listing(at: state.now) ?? Listing(keys: [], gatewayTime: nil)
        }
    }

    func revoke(_ id: KeyID) async throws(GatewayError) {
        try world.call(.revoke, by: process, id.text, dead: WorldGateway.dead) { state, fault throws(GatewayError) in
            let lost = fault == .lostAfter
            try state.answerAdmin(at: name, lost ? nil : fault)
            if fault != .withoutEffect { state.revoke(id, at: name) }
            if lost { throw .inconclusive("the answer got lost", retryAfter: nil) }
        }
    }

    func probe(_ secret: borrowing Secret) async throws(GatewayError) -> ProbeOutcome {
        let text = secret.text
        return try world.call(.probe, by: process, text, dead: WorldGateway.dead) { state, fault throws(GatewayError) in
            guard let key = try state.answerToken(text, at: name, fault) else { return .refused("it answered 401 (invalid api key)") }
            return .accepted(models: key.models)
        }
    }

    func usage(_ secret: borrowing Secret) async throws(GatewayError) -> Reading {
        let text = secret.text
        return try world.call(.usage, by: process, text, dead: WorldGateway.dead) { state, fault throws(GatewayError) in
            guard let account = state.accounts[name], account.showsUsage else { throw .rejected("it answered 404") }
            guard let key = try state.answerToken(text, at: name, fault, counts: account.countsReadings) else {
                throw .rejected("it answered 401")
            }
            let counted = key.uses.counted(at: state.now)
            return Reading(today: Decimal(counted.today) + key.spent, month: Decimal(counted.month) + key.spent, lastUsedAt: nil)
        }
    }
}

/// A create's answer, as something that can be copied.
private enum Answer: Sendable {
    case created(KeyID?, String)
    case notCreated(GatewayError)
    case unknown(String)
}

extension WorldState {
    fileprivate mutating func create(_ order: CreateOrder, at gateway: GatewayName, _ fault: Fault?) -> Answer {
        guard var account = accounts[gateway] else { return .notCreated(.unreachable("no such gateway")) }
        pass(fault)
        switch account.mood {
        case .well, .refusesTokens: break
        case .unreachable: return .notCreated(.unreachable("connection refused"))
        case .broken: return .unknown("it answered 500")
        case .refusesEverybody, .refusesAdmin: return .notCreated(.adminRefused("it answered 401"))
        }
        switch fault {
        case .unreachable: return .notCreated(.unreachable("connection refused"))
        case .tooMany(let seconds): return .notCreated(.inconclusive("it answered 429", retryAfter: seconds))
        case .adminRefused: return .notCreated(.adminRefused("it answered 401"))
        case .fails(let why): return .notCreated(.rejected(why))
        case .lostBefore: return .unknown("timed out")
        case .serverError: return .unknown("it answered 502")
        default: break
        }
        if account.isFull(at: now) { return .notCreated(.rejected("it answered 400 (too many tokens)")) }
        let rival = account.rival
        account.rival = nil
        if rival == .before { account.landTwin(named: order.name, at: now) }
        let key = account.makeKey(named: order.name, by: .keyturn, expiresAt: order.expiresAt, at: now)
        created += 1
        defer {
            if rival == .after { account.landTwin(named: order.name, at: now) }
            accounts[gateway] = account
        }
        if case .late(let seconds) = fault {
            account.land(key, at: now.addingTimeInterval(seconds))
            return .unknown("timed out")
        }
        account.land(key)
        switch fault {
        case .lostAfter, .failsAfter: return .unknown("connection reset by peer")
        case .garbage: return .unknown("its answer is not JSON")
        case .withoutID: return .created(nil, key.secret)
        default: return .created(account.answersIDs ? key.id : nil, key.secret)
        }
    }

    /// What the gateway says to a call with the admin token before it does anything.
    fileprivate mutating func answerAdmin(at gateway: GatewayName, _ fault: Fault?) throws(GatewayError) {
        pass(fault)
        switch accounts[gateway]?.mood {
        case .refusesEverybody, .refusesAdmin: throw .adminRefused("it answered 401")
        case .unreachable, nil: throw .unreachable("connection refused")
        case .broken: throw .inconclusive("it answered 500", retryAfter: nil)
        case .well, .refusesTokens: break
        }
        try fail(fault)
    }

    /// The key of a secret that is accepted; nil is a refusal.
    fileprivate mutating func answerToken(
        _ secret: String, at gateway: GatewayName, _ fault: Fault?, counts: Bool = true
    ) throws(GatewayError) -> Key? {
        pass(fault)
        switch accounts[gateway]?.mood {
        case .refusesEverybody, .refusesTokens: return nil
        case .unreachable, nil: throw .unreachable("connection refused")
        case .broken: throw .inconclusive("it answered 500", retryAfter: nil)
        case .well, .refusesAdmin: break
        }
        try fail(fault)
        guard let key = accounts[gateway]?.key(withSecret: secret), key.isAccepted(at: now) else { return nil }
        let time = now
        if counts { accounts[gateway]?.change(key.id) { $0.lastUsedAt = time } }
        return key
    }

    private func fail(_ fault: Fault?) throws(GatewayError) {
        switch fault {
        case .unreachable: throw .unreachable("connection refused")
        case .lostBefore, .lostAfter, .garbage, .late: throw .inconclusive("timed out", retryAfter: nil)
        case .serverError: throw .inconclusive("it answered 502", retryAfter: nil)
        case .tooMany(let seconds): throw .inconclusive("it answered 429", retryAfter: seconds)
        case .adminRefused: throw .adminRefused("it answered 401")
        case .forbidden: throw .inconclusive("it answered 403 (insufficient balance)", retryAfter: nil)
        case .fails(let why), .failsAfter(let why): throw .rejected(why)
        case .withoutEffect, .withoutID, .diesBefore, .diesAfter, nil: break
        }
    }

    /// Time goes by while the gateway is asked; half a minute where it does not answer.
    private mutating func pass(_ fault: Fault?) {
        guard latency > 0 else { return }
        switch fault {
        case .lostBefore, .lostAfter, .late: clock.advance(by: 30)
        default: clock.advance(by: dice.seconds(0...latency))
        }
    }

    fileprivate mutating func revoke(_ id: KeyID, at gateway: GatewayName) {
        let time = now
        guard let key = accounts[gateway]?.key(id) else { return }
        // Where its secret is in nobody's hands, as an orphan's always is, nothing tells ours from its twin.
        let isUntold = journal.generation(key.name, of: gateway)?.isOrphan == true || keyring.record(key.name, of: gateway) == nil
        if key.maker == .others, !(key.isTwin && isUntold) { violate("\(id) (\(key.name)), which is another's, was revoked") }
        if key.endedBy == nil { revoked += 1 }
        accounts[gateway]?.end(id, by: .keyturn, at: time)
    }
}

extension Secret {
    /// For the world's own books: its secrets open nothing.
    package borrowing func copy() -> String { text }

    var text: String {
        withBytes { span in unsafe span.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) } }
    }
}
