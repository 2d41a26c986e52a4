package import Foundation
package import KeyturnCore
package import Logging

/// One look at everything: decides what is due, drives every token as far as it goes now, and says when to look again.
///
/// A pass is a function of the moment. The daemon repeats it, `--once` and a command without a daemon make one of it,
/// and a test makes as many as it likes.
package struct Keeper: Sendable {
    let ports: Ports
    let policies: [TokenName: TokenPolicy]
    /// False where some policies could not be read: then a token that none names has not left them for sure.
    let isWhole: Bool
    let settings: Settings
    /// Of environments, by their names; those of tokens stand in their policies.
    let budgets: [String: BudgetPolicy]
    let basis: Basis
    let log: Logger
    let pulse: Pulse
    private let unrecorded = Unrecorded()
    let isStopping: @Sendable () -> Bool

    package init(
        ports: Ports, policies: [TokenPolicy], isWhole: Bool = true, settings: Settings, budgets: [String: BudgetPolicy] = [:], log: Logger,
        pulse: Pulse? = nil,
        isStopping: @escaping @Sendable () -> Bool = { false }
    ) {
        self.ports = ports
        self.policies = Dictionary(policies.map { ($0.name, $0) }) { first, _ in first }
        self.isWhole = isWhole
        self.settings = settings
        self.budgets = budgets
        basis = Basis(policies, settings.gateways)
        self.log = log
        self.pulse = pulse ?? Pulse(now: ports.now)
        self.isStopping = isStopping
    }

    /// What a pass has to say about the world it leaves behind.
    package struct Outlook: Sendable, Equatable {
        /// Every token that a policy asks for or the journal knows, as it stands now.
        package var tokens: [Token]
        package var verdicts: [TokenName: Verdict]
        /// Nil: nothing until something changes.
        package var nextLook: Date?
        /// Gateways whose list could not be had in this pass.
        package var troubles: [GatewayName: GatewayError]
        package var findings: [Finding]
    }

    /// `watches`: also compare with the gateway's list and try every secret in use, which is due at start and every `watch.every`.
    /// `only`: drive these and no others, for a command that was asked for them.
    package func pass(watches: Bool, only: Set<TokenName>? = nil) async throws -> Outlook {
        var tokens = try loadTokens()
        try post.enlist()
        if let finding = keyringFinding() {
            try tell([finding], judged: { $0.code == .keyringUnknown })
            return Outlook(
                tokens: tokens.sorted { $0.name < $1.name }, verdicts: [:], nextLook: ports.now().wall.addingTimeInterval(60),
                troubles: [:],
                findings: [finding]
            )
        }
        let recorder = Recorder(journal: ports.journal, basis: basis, now: ports.now, log: log)
        let desks = Dictionary(
            uniqueKeysWithValues: ports.gateways.map { name, gateway in
                let settings = settings.gateways[name]
                return (
                    name,
                    Desk(
                        name, gateway, capacity: settings?.capacity, timeout: settings?.timeout ?? .seconds(30),
                        book: UsageBook(
                            journal: ports.journal, calendar: DayCalendar(zone: self.settings.watchZone),
                            currency: settings?.currency ?? "USD"), now: ports.now, pulse: pulse)
                )
            }
        )
        try heedChanges(&tokens, recorder)
        try followPolicies(&tokens, only, recorder)
        try takeIntents(&tokens, recorder)
        let facts = try await takeRequests(&tokens, desks, recorder)
        let stray = try wipeLeftovers(tokens)
        let removed = judgeRemoved(tokens)
        let asks = Set(removed.asks)
        for index in tokens.indices where asks.contains(tokens[index].name) && tokens[index].whenRemoved != .undecided {
            tokens[index].whenRemoved = .undecided
            try ports.journal.record(tokens[index], [])
        }
        let round = Round(watches: watches, only: only, facts: facts, removed: removed.verdicts, recorder: recorder)
        let (verdicts, blocked, met, usage) = try await goRound(&tokens, desks, round)
        let budgets = watches ? try watchBudgets(tokens, desks) : BudgetRound()
        if watches { _ = try ports.journal.thin(ReadingRetention(), at: ports.now().wall, limit: 1000 + 4 * tokens.count) }

        // After all was driven: what lies there may just have ended.
        let left = watches ? try lookAtLeftTargets(&tokens, recorder) + lookAround() : []
        let undecided = judgeRemoved(tokens)
        let after = judge(tokens, [:]).merging(undecided.verdicts) { first, _ in first }
        let troubles = desks.compactMapValues { desk in if case .failure(let error) = desk.answer { error } else { nil } }
        let watcher = Watcher(policies: policies, isWhole: isWhole, now: ports.now())
        let leaks = try followIncidents(tokens, recorder)
        let findings =
            stray + left + met + leaks + usage.findings + budgets.findings + Watcher.findings(aboutRemoved: undecided.asks)
            + watcher.findings(tokens: tokens, verdicts: after, desks: desks)
        let byName = Dictionary(tokens.map { ($0.name, $0) }) { first, _ in first }
        let watched = watches ? Set(desks.keys).subtracting(troubles.keys) : []
        try tell(
            findings,
            judged: { finding in
                if finding.code == .usageUnreadable { return finding.token.map { usage.judged.contains($0) || byName[$0] == nil } ?? true }
                if finding.budgetPeriod != nil { return budgets.watch?.judges(finding, wanted: budgets.findings) ?? false }
                return watcher.judges(finding, of: byName, with: desks, watched: watched, lookedAround: watches)
            })
        noteHistoryHead()
        let look = nextLook(tokens.filter { only?.contains($0.name) ?? true }, verdicts, after, troubles, blocked)
        return Outlook(
            tokens: tokens.sorted { $0.name < $1.name }, verdicts: after,
            // Requests of its own are taken up at once.
            nextLook: budgets.asked ? ports.now().wall : look, troubles: troubles,
            findings: findings
        )
    }

    /// The journal's tokens, and a blank one for each that only a policy knows.
    private func loadTokens() throws -> [Token] {
        var tokens = try ports.journal.ledger()
        for index in tokens.indices {
            // A token of which nothing lives may begin anew at another gateway.
            guard let gateway = policies[tokens[index].name]?.gateway, tokens[index].rotation?.isOpen != true else { continue }
            guard tokens[index].gateway != gateway, tokens[index].generations.allSatisfy({ $0.state == .unmade }) else { continue }
            (tokens[index].gateway, tokens[index].generations) = (gateway, [])
        }
        let known = Set(tokens.map(\.name))
        for policy in policies.values.sorted(by: { $0.name < $1.name }) where !known.contains(policy.name) {
            tokens.append(Token(name: policy.name, environment: policy.environment, gateway: policy.gateway))
        }
        return tokens
    }

    /// Writes down which tokens have left the policies, and what these last said of that.
    private func followPolicies(_ tokens: inout [Token], _ only: Set<TokenName>?, _ recorder: Recorder) throws {
        for index in tokens.indices where only?.contains(tokens[index].name) ?? true {
            let policy = policies[tokens[index].name]
            guard let policy else {
                let lives = isWhole && tokens[index].ending == nil && tokens[index].generations.contains(where: \.isLiving)
                if lives, tokens[index].leftAt == nil { try recorder.record([.left], of: &tokens[index], under: nil) }
                continue
            }
            if tokens[index].leftAt != nil { try recorder.record([.returned], of: &tokens[index], under: policy) }
            try followTargets(of: &tokens[index], under: policy, recorder)
            guard tokens[index].whenRemoved != policy.whenRemoved else { continue }
            tokens[index].whenRemoved = policy.whenRemoved
            // A token that is only about to be is written with its first step.
            if tokens[index].serial > 0 { try ports.journal.record(tokens[index], []) }
        }
    }

    /// What failed under another policy, or under other settings of its gateway, is tried again at once.
    private func heedChanges(_ tokens: inout [Token], _ recorder: Recorder) throws {
        for index in tokens.indices where tokens[index].isBackingOff {
            let policy = policies[tokens[index].name]
            guard policy != nil || isWhole, let basis = tokens[index].basis,
                basis != self.basis.digest(of: tokens[index], under: policy)
            else { continue }
            try recorder.record([.rebased], of: &tokens[index], under: policy)
        }
    }

    private func keyringFinding() -> Finding? {
        do throws(KeyringError) { try ports.keyring.check() } catch {
            return Finding(
                code: .keyringUnknown, severity: .error, sentence: "\(error); nothing is created or revoked while the keyring is unknown",
                help: "restore it from a backup, together with the journal that it belongs to"
            )
        }
        return historyKeyFinding()
    }

    // MARK: Deciding

    func judge(_ tokens: [Token], _ facts: [TokenName: Facts]) -> [TokenName: Verdict] {
        let now = ports.now()
        var verdicts: [TokenName: Verdict] = [:]
        for token in tokens {
            guard let policy = policies[token.name] else { continue }
            verdicts[token.name] = Plan.verdict(on: token, under: policy, facts: facts[token.name] ?? Facts(), at: now)
        }
        return verdicts
    }

    /// Only of tokens that have left the policies for sure.
    private func judgeRemoved(_ tokens: [Token]) -> (verdicts: [TokenName: Verdict], asks: [TokenName]) {
        let living = tokens.count { $0.generations.contains(where: \.isLiving) }
        return isWhole ? Plan.verdicts(onRemoved: tokens, outOf: living, at: ports.now()) : ([:], [])
    }

    /// When something may be due again. What cannot go on for want of a gateway is not in it: whoever repeats the pass
    /// knows how often it has failed.
    private func nextLook(
        _ tokens: [Token], _ before: [TokenName: Verdict], _ verdicts: [TokenName: Verdict], _ troubles: [GatewayName: GatewayError],
        _ blocked: Set<TokenName>
    ) -> Date? {
        let now = ports.now()
        var looks: [Date] = []
        // Of a gateway that the settings do not name nothing falls due until they do, which is a reload.
        for token in tokens where ports.gateways[token.gateway] != nil {
            switch token.step(for: policies[token.name], at: now) {
            case .wait(let until?): looks.append(until)
            case .wait(nil): break
            // It fell due while others were driven; or it cannot go on, which is no reason to spin.
            default: if troubles[token.gateway] == nil { looks.append(now.wall.addingTimeInterval(blocked.contains(token.name) ? 60 : 0)) }
            }
            switch verdicts[token.name] {
            case .waits(let until?, _), .rests(let until?, _): looks.append(until)
            case .start:
                if troubles[token.gateway] == nil { looks.append(now.wall.addingTimeInterval(blocked.contains(token.name) ? 60 : 1)) }
            // Only a wrong clock holds it back.
            case .end: if troubles[token.gateway] == nil { looks.append(now.wall.addingTimeInterval(60)) }
            case .waits, .rests, .underWay, nil: break
            }
            // What this pass found out from outside (a dead secret, a lost one) waits for its turn, too.
            if case .waits(let until?, _) = before[token.name], until > now.wall { looks.append(until) }
            if let trial = nextTrial(of: token, at: now.wall) { looks.append(trial) }
        }
        return looks.min()
    }

    // MARK: Telling

    /// What came of reading settings and policies, at a start or a reload: a refusal is a finding until they are good.
    package func tell(refusedReload refusal: (any Error)?) throws {
        let lines = refusal.map { "\($0)".split(separator: "\n") } ?? []
        let more = lines.count > 1 ? " (and \(lines.count - 1) more)" : ""
        let findings = lines.first.map { line in
            Finding(
                code: .reloadRefused, severity: .error,
                sentence: "a reload was refused, and older settings and policies are in force: \(line)\(more)",
                help: "`keyturn check` shows every error; mend them, then reload keyturn"
            )
        }
        try tell([findings].compactMap(\.self), judged: { $0.code == .reloadRefused })
    }

    func tell(_ findings: [Finding], judged: @escaping @Sendable (Finding) -> Bool) throws {
        try Teller(journal: ports.journal, now: ports.now, log: log).tell(findings, judged: judged)
    }

    /// Carries what is told to people.
    package var post: Post {
        Post(couriers: ports.couriers, journal: ports.journal, now: ports.now, log: log, unrecorded: unrecorded, isStopping: isStopping)
    }
}

extension Severity {
    var level: Logger.Level {
        switch self {
        case .info: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}

extension Finding {
    package var fields: Logger.Metadata {
        var fields: Logger.Metadata = [LogKeys.code: "\(code.rawValue)"]
        if let token { fields[LogKeys.token] = "\(token)" }
        if let environment { fields[LogKeys.environment] = "\(environment)" }
        return fields
    }
}
