import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

/// Everything that is known of the tokens, gateways and of keyturn itself, as metrics; the labels are names of tokens, environments,
/// gateways and words of ours, and no series has a secret, a key's id or a path in it.
struct MetricsReport {
    private(set) var metrics = MetricsText()
    private let site: Site
    private let now: Moment
    private let tokens: [Token]
    private let findings: [OpenFinding]

    var text: String { metrics.text }

    /// Linear in tokens, in as many queries as there are tables.
    init(_ site: Site, at now: Moment) throws {
        self.site = site
        self.now = now
        tokens = try site.tokens()
        findings = try site.house.journal.openFindings()
        addTokens(findings.compactMap { Obstacle($0.finding, openedAt: $0.openedAt) })
        addRevocations()
        addGateways()
        addFindings()
        let journal = site.house.journal
        addItself(try journal.tallies(), try journal.historyVerifiedAt(), try journal.pendingRequests().count)
    }

    private mutating func add(_ name: String, _ help: String, of tokens: [Token], _ value: (Token) -> Double?) {
        metrics.add(name, .gauge, help, tokens.compactMap { token in value(token).map { (labels(of: token), $0) } })
    }

    private func labels(of token: Token) -> [(String, String)] {
        [("token", token.name.text), ("environment", token.environment), ("gateway", token.gateway.text)]
    }

    private mutating func addTokens(_ obstacles: [Obstacle]) {
        let statuses = Dictionary(
            tokens.map { ($0.name, site.status(of: $0, heeding: obstacles, at: now)) }, uniquingKeysWith: { first, _ in first })
        add(
            "keyturn_token_ready",
            "1 where consumers have a token in use and nothing about it needs a person, else 0; tokens that were ended are left out.",
            of: tokens
        ) { token in
            let state = statuses[token.name]?.state
            if state == .ended { return nil }
            return state != .stuck && token.currentGeneration?.isLiving == true && token.ending == nil ? 1 : 0
        }
        metrics.add(
            "keyturn_token_state", .gauge, "1 for the state a token is in, as `keyturn status` tells it.",
            tokens.compactMap { token in statuses[token.name].map { (labels(of: token) + [("state", $0.state.rawValue)], 1) } })
        add("keyturn_token_rotation_timestamp_seconds", "When the next rotation begins, as far as it can be told.", of: tokens) {
            statuses[$0.name]?.nextRotation?.timeIntervalSince1970.rounded()
        }
        add("keyturn_token_expiration_timestamp_seconds", "When the generation in use expires; none where it never does.", of: tokens) {
            $0.currentGeneration?.expiresAt?.timeIntervalSince1970.rounded()
        }
        add("keyturn_token_created_timestamp_seconds", "When the generation in use was created.", of: tokens) {
            $0.currentGeneration?.createdAt?.timeIntervalSince1970.rounded()
        }
    }

    private mutating func addRevocations() {
        let waiting = Dictionary(
            grouping: tokens.flatMap { token in
                token.generations.filter { $0.state == .revoking }.map { (gateway: token.gateway, since: $0.releasedAt) }
            }, by: \.gateway)
        metrics.add(
            "keyturn_revocations_pending", .gauge, "Generations that are to be revoked and were not yet seen refused.",
            gateways.map { ([("gateway", $0.text)], Double(waiting[$0]?.count ?? 0)) })
        metrics.add(
            "keyturn_revocation_oldest_timestamp_seconds", .gauge, "Since when the longest waiting of them is to be revoked.",
            gateways.compactMap { name in
                waiting[name]?.compactMap(\.since).min().map { ([("gateway", name.text)], $0.timeIntervalSince1970.rounded()) }
            })
    }

    /// Those of the settings, and those where tokens live all the same.
    private var gateways: [GatewayName] { Set(site.configuration.settings.gateways.keys).union(tokens.map(\.gateway)).sorted() }

    private mutating func addGateways() {
        func isOpen(_ code: Finding.Code, _ name: GatewayName) -> Bool {
            findings.contains { $0.finding.code == code && $0.finding.subject == name.text }
        }
        metrics.add(
            "keyturn_gateway_reachable", .gauge, "0 where the gateway did not list its tokens when it was last asked, else 1.",
            gateways.map { ([("gateway", $0.text)], isOpen(.gatewayUnreachable, $0) ? 0 : 1) })
        metrics.add(
            "keyturn_gateway_admin_token_accepted", .gauge, "0 where the gateway refused the admin token when it was last asked, else 1.",
            gateways.map { ([("gateway", $0.text)], isOpen(.adminTokenRefused, $0) ? 0 : 1) })
        let living = Dictionary(grouping: tokens, by: \.gateway).mapValues { $0.flatMap(\.generations).count(where: \.isLiving) }
        metrics.add(
            "keyturn_account_generations", .gauge,
            "Places of the account that keyturn's own generations take; other people's tokens are not in it.",
            gateways.map { ([("gateway", $0.text)], Double(living[$0] ?? 0)) })
        metrics.add(
            "keyturn_account_capacity", .gauge, "Tokens that the account may hold, as the settings say; none where it is unlimited.",
            gateways.compactMap { name in
                site.configuration.settings.gateways[name]?.capacity.map { ([("gateway", name.text)], Double($0)) }
            })
    }

    private mutating func addFindings() {
        let counts = Dictionary(grouping: findings.map(\.finding)) { [$0.code.rawValue, $0.severity.rawValue] }.mapValues(\.count)
        metrics.add(
            "keyturn_findings", .gauge, "Open findings, by code and severity; a code that nothing is open of has none.",
            counts.sorted { $0.key.lexicographicallyPrecedes($1.key) }
                .map { ([("code", $0.key[0]), ("severity", $0.key[1])], Double($0.value)) })
        metrics.add("keyturn_findings_open", .gauge, "Open findings of all kinds.", Double(findings.count))
    }

    private mutating func addItself(_ tallies: Tallies, _ verifiedAt: Date?, _ pending: Int) {
        metrics.add("keyturn_rotations_open", .gauge, "Rotations under way.", Double(tokens.count { $0.rotation?.isOpen == true }))
        metrics.add(
            "keyturn_rotations_total", .counter, "Rotations that are over since the journal began, by how they ended.",
            tallies.rotations.map { ([("environment", $0.environment), ("outcome", $0.outcome)], Double($0.count)) })
        metrics.add("keyturn_requests_pending", .gauge, "Requests of commands that nobody has taken up yet.", Double(pending))
        metrics.add(
            "keyturn_requests_total", .counter, "Requests of commands that were answered since the journal began.",
            tallies.requests.map { ([("verb", $0.verb), ("outcome", $0.outcome)], Double($0.count)) })
        metrics.add("keyturn_history_rows_total", .counter, "Rows of the history: the newest one's number.", Double(tallies.historyRows))
        metrics.add(
            "keyturn_history_verified_timestamp_seconds", .gauge, "When the whole history was last verified.",
            verifiedAt?.timeIntervalSince1970.rounded())
        metrics.add(
            "keyturn_history_breaks", .gauge, "Places where the last verification found the history not to be what was written.",
            tallies.historyBreaks.map(Double.init))
        metrics.add(
            "keyturn_driven", .gauge, "1 while a process drives, the daemon or a command, else 0.",
            DriverLock.isHeld(House.lockPath(site.configuration.settings)) ? 1 : 0)
        metrics.add(
            "keyturn_policies_readable", .gauge, "0 where a policy was left out because it cannot be read, else 1.", site.isWhole ? 1 : 0)
    }
}
