package import Foundation
package import KeyturnCore
package import KeyturnEngine

/// A journal in memory, with the rules of the real one: one open rotation a token, a generation's name used once at a
/// gateway, all of a record or nothing of it, history only ever added to.
package struct JournalTables: Sendable {
    private struct GenerationKey: Hashable {
        var gateway: GatewayName
        var name: String
    }

    private struct Row {
        var token: TokenName
        var generation: Generation
    }

    private var tokens: [TokenName: Token] = [:]
    private var generations: [GenerationKey: Row] = [:]
    /// Names of each token's generations that are not revoked.
    private var unrevoked: [TokenName: Set<String>] = [:]
    private var rotations: [String: Rotation] = [:]
    private var openRotations: [TokenName: String] = [:]
    package private(set) var history: [HistoryEntry] = []
    package private(set) var requests: [Request] = []
    package var incidents: [LeakIncident] = []
    package private(set) var openFindings: [OpenFinding] = []
    package var outbox = OutboxTables()
    /// Every opening and closing of a finding, in order.
    package private(set) var findingChanges: [String] = []
    package internal(set) var usage = UsageTables()

    package init() {}

    // MARK: Reading

    package var ledger: [Token] { tokens.keys.sorted().compactMap { token($0) } }

    package func token(_ name: TokenName) -> Token? {
        guard var token = tokens[name] else { return nil }
        token.generations = (unrevoked[name] ?? []).compactMap { generations[GenerationKey(gateway: token.gateway, name: $0)]?.generation }
            .sorted { ($0.intendedAt, $0.name) < ($1.intendedAt, $1.name) }
        token.rotation = openRotations[name].flatMap { rotations[$0] }
        return token
    }

    package func rotation(_ id: String) -> Rotation? { rotations[id] }

    package func generation(_ name: String, of gateway: GatewayName) -> Generation? {
        generations[GenerationKey(gateway: gateway, name: name)]?.generation
    }

    package func owner(of name: String, at gateway: GatewayName) -> TokenName? {
        generations[GenerationKey(gateway: gateway, name: name)]?.token
    }

    package func isLeaked(_ fingerprint: String) -> Bool {
        generations.values.contains { $0.generation.isLeaked && $0.generation.fingerprint == fingerprint }
    }

    /// Was it ended, so that nothing of it need work any more?
    package func isEnded(_ name: TokenName) -> Bool { tokens[name]?.ending != nil }

    package func names(of gateway: GatewayName, startingWith prefix: String) -> Set<String> {
        Set(generations.keys.filter { $0.gateway == gateway && $0.name.hasPrefix(prefix) }.map(\.name))
    }

    package func states(of gateway: GatewayName, names: Set<String>) -> [String: Generation.State] {
        var states: [String: Generation.State] = [:]
        for name in names { states[name] = generation(name, of: gateway)?.state }
        return states
    }

    package func occupied(of gateway: GatewayName, unknownSince: Date) -> Int {
        generations.count { key, row in
            guard key.gateway == gateway else { return false }
            switch row.generation.state {
            case .intended, .held, .retiring, .revoking: return true
            case .abandoned: return row.generation.intendedAt >= unknownSince
            case .unmade, .revoked: return false
            }
        }
    }

    package var fingerprinted: [FingerprintedGeneration] {
        generations.sorted {
            ($0.value.token, $0.value.generation.intendedAt, $0.key.name) < ($1.value.token, $1.value.generation.intendedAt, $1.key.name)
        }
        .compactMap { key, row in
            row.generation.fingerprint.map { print in
                FingerprintedGeneration(
                    token: row.token, environment: tokens[row.token]?.environment ?? "", gateway: key.gateway, name: key.name,
                    fingerprint: print, state: row.generation.state
                )
            }
        }
    }

    // MARK: Writing

    package mutating func save(_ token: Token, _ entries: [HistoryEntry]) throws(JournalError) {
        try check(token)
        var row = token
        (row.generations, row.rotation) = ([], nil)
        tokens[token.name] = row
        for generation in token.generations {
            generations[GenerationKey(gateway: token.gateway, name: generation.name)] = Row(token: token.name, generation: generation)
            if generation.state == .revoked {
                unrevoked[token.name]?.remove(generation.name)
            } else {
                unrevoked[token.name, default: []].insert(generation.name)
            }
        }
        if let rotation = token.rotation {
            rotations[rotation.id] = rotation
            if rotation.isOpen {
                openRotations[token.name] = rotation.id
            } else if openRotations[token.name] == rotation.id {
                openRotations[token.name] = nil
            }
        }
        for var entry in entries {
            entry.number = Int64(history.count) + 1
            history.append(entry)
        }
    }

    private func check(_ token: Token) throws(JournalError) {
        guard (token.ending == nil) == (token.endedAt == nil) else {
            throw JournalError("CHECK failed: ending and ended_at of \(token.name)")
        }
        guard Set(token.generations.map(\.name)).count == token.generations.count else {
            throw JournalError("UNIQUE failed: a generation of \(token.name)")
        }
        for generation in token.generations {
            if let owner = owner(of: generation.name, at: token.gateway), owner != token.name {
                throw JournalError("UNIQUE failed: \(generation.name) is a generation of \(owner), not of \(token.name)")
            }
            guard generation.state != .retiring || generation.retirement != nil else {
                throw JournalError("CHECK failed: \(generation.name) retires since never")
            }
        }
        if let rotation = token.rotation {
            guard rotation.isOpen == (rotation.endedAt == nil) else {
                throw JournalError("CHECK failed: phase and ended_at of \(rotation.id)")
            }
            if rotation.isOpen, let open = openRotations[token.name], open != rotation.id {
                throw JournalError("UNIQUE failed: \(open) and \(rotation.id) are open at once")
            }
        }
    }

    package mutating func file(_ request: Request) -> Request {
        var filed = request
        filed.number = Int64(requests.count) + 1
        requests.append(filed)
        return filed
    }

    package mutating func answer(_ request: Request, at date: Date) {
        guard let index = requests.firstIndex(where: { $0.number == request.number }) else { return }
        requests[index].answeredAt = date
        requests[index].refusal = request.refusal
        requests[index].rotation = request.rotation
    }

    package mutating func reconcile(_ findings: [Finding], judged: (Finding) -> Bool, at date: Date) -> FindingChanges {
        let wanted = Dictionary(findings.map { ($0.key, $0) }) { first, _ in first }
        let known = Set(openFindings.map(\.finding.key))
        let opened = wanted.values.filter { !known.contains($0.key) }.sorted { $0.key < $1.key }
        let closed = openFindings.map(\.finding).filter { wanted[$0.key] == nil && judged($0) }
        let gone = Set(closed.map(\.key))
        openFindings.removeAll { gone.contains($0.finding.key) }
        for index in openFindings.indices {
            guard let now = wanted[openFindings[index].finding.key] else { continue }
            openFindings[index].finding = now
            outbox.changed(now)
        }
        for finding in closed { outbox.closed(finding, at: date) }
        for finding in opened { outbox.opened(finding, at: date) }
        openFindings += opened.map { OpenFinding(finding: $0, openedAt: date) }
        findingChanges += closed.map { "closed \($0.key)" } + opened.map { "opened \($0.key)" }
        return FindingChanges(opened: opened, closed: closed)
    }
}
