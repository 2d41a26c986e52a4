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

    init(_ name: GatewayName, _ gateway: any Gateway, capacity: Int?) {
        self.name = name
        self.gateway = gateway
        self.capacity = capacity
        listing = Mutex(nil)
        others = Mutex(nil)
    }

    /// Asks for the list; the answer is the pass's from here on.
    @discardableResult
    func list() async -> Result<Listing, GatewayError> {
        let answer: Result<Listing, GatewayError>
        do throws(GatewayError) { answer = .success(try await gateway.list()) } catch { answer = .failure(error) }
        listing.withLock { $0 = answer }
        others.withLock { $0 = nil }
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

    /// Living tokens of the pass's list that are none of ours: counted once for all who need a place.
    func othersAlive(in listing: Listing, _ journal: any Journal) throws(JournalError) -> Int {
        if let count = others.withLock({ $0 }) { return count }
        let alive = listing.keys.filter(\.isAlive).map(\.name)
        let ours = try journal.states(of: name, names: Set(alive))
        let count = alive.count { ours[$0] == nil }
        others.withLock { $0 = count }
        return count
    }

    /// Seconds by which the gateway's clock differs from ours, where its answer showed one.
    func clockError(at now: Date) -> TimeInterval? {
        guard case .success(let listing) = answer, let time = listing.gatewayTime else { return nil }
        return time.timeIntervalSince(now)
    }

    /// More than five minutes between the two clocks: one of them is wrong, and a create or a revoke by a wrong clock
    /// cannot be taken back.
    static let tolerance: TimeInterval = 300

    /// Seconds after its intent in which a create may still land.
    static let longestWay: TimeInterval = 3600

    func clockIsOff(at now: Date) -> String? {
        guard let error = clockError(at: now), abs(error) > Desk.tolerance else { return nil }
        return "this host's clock is \(Int(abs(error))) s \(error > 0 ? "behind" : "ahead of") the gateway's; nothing is created or revoked by schedule"
    }

    /// The gateway's tokens of a name that may be ours: alive, and not there before our create.
    static func candidates(for generation: Generation, in listing: Listing) -> [ListedKey] {
        listing.keys(named: generation.name).filter { key in
            guard key.isAlive, let id = key.id, !generation.foreignIDs.contains(id) else { return false }
            // A key that is older than our wish for it is somebody else's, and so is one that was made long after: no
            // create is on its way for an hour, while a person may well take the name that we gave up.
            guard let created = key.createdAt else { return true }
            let age = created.timeIntervalSince(generation.intendedAt)
            return age >= -Desk.tolerance && age <= Desk.longestWay
        }
    }
}
