import Foundation
import KeyturnCore
import KeyturnEngine

/// The journal as one process of ours meets it.
struct WorldJournal: Journal {
    let world: World
    let process: Int

    func call<Result: Sendable>(
        _ operation: PortCall, _ detail: String = "", _ body: (inout JournalTables) throws(JournalError) -> Result
    ) throws(JournalError) -> Result {
        try world.call(operation, by: process, detail, dead: JournalError("the process is dead")) { state, fault throws(JournalError) in
            if case .fails(let why) = fault { throw JournalError("journal: \(why)") }
            return try body(&state.journal)
        }
    }

    func ledger() throws(JournalError) -> [Token] { try call(.readJournal, "ledger") { $0.ledger } }
    func token(_ name: TokenName) throws(JournalError) -> Token? { try call(.readJournal) { $0.token(name) } }
    func rotation(_ id: String) throws(JournalError) -> Rotation? { try call(.readJournal) { $0.rotation(id) } }

    func record(_ token: Token, _ entries: [HistoryEntry]) throws(JournalError) {
        let codes = entries.map { "\($0.code) \($0.generation ?? "")" }.joined(separator: ", ")
        try save(.record, "\(token.name): \(codes)", token, entries) { _ in true }
    }

    func reserve(_ token: Token, _ entries: [HistoryEntry], others: Int, capacity: Int?, unknownSince: Date) throws(JournalError) -> Bool {
        try save(.reserve, "\(token.name) \(token.rotation?.generation ?? "")", token, entries) { tables in
            capacity.map { others + tables.occupied(of: token.gateway, unknownSince: unknownSince) < $0 } ?? true
        }
    }

    /// Saves where that is allowed, and has the world compare what it now claims with the truth.
    @discardableResult
    func save(
        _ operation: PortCall, _ detail: String, _ token: Token, _ entries: [HistoryEntry], where isAllowed: (JournalTables) -> Bool,
        _ more: (inout JournalTables) -> Void = { _ in }
    ) throws(JournalError) -> Bool {
        try world.call(operation, by: process, detail, dead: JournalError("the process is dead")) { state, fault throws(JournalError) in
            if case .fails(let why) = fault { throw JournalError("journal: \(why)") }
            guard isAllowed(state.journal) else { return false }
            let before = state.journal.token(token.name)
            try state.journal.save(token, entries)
            more(&state.journal)
            state.witness(before, token)
            return true
        }
    }

    func names(of gateway: GatewayName, startingWith prefix: String) throws(JournalError) -> Set<String> {
        try call(.readJournal) { $0.names(of: gateway, startingWith: prefix) }
    }

    func states(of gateway: GatewayName, names: Set<String>) throws(JournalError) -> [String: Generation.State] {
        try call(.readJournal) { $0.states(of: gateway, names: names) }
    }

    func past(of gateway: GatewayName, names: Set<String>) throws(JournalError) -> [String: PastGeneration] {
        try call(.readJournal) { tables in
            names.reduce(into: [:]) { past, name in
                guard let token = tables.owner(of: name, at: gateway), let generation = tables.generation(name, of: gateway) else { return }
                past[name] = PastGeneration(token: token, generation: generation)
            }
        }
    }

    func history(of token: TokenName?, after number: Int64, limit: Int) throws(JournalError) -> [HistoryEntry] {
        try call(.readJournal) { tables in
            Array(tables.history.filter { $0.number > number && (token == nil || $0.token == token) }.suffix(limit))
        }
    }

    func file(_ request: Request) throws(JournalError) -> Request { try call(.answer) { $0.file(request) } }
    func pendingRequests() throws(JournalError) -> [Request] { try call(.readJournal) { $0.requests.filter { $0.answeredAt == nil } } }
    func request(_ number: Int64) throws(JournalError) -> Request? {
        try call(.readJournal) { tables in tables.requests.first { $0.number == number } }
    }

    func answer(_ request: Request, at date: Date) throws(JournalError) {
        try call(.answer, "\(request.verb) \(request.token)") { $0.answer(request, at: date) }
    }

    func reconcile(_ findings: [Finding], judged: @Sendable (Finding) -> Bool, at date: Date) throws(JournalError) -> FindingChanges {
        try call(.reconcile) { $0.reconcile(findings, judged: judged, at: date) }
    }

    func openFindings() throws(JournalError) -> [OpenFinding] { try call(.readJournal) { $0.openFindings } }

    // MARK: Outbox

    func enlist(_ couriers: [String], at date: Date) throws(JournalError) {
        guard try self.couriers().map(\.name) != couriers.sorted() else { return }
        try call(.writeOutbox, "enlist") { $0.outbox.enlist(couriers, $0.openFindings) }
    }

    func couriers() throws(JournalError) -> [CourierState] { try call(.readOutbox) { $0.outbox.couriers } }

    func desk(of courier: String, takenSince date: Date) throws(JournalError) -> CourierDesk? {
        try call(.readOutbox) { $0.outbox.desk(of: courier, takenSince: date) }
    }

    func begin(_ dispatch: Dispatch, by courier: String) throws(JournalError) {
        try call(.writeOutbox, "begin \(dispatch.id)") { tables throws(JournalError) in try tables.outbox.begin(dispatch, by: courier) }
    }

    func took(_ dispatch: Dispatch, _ notices: [Notice], by courier: String, at date: Date) throws(JournalError) {
        try call(.writeOutbox, "took \(dispatch.id)") { $0.outbox.took(dispatch, notices, by: courier, at: date) }
    }

    func failed(
        _ dispatch: Dispatch, by courier: String, _ attempts: Attempts, since: Date, isUnclear: Bool
    ) throws(JournalError) {
        try call(.writeOutbox, "failed \(dispatch.id)") {
            $0.outbox.failed(dispatch, by: courier, attempts, since: since, isUnclear: isUnclear)
        }
    }

    func settle(_ numbers: [Int64], of courier: String) throws(JournalError) {
        try call(.writeOutbox, "settle") { $0.outbox.settle(numbers, of: courier) }
    }

    func urge() throws(JournalError) { try call(.writeOutbox, "urge") { $0.outbox.urge() } }

    func host() throws(JournalError) -> String { "world" }
}
