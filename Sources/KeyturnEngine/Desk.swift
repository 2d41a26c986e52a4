import Foundation
import KeyturnCore
import Synchronization

/// One gateway for the length of one pass: its list, fetched at most once for everybody, and what follows from it.
final class Desk: Sendable {
    let name: GatewayName
    let gateway: any Gateway
    let capacity: Int?
    private let listing: Mutex<Result<Listing, GatewayError>?>
    private let others: Mutex<Int?>
    private let clockError: Mutex<TimeInterval?>
    private let takenNames: Mutex<Set<String>>
    private let now: @Sendable () -> Moment

    init(_ name: GatewayName, _ gateway: any Gateway, capacity: Int?, now: @escaping @Sendable () -> Moment) {
        self.name = name
        self.gateway = gateway
        self.capacity = capacity
        listing = Mutex(nil)
        others = Mutex(nil)
        clockError = Mutex(nil)
        takenNames = Mutex([])
        self.now = now
    }

    /// Asks for the list; the answer is the pass's from here on.
    @discardableResult
    func list() async -> Result<Listing, GatewayError> {
        let answer: Result<Listing, GatewayError>
        do throws(GatewayError) { answer = .success(try await gateway.list()) } catch { answer = .failure(error) }
        listing.withLock { $0 = answer }
        others.withLock { $0 = nil }
        if case .success(let listing) = answer, let time = listing.gatewayTime {
            // Compared as it arrives: a pass may last.
            clockError.withLock { $0 = time.timeIntervalSince(now().wall) }
        }
        return answer
    }

    /// The pass's list; asked for where nobody has yet.
    func listed() async throws(GatewayError) -> Listing {
        if let answer = listing.withLock({ $0 }) { return try answer.get() }
        return try await list().get()
    }

    /// An answer to another call that says as much as one to `list`: the admin token is dead.
    func note(_ error: GatewayError) { listing.withLock { $0 = .failure(error) } }

    var refusesAdmin: Bool { if case .failure(.adminRefused)? = answer { true } else { false } }

    /// What is known of it without asking.
    var answer: Result<Listing, GatewayError>? { listing.withLock { $0 } }

    /// How many places of the account are taken beside those that the journal counts as ours: living tokens of the pass's list
    /// that are none of ours, less those of ours that the list shows ended or gone. Counted once for all who need a place.
    func othersAlive(in listing: Listing, _ journal: any Journal) throws(JournalError) -> Int {
        if let count = others.withLock({ $0 }) { return count }
        let alive = listing.keys.filter(\.isAlive).map(\.name)
        let ours = try journal.states(of: name, names: Set(alive))
        let dead = try journal.ledger().filter { $0.gateway == name }.flatMap(\.generations).count { generation in
            generation.isLiving && generation.seenAt != nil && generation.keyID != nil && !listing.showsAlive(generation, at: now().wall)
        }
        let count = alive.count { ours[$0] == nil } - dead
        others.withLock { $0 = count }
        return count
    }

    /// True once for a name: two tokens whose patterns can meet must not reach for the same one in one pass.
    func take(_ name: String) -> Bool { takenNames.withLock { $0.insert(name).inserted } }

    /// Seconds that the gateway's clock is ahead of ours; zero where it shows none.
    var clockOffset: TimeInterval { clockError.withLock { $0 } ?? 0 }

    /// Why a create or a revoke by schedule, which cannot be taken back, has to wait: the two clocks differ by more than the
    /// tolerance, so one of them is wrong.
    var clockIsOff: String? {
        guard let error = clockError.withLock({ $0 }), abs(error) > Sighting.tolerance else { return nil }
        return
            "this host's clock is \(Int(abs(error))) s \(error > 0 ? "behind" : "ahead of") the gateway's; nothing is created or revoked by schedule"
    }
}
