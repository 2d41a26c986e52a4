import Foundation
package import KeyturnCore
import Synchronization

/// What all calls of one gateway share in this process, whichever pass or command makes them: how many may be under way,
/// and the pauses that it has asked for.
///
/// A 429 to a call with the admin token is the account's: it pauses everything. One to a call with a token's own secret may be
/// that token's limit: it pauses readings and trials, and never a revocation.
///
/// Waiting calls are served in the order in which they came. A pass asks in the order of urgency and has no more tokens
/// under way than there are slots, so a revocation stands behind a handful of single calls at most, never
/// behind the readings of every token. A pause of the admin calls is for it as for all: what is sent meanwhile would be
/// refused, and prolong it.
package final class GatewayLimit: Sendable {
    /// Whose secret a call bears.
    enum Bearer: Sendable { case admin, token }

    private let name: GatewayName
    private let slots: Slots
    private let pauses: Mutex<[Bearer: Pause]>
    private let now: @Sendable () -> Moment

    package init(of name: GatewayName, concurrent: Int, now: @escaping @Sendable () -> Moment) {
        self.name = name
        self.now = now
        slots = Slots(concurrent)
        pauses = Mutex([.admin: Pause(of: name.text), .token: Pause(of: name.text)])
    }

    /// Calls that wait for their turn.
    package var waiting: Int { slots.waiting }

    package func resize(_ concurrent: Int) { slots.resize(concurrent) }

    /// Waits for a turn, which `leave()` ends. Returns what the call needs to know to say how it was answered. An error
    /// is the call's answer: nothing was sent.
    func enter(_ bearer: Bearer) async throws(GatewayError) -> Int {
        // Before the queue, so that nobody waits only to hear this; and after it, for what was learnt meanwhile.
        _ = try admitted(bearer)
        guard await slots.enter() else { throw .unreachable("it was cancelled before its turn came; nothing was sent") }
        do throws(GatewayError) { return try admitted(bearer) } catch {
            slots.leave()
            throw error
        }
    }

    private static let longestForToken: TimeInterval = 300

    func leave() { slots.leave() }

    private func admitted(_ bearer: Bearer) throws(GatewayError) -> Int {
        let now = now()
        let (rest, count) = pauses.withLock { pauses in
            let bearers: [Bearer] = bearer == .admin ? [.admin] : [.admin, .token]
            return (bearers.compactMap { pauses[$0]?.rest(at: now) }.max(), pauses[bearer]?.count ?? 0)
        }
        guard let rest else { return count }
        let end = now.wall.addingTimeInterval(rest).formatted(.iso8601)
        throw .inconclusive("the gateway \(name) asked for a pause until \(end)", retryAfter: rest)
    }

    /// A call that entered with `known` was answered.
    func answered(_ bearer: Bearer, _ known: Int) { pauses.withLock { $0[bearer]?.answered(knowing: known) } }

    func failed(_ error: GatewayError, _ bearer: Bearer, _ known: Int) {
        switch error {
        case .inconclusive(_, let seconds?):
            let now = now()
            // One token's own limit may last for a day; the others' trials wait for minutes at most.
            let seconds = bearer == .token ? min(seconds, GatewayLimit.longestForToken) : seconds
            pauses.withLock { $0[bearer]?.asked(for: seconds, knowing: known, at: now) }
        case .adminRefused, .rejected: answered(bearer, known)
        // No answer, or one that says nothing: nor does it say that there are no longer too many.
        case .unreachable, .inconclusive(_, nil): break
        }
    }
}

/// The limits of all gateways of this process. They outlive a reload of the settings: SIGHUP is no way around a pause.
package final class GatewayLimits: Sendable {
    private let limits = Mutex<[String: GatewayLimit]>([:])
    private let now: @Sendable () -> Moment

    package init(now: @escaping @Sendable () -> Moment) { self.now = now }

    /// The limit of the gateway that bears the name at that address; at another address it is another gateway.
    package func limit(of name: GatewayName, _ settings: GatewaySettings) -> GatewayLimit {
        let limit = limits.withLock { limits in
            let key = "\(name) \(settings.url)"
            let limit = limits[key] ?? GatewayLimit(of: name, concurrent: settings.concurrent, now: now)
            limits[key] = limit
            return limit
        }
        limit.resize(settings.concurrent)
        return limit
    }
}
