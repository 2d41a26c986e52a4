import Foundation
import KeyturnCore

/// Judges the state that a pass leaves behind: which findings hold now.
struct Watcher: Sendable {
    let policies: [TokenName: TokenPolicy]
    let isWhole: Bool
    let now: Moment

    func findings(tokens: [Token], verdicts: [TokenName: Verdict], desks: [GatewayName: Desk]) -> [Finding] {
        var findings: [Finding] = []
        for token in tokens { findings += self.findings(about: token, verdicts[token.name], desks[token.gateway]) }
        for desk in desks.values { findings += self.findings(about: desk) }
        return findings + missing(tokens, desks)
    }

    /// Gateways that the settings no longer name, with what lives there, or is asked for and has to leave there first.
    private func missing(_ tokens: [Token], _ desks: [GatewayName: Desk]) -> [Finding] {
        let stranded = tokens.filter { token in
            desks[token.gateway] == nil && (policies[token.name] != nil || token.generations.contains(where: \.isLiving))
        }
        return Dictionary(grouping: stranded, by: \.gateway).sorted { $0.key < $1.key }.map { gateway, tokens in
            let (count, verb) = tokens.count == 1 ? ("1 token", "lives") : ("\(tokens.count) tokens", "live")
            return Finding(
                code: .gatewayMissing, severity: .error, subject: gateway.text,
                sentence:
                    "\(count) \(verb) at \(gateway), which keyturn.yaml no longer names; nothing of them is rotated or revoked",
                help: "bring it back to keyturn.yaml; if it is gone for good, revoke them in the gateway's console"
            )
        }
    }

    /// Could this pass have seen that the finding is over? What depends on a gateway's list is left alone while there was
    /// none, and what only trials tell while there were none (`watched`: where every secret in use was tried).
    /// `lookedAround`: at what lies around the targets.
    func judges(
        _ finding: Finding, of tokens: [TokenName: Token], with desks: [GatewayName: Desk], watched: Set<GatewayName>, lookedAround: Bool
    ) -> Bool {
        func listing(_ gateway: GatewayName?) -> Listing? { gateway.flatMap { try? desks[$0]?.answer?.get() } }
        func hasList(_ gateway: GatewayName?) -> Bool { listing(gateway) != nil }
        let token = finding.token.flatMap { tokens[$0] }
        let subject = GatewayName(finding.subject)
        // What is told of a token depends on its policy, and that may be one that could not be read.
        if !isWhole, let token = finding.token, policies[token] == nil { return false }
        return switch finding.code {
        case .tokenStuck, .overlapTooLong, .leftPolicies, .gatewayChanged, .keyringUnknown, .strayRecord, .leakOpen: true
        case .manyRemoved: isWhole
        case .exposedTarget, .strayCopy: lookedAround
        case .gatewayMissing: isWhole || desks[subject] != nil
        // It is the service that reads them again.
        case .reloadRefused: false
        // It stays until a person has accepted it.
        case .historyBroken: false
        // The post knows.
        case .courierFailing: false
        case .expiryAhead, .rotationAhead: true
        // By what was read, which the keeper knows.
        case .usageUnreadable, .budgetCrossed, .budgetSpent, .budgetForecast: false
        // A gateway that left the settings is nobody's trouble any more.
        case .adminTokenRefused, .clockOff: desks[subject] == nil || hasList(subject)
        case .gatewayUnreachable: desks[subject] == nil || desks[subject]?.answer != nil
        case .manyDead: desks[subject] == nil || watched.contains(subject)
        case .unknownKey, .leftTarget, .secretUnreadable: token.map { watched.contains($0.gateway) } ?? true
        case .ambiguousKey, .revocationLate: token.map { hasList($0.gateway) } ?? true
        // A list that is older than the generation in use says nothing of it: the next one will.
        case .attributesUnconfirmed, .attributesDiffer:
            token.map { token in
                guard let listing = listing(token.gateway) else { return false }
                guard let current = token.currentGeneration, current.state == .held else { return true }
                return current.keyID.flatMap(listing.key) != nil
            } ?? true
        }
    }

    private func findings(about token: Token, _ verdict: Verdict?, _ desk: Desk?) -> [Finding] {
        let policy = policies[token.name]
        var findings: [Finding] = []
        func add(_ code: Finding.Code, _ severity: Severity, _ subject: String = "", _ sentence: String, _ help: String) {
            findings.append(
                Finding(
                    code: code, severity: severity, token: token.name, environment: token.environment, subject: subject, sentence: sentence,
                    help: help)
            )
        }
        if let stuck = TokenStatus(of: token, under: policy, verdict: verdict, at: now).stuck {
            // For an ended token `rotate` would begin it anew.
            let verb = token.ending == nil && token.rotation?.isOpen == true ? "rotate" : token.ending == nil ? nil : "revoke"
            let help =
                verb.map { "mend that, then `keyturn \($0) \(token.name)` to go on at once" } ?? "mend that; it is tried again by itself"
            add(.tokenStuck, .error, "", "\(token.name) is stuck: \(stuck)", help)
        }
        if policy == nil, isWhole, token.ending == nil, token.generations.contains(where: \.isLiving) {
            let due = desk == nil ? nil : token.removalDue
            let fate = due.map { "is revoked after \($0.formatted(.iso8601))" } ?? "stays alive"
            add(
                .leftPolicies, .warning, "", "\(token.name) has left the policies; \(token.current ?? "its generation") \(fate)",
                "`keyturn revoke \(token.name)` ends it; a policy that names it takes it up again"
            )
        }
        if let policy, policy.gateway != token.gateway {
            add(
                .gatewayChanged, .warning, "",
                "\(token.name) is asked for at \(policy.gateway) and lives at \(token.gateway), "
                    + (desk == nil ? "which keyturn.yaml no longer names: it is not rotated" : "where it goes on being rotated"),
                (desk == nil ? "bring \(token.gateway) back to keyturn.yaml; " : "")
                    + "to move it: `keyturn revoke \(token.name)`, then `keyturn rotate \(token.name)`; its consumers are without a token in between"
            )
        }
        if let policy { findings += ahead(of: token, policy) }
        for generation in token.generations {
            if generation.state == .retiring, !generation.isLeaked, let retirement = generation.retirement, now.wall >= retirement.askAt {
                // Nothing lacks but the last look at the gateway, which is told of where it cannot be had.
                let lack = Lack(of: generation, of: token, under: policy, at: now)
                let age = policy?.overlap.atMost.description ?? Age.text(retirement.askAt.timeIntervalSince(retirement.since))
                add(
                    .overlapTooLong, .error, generation.name,
                    "\(generation.name) is not revoked \(age) after it was replaced: \(lack?.sentence ?? "the gateway is to be asked")",
                    lack?.help(token.name, generation) ?? "do nothing, and it is revoked by itself"
                )
            }
            if isLate(generation, desk), let since = generation.releasedAt {
                add(
                    .revocationLate, .error, generation.name,
                    "\(generation.name) is to be revoked since \(since.formatted(.iso8601)) and may still be alive"
                        + (generation.attempts.lastError.map { ": \($0)" } ?? ""),
                    "mend what holds it up (see `keyturn status \(token.name)`), or revoke it in the gateway's console"
                )
            }
            if case .success(let listing)? = desk?.answer { findings += self.findings(about: generation, of: token, policy, listing) }
        }
        return findings
    }

    /// What its policy wants to be told of ahead of time; over without a word once it has happened.
    private func ahead(of token: Token, _ policy: TokenPolicy) -> [Finding] {
        guard !policy.notifyBefore.isEmpty, token.ending == nil, token.rotation?.isOpen != true, let current = token.currentGeneration,
            current.state == .held
        else { return [] }
        return Foretelling.all(of: current, under: policy, at: now.wall).map { told in
            let date = told.at.formatted(.iso8601)
            let (code, sentence, help): (Finding.Code, String, String) =
                switch told.event {
                case .expiry:
                    (
                        .expiryAhead, "\(token.name) expires on \(date) and is not replaced before (\(current.name))",
                        "`keyturn rotate \(token.name)` replaces it where its policy lets it live longer; else its consumers end with it"
                    )
                case .rotation:
                    (
                        .rotationAhead, "\(token.name) is rotated on \(date) or soon after (\(current.name))",
                        "nothing, unless its consumers need care; `keyturn rotate \(token.name)` does it now"
                    )
                }
            return Finding(
                code: code, severity: .info, token: token.name, environment: token.environment, subject: "\(current.name) \(told.before)",
                sentence: sentence, help: help)
        }
    }

    /// Has its revocation taken longer than any gateway's cache keeps a dead key alive? A gateway in trouble is told of as such,
    /// and for a day that is enough.
    private func isLate(_ generation: Generation, _ desk: Desk?) -> Bool {
        guard generation.state == .revoking, let since = generation.releasedAt else { return false }
        let hasList = if case .success? = desk?.answer { true } else { false }
        return now.wall.timeIntervalSince(since) > (hasList ? 3600 : 86400)
    }

    private func findings(about generation: Generation, of token: Token, _ policy: TokenPolicy?, _ listing: Listing) -> [Finding] {
        if [.abandoned, .unmade].contains(generation.state) || (generation.isLiving && generation.keyID == nil) {
            switch listing.sighting(of: generation, at: now.wall) {
            case .none: return []
            // The only one that fits is ours, and is dealt with; but where the gateway said no, there should be none.
            case .alone, .proven: if generation.state != .unmade { return [] }
            case .unclear: break
            }
            let ids = listing.newcomers(for: generation).filter(\.isAlive).map { $0.id?.text ?? "no id" }.prefix(5).joined(separator: ", ")
            return [
                Finding(
                    code: .ambiguousKey, severity: .error, token: token.name, environment: token.environment, subject: generation.name,
                    sentence: "a key that bears the name \(generation.name) (\(ids)) may be ours or somebody else's; it is not touched",
                    help: "find out who uses it; if nobody does, revoke it in the gateway's console, else give it another name there"
                )
            ]
        }
        guard generation.state == .held, generation.name == token.current, let policy, let id = generation.keyID, let key = listing.key(id)
        else { return [] }
        return findings(about: generation, as: key, of: token, policy)
    }

    /// Of the generation in use: what its gateway does not show of what was asked for, and what it shows otherwise.
    private func findings(about generation: Generation, as key: ListedKey, of token: Token, _ policy: TokenPolicy) -> [Finding] {
        var findings: [Finding] = []
        func add(_ code: Finding.Code, _ names: [String], _ sentence: String, _ help: String) {
            guard !names.isEmpty else { return }
            findings.append(
                Finding(
                    code: code, severity: .warning, token: token.name, environment: token.environment,
                    subject: names.joined(separator: ","), sentence: sentence, help: help)
            )
        }
        let silent = policy.attributes.unconfirmed(by: key.shown)
        add(
            .attributesUnconfirmed, silent, "the gateway does not confirm \(silent.joined(separator: ", ")) of \(generation.name)",
            "set it in the gateway's console")
        let differences = generation.differences(from: key, asked: policy.attributes)
        let told = differences.map { "\($0.attribute) \($0.shown) (asked: \($0.asked))" }.joined(separator: "; ")
        add(
            .attributesDiffer, differences.map(\.attribute),
            "the gateway shows \(generation.name) otherwise than it was asked for: \(told)",
            key.name == generation.name
                ? "set it right in the gateway's console or in the policy, or `keyturn rotate \(token.name)` replaces it"
                : "give it its name back in the gateway's console: nothing is revoked that bears another one"
        )
        return findings
    }

    static func findings(aboutRemoved tokens: [TokenName]) -> [Finding] {
        guard !tokens.isEmpty else { return [] }
        let shown = tokens.prefix(5).map(\.text).joined(separator: ", ") + (tokens.count > 5 ? " and \(tokens.count - 5) more" : "")
        return [
            Finding(
                code: .manyRemoved, severity: .error,
                sentence: "\(tokens.count) tokens have left the policies at once (\(shown)); none of them is revoked by itself",
                help: "bring the policies back; for those that are really to end: `keyturn revoke TOKEN`"
            )
        ]
    }

    private func findings(about desk: Desk) -> [Finding] {
        var findings: [Finding] = []
        func add(_ code: Finding.Code, _ severity: Severity, _ sentence: String, _ help: String) {
            findings.append(Finding(code: code, severity: severity, subject: desk.name.text, sentence: sentence, help: help))
        }
        if let why = desk.clockIsOff {
            add(.clockOff, .error, why, "set the clock of this host (timedatectl), or tell the gateway's people")
        }
        if case .failure(let error)? = desk.answer {
            switch error {
            case .adminRefused(let why):
                add(
                    .adminTokenRefused, .error, "gateway \(desk.name) refuses the admin token: \(why); nothing is created or revoked there",
                    "put a valid one where the settings say and reload keyturn"
                )
            case .unreachable, .inconclusive, .rejected:
                add(
                    .gatewayUnreachable, .warning, "gateway \(desk.name) does not list its tokens: \(error)",
                    "it is tried again; see its url in keyturn.yaml")
            }
        }
        return findings
    }
}
