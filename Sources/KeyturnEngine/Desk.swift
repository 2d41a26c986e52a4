import Foundation
import KeyturnCore
import Synchronization

/// One gateway for the length of one pass: its list, asked for once for everybody who can use it, and what follows from it.
final class Desk: Sendable {
    private struct State {
        var answer: Result<Listing, GatewayError>?
        var askedAt: Moment?
        var clockError: TimeInterval?
        var others: Int?
        var whyFull: String?
        var ours: [Generation] = []
        var takenNames: Set<String> = []
    }

    let name: GatewayName
    let gateway: any Gateway
    let capacity: Int?
    private let state = Mutex(State())
    private let now: @Sendable () -> Moment
    private let pulse: Pulse
    /// Where readings of use are put down.
    let book: UsageBook?
    /// The longest that a list, or the few calls of one step, may honestly take: a list goes on for five minutes and one call.
    let patience: TimeSpan

    /// `timeout`: of one call.
    init(
        _ name: GatewayName, _ gateway: any Gateway, capacity: Int?, timeout: TimeSpan = .seconds(30), book: UsageBook? = nil,
        now: @escaping @Sendable () -> Moment, pulse: Pulse
    ) {
        self.name = name
        self.gateway = gateway
        self.capacity = capacity
        self.now = now
        self.pulse = pulse
        self.book = book
        let call = Int64(min(timeout.approximateSeconds, 86400) * 1000)
        patience = TimeSpan(milliseconds: call * 4 + 600_000)
    }

    /// Asks for the list; the answer is the pass's from here on. A list is evidence of what was done before it was asked for,
    /// not before it came: who has just done something waits for one that begins after that, as `Keeper.drive` has it.
    @discardableResult
    func list() async -> Result<Listing, GatewayError> {
        let askedAt = now()
        let answer: Result<Listing, GatewayError>
        // Many pages may take minutes, which is no hang: whoever asks, the pulse hears when it begins and when it ends.
        answer = await pulse.during(limit: patience) { () async -> Result<Listing, GatewayError> in
            do throws(GatewayError) { return .success(try await gateway.list()) } catch { return .failure(error) }
        }
        // Compared as it arrives: a pass may last.
        let arrivedAt = now().wall
        state.withLock { state in
            (state.answer, state.askedAt, state.others, state.whyFull) = (answer, askedAt, nil, nil)
            if case .success(let listing) = answer, let time = listing.gatewayTime {
                state.clockError = time.timeIntervalSince(arrivedAt)
            }
        }
        return answer
    }

    /// Tries a secret, where no step of a rotation is under way that the pulse knows of.
    func probe(_ secret: borrowing Secret) async throws(GatewayError) -> ProbeOutcome {
        let call = pulse.begin(limit: patience)
        defer { pulse.end(call) }
        return try await gateway.probe(secret)
    }

    /// Reads the use of a secret's generation, where no step of a rotation is under way.
    func usage(_ secret: borrowing Secret) async throws(GatewayError) -> Reading {
        let call = pulse.begin(limit: patience)
        defer { pulse.end(call) }
        return try await gateway.usage(secret)
    }

    /// The pass's list; asked for where nobody has yet.
    func listed() async throws(GatewayError) -> Listing {
        if let answer { return try answer.get() }
        return try await list().get()
    }

    /// An answer to another call that says as much as one to `list`: the admin token is dead.
    func note(_ error: GatewayError) { state.withLock { $0.answer = .failure(error) } }

    var refusesAdmin: Bool { if case .failure(.adminRefused)? = answer { true } else { false } }

    /// What is known of it without asking.
    var answer: Result<Listing, GatewayError>? { state.withLock { $0.answer } }

    /// When the pass's list was asked for; what happened since is not in it.
    var askedAt: Moment? { state.withLock { $0.askedAt } }

    // MARK: Places

    /// The generations that the journal knew here before the pass drove anything.
    func expect(_ generations: [Generation]) {
        state.withLock { ($0.ours, $0.others) = (generations.filter { $0.isLiving && $0.seenAt != nil && $0.keyID != nil }, nil) }
    }

    /// How many places of the account are taken beside those that the journal counts as ours: living tokens of the pass's list
    /// that are none of ours, less those of ours that the list shows ended or gone. Counted once a list for all who need a place.
    func othersAlive(_ journal: any Journal) throws(JournalError) -> Int {
        let state = state.withLock { $0 }
        if let count = state.others { return count }
        guard case .success(let listing)? = state.answer, let askedAt = state.askedAt else { return 0 }
        let alive = listing.keys.filter(\.isAlive).map(\.name)
        // What was seen since may be younger than the list.
        let gone = state.ours.filter { generation in
            generation.seenAt.map { $0 < askedAt.wall } ?? false && !listing.showsAlive(generation, at: now().wall)
        }.map(\.name)
        let states = try journal.states(of: name, names: Set(alive).union(gone))
        let dead = gone.count { name in
            switch states[name] {
            case .held, .retiring, .revoking: true
            case .unmade, .intended, .abandoned, .revoked, nil: false
            }
        }
        let count = alive.count { states[$0] == nil } - dead
        self.state.withLock { if $0.askedAt == askedAt { $0.others = count } }
        return count
    }

    /// Why there is no place left, naming what could go: unused tokens that are none of ours. Silence about a last use says that
    /// only where the list shows anybody's. Put into words once a list.
    func whyFull(_ journal: any Journal) throws(JournalError) -> String {
        let state = state.withLock { $0 }
        if let why = state.whyFull { return why }
        guard case .success(let listing)? = state.answer else { return "the account is full" }
        let limit = capacity.map(String.init) ?? "?"
        let showsUse = listing.keys.contains { $0.lastUsedAt != nil }
        let idle = listing.keys.filter { $0.status == .notUsed || (showsUse && $0.isAlive && $0.lastUsedAt == nil) }.map(\.name)
        let ours = try journal.states(of: name, names: Set(idle))
        let unused = idle.filter { ours[$0] == nil }.prefix(3)
        let hint = unused.isEmpty ? "" : "; never used so far: \(unused.joined(separator: ", "))"
        let alive = listing.keys.count(where: \.isAlive)
        // Fewer than it may hold: the rest is spoken for.
        let kept =
            alive < capacity ?? alive
            ? " (\(alive) are alive; the other places are kept for creates under way, and for a quarter of an hour for lost ones)" : ""
        let why = "the account holds all \(limit) tokens it may hold\(kept): revoke one that is not needed, or raise capacity\(hint)"
        self.state.withLock { if $0.askedAt == state.askedAt { $0.whyFull = why } }
        return why
    }

    /// True once for a name: two tokens whose patterns can meet must not reach for the same one in one pass.
    func take(_ name: String) -> Bool { state.withLock { $0.takenNames.insert(name).inserted } }

    // MARK: Its clock

    /// Seconds that the gateway's clock is ahead of ours; zero where it shows none.
    var clockOffset: TimeInterval { state.withLock { $0.clockError } ?? 0 }

    /// Why a create or a revoke by schedule, which cannot be taken back, has to wait: the two clocks differ by more than the
    /// tolerance, so one of them is wrong.
    var clockIsOff: String? {
        guard let error = state.withLock({ $0.clockError }), abs(error) > Sighting.tolerance else { return nil }
        return
            "this host's clock is \(Int(abs(error))) s \(error > 0 ? "behind" : "ahead of") the gateway's; nothing is created or revoked by schedule"
    }
}
