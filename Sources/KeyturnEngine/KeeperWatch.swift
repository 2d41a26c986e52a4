import Foundation
import KeyturnCore
import Logging

extension Keeper {
    /// Intents that a process left behind when it ended: either their secret was kept, then they go on, or their outcome
    /// will never be known, and they are looked for at the gateway from here on, before anything else is created.
    func takeIntents(_ tokens: inout [Token], _ recorder: Recorder) throws {
        for index in tokens.indices {
            for intent in tokens[index].generations where intent.state == .intended {
                let event: Event
                // What the keyring cannot say now it may say in the next pass: until then the intent stays open.
                do { event = try outcome(of: intent, tokens[index]) } catch { continue }
                try recorder.record([event], of: &tokens[index], under: policies[tokens[index].name])
            }
        }
    }

    private func outcome(of intent: Generation, _ token: Token) throws(KeyringError) -> Event {
        if let secret = try ports.keyring.secret(intent.name, of: token.gateway), token.rotation?.phase == .minting {
            let id = try ports.keyring.id(intent.name, of: token.gateway)
            return .minted(intent.name, id, fingerprint: try ports.keyring.fingerprint(secret))
        }
        try ports.keyring.release(intent.name, of: token.gateway)
        return .lost(intent.name, why: "the process ended before its secret was kept")
    }

    /// Compares journal and one gateway: creates that turned up, ids that were missing, secrets in use that are dead.
    /// `tokens`: those that live there.
    func lookOutside(
        _ tokens: inout [Token], _ facts: inout [TokenName: Facts], _ desk: Desk, _ recorder: Recorder, watches: Bool
    ) async throws -> [Finding] {
        let mine = tokens.indices
        guard watches || tokens.contains(where: wantsListing) else { return [] }
        // Needs nothing of the gateway: what consumers read is put right also while it is ill or refuses the admin token.
        if watches { try putBack(&tokens, recorder) }
        guard case .success(let listing) = await desk.list() else { return [] }
        var findings: [Finding] = []
        for index in mine { try compare(&tokens[index], listing, desk, recorder) }
        for index in mine {
            do throws(KeyringError) {
                if try secretIsGone(tokens[index]) { facts[tokens[index].name, default: Facts()].secretIsGone = true }
            } catch { findings.append(unreadable(tokens[index], error)) }
        }
        if watches { findings += try strangers(at: desk.name, &tokens, in: listing, recorder) }
        if watches { try await tryDelivered(&tokens, listing, desk, recorder) }
        let dead = try await findDead(&tokens, listing, desk, recorder, watches: watches)
        // Many dead at once is more likely an ill gateway than many ill tokens: a person decides.
        guard dead.count <= max(3, mine.count / 10) else { return findings + [manyDead(dead.count, desk.name)] }
        for (token, why) in dead { facts[token, default: Facts()].dead = why }
        return findings
    }

    private func wantsListing(_ token: Token) -> Bool {
        // A secret that was refused is tried again soon, and a refusal counts only beside an answered list.
        isSuspected(token) || token.rotation?.phase == .minting
            || token.generations.contains { $0.state == .abandoned && isRecent($0) || $0.isLiving && $0.keyID == nil }
    }

    /// Was its secret refused when it was last tried?
    private func isSuspected(_ token: Token) -> Bool { isInUse(token) && token.currentGeneration?.refusals != nil }

    /// When a secret that was refused is to be tried again; nil where its refusals are as many as count.
    func nextTrial(of token: Token, at now: Date) -> Date? {
        guard isSuspected(token), let refusals = token.currentGeneration?.refusals, !refusals.areFinal(at: now) else { return nil }
        return now.addingTimeInterval(Refusals.span / 2)
    }

    /// Is there a secret that consumers are to use, and nothing under way that replaces it?
    private func isInUse(_ token: Token) -> Bool {
        token.currentGeneration?.state == .held && token.ending == nil && token.rotation?.isOpen != true && policies[token.name] != nil
    }

    /// A lost create is looked for with every list; for its sake alone lists are asked for only during the first hour.
    private func isRecent(_ generation: Generation) -> Bool { ports.now().wall.timeIntervalSince(generation.intendedAt) < 3600 }

    /// Only a whole keyring's clear no: a record that cannot be read or unsealed is there.
    private func secretIsGone(_ token: Token) throws(KeyringError) -> Bool {
        guard let current = token.currentGeneration, current.state == .held else { return false }
        return try ports.keyring.secret(current.name, of: token.gateway) == nil
    }

    private func compare(_ token: inout Token, _ listing: Listing, _ desk: Desk, _ recorder: Recorder) throws {
        let identification = Identification(keyring: ports.keyring, now: ports.now)
        for generation in token.generations {
            let isOff = desk.clockIsOff != nil
            if let event = identification.event(for: generation, at: token.gateway, in: listing, clockIsOff: isOff) {
                try recorder.record([event], of: &token, under: policies[token.name])
            }
        }
    }

    /// Keys that bear our names and are not ours.
    private func strangers(
        at gateway: GatewayName, _ tokens: inout [Token], in listing: Listing, _ recorder: Recorder
    ) throws -> [Finding] {
        let strangers = Strangers(tokens, policies.values.filter { $0.gateway == gateway })
        let past = try ports.journal.past(of: gateway, names: strangers.unaccounted(in: listing))
        // What we took for revoked, in a bad hour of the gateway, and lives: id and name are those of our own row.
        let positions = Dictionary(tokens.indices.map { (tokens[$0].name, $0) }) { first, _ in first }
        for (name, old) in past.sorted(by: { $0.key < $1.key }) where old.generation.state == .revoked {
            guard let index = positions[old.token], let id = old.generation.keyID, let key = listing.key(id), key.isAlive, key.name == name
            else { continue }
            tokens[index].generations.append(old.generation)
            try recorder.record([.resurfaced(name)], of: &tokens[index], under: policies[tokens[index].name])
        }
        let environments = Dictionary(tokens.map { ($0.name, $0.environment) }) { first, _ in first }
        return strangers.findings(in: listing, past: past, environments: environments)
    }

    /// Tokens whose secret in use is dead: the list shows it ended or gone and it is refused, or it was refused three times
    /// over five minutes. The list has just been answered, so the admin token is accepted and 401 means something.
    private func findDead(
        _ tokens: inout [Token], _ listing: Listing, _ desk: Desk, _ recorder: Recorder, watches: Bool
    ) async throws -> [(TokenName, String)] {
        let suspects = tokens.indices.filter { index in
            guard isInUse(tokens[index]), let current = tokens[index].currentGeneration else { return false }
            return watches || isSuspected(tokens[index]) || isListedDead(current, listing)
        }
        let outcomes = await trials(of: suspects.compactMap { index in tokens[index].current.map { Trial(of: $0, tokens[index]) } }, desk)
        return try dead(among: suspects, by: outcomes, &tokens, listing, recorder)
    }

    /// Takes in what the trials said.
    private func dead(
        among suspects: [Int], by outcomes: [TokenName: ProbeOutcome], _ tokens: inout [Token], _ listing: Listing, _ recorder: Recorder
    ) throws -> [(TokenName, String)] {
        var dead: [(TokenName, String)] = []
        for index in suspects {
            let token = tokens[index]
            guard let current = token.currentGeneration, let outcome = outcomes[token.name] else { continue }
            switch outcome {
            case .accepted:
                var events: [Event] = current.refusals == nil ? [] : [.trialAccepted(current.name)]
                // A gateway's bad hour made it look dead, and what was to replace it came to nothing.
                if token.attempts.failures > 0, isAtRest(token) { events.append(.noLongerDue) }
                if !events.isEmpty { try recorder.record(events, of: &tokens[index], under: policies[token.name]) }
            case .refused where isListedDead(current, listing):
                let isGone = current.keyID.flatMap { listing.key($0) } == nil
                dead.append((token.name, "\(current.name) \(isGone ? "is gone from" : "was ended at") the gateway"))
            case .refused(let why):
                if current.refusals?.areFinal(at: ports.now().wall) != true {
                    try recorder.record([.trialRefused(current.name, why: why)], of: &tokens[index], under: policies[token.name])
                }
                if tokens[index].currentGeneration?.refusals?.areFinal(at: ports.now().wall) == true {
                    dead.append((token.name, "\(current.name) is refused: \(why)"))
                }
            }
        }
        return dead
    }

    /// Does nothing that is known by itself, looks from outside aside, ask for another generation?
    private func isAtRest(_ token: Token) -> Bool {
        guard let policy = policies[token.name], case .rests = Plan.verdict(on: token, under: policy, at: ports.now()) else { return false }
        return true
    }

    /// A new generation lies in targets before all of them have taken it up, which may last: should it die meanwhile, the
    /// old one is put back.
    private func tryDelivered(_ tokens: inout [Token], _ listing: Listing, _ desk: Desk, _ recorder: Recorder) async throws {
        let candidates = tokens.indices.compactMap { index in delivered(by: tokens[index]).map { (index, $0) } }
        let outcomes = await trials(of: candidates.map { Trial(of: $1.name, tokens[$0]) }, desk)
        for (index, generation) in candidates {
            guard let event = doubt(about: generation, tokens[index], outcomes[tokens[index].name], listing) else { continue }
            try recorder.record([event], of: &tokens[index], under: policies[tokens[index].name])
        }
    }

    private func delivered(by token: Token) -> Generation? {
        guard let rotation = token.rotation, rotation.phase == .publishing || rotation.phase == .applying else { return nil }
        return token.generation(rotation.generation)
    }

    /// Nil where nothing speaks against it. Its secret may be out of the keyring, which is as good as dead.
    private func doubt(about generation: Generation, _ token: Token, _ outcome: ProbeOutcome?, _ listing: Listing) -> Event? {
        switch outcome {
        case .accepted: return nil
        case .refused where isListedDead(generation, listing):
            return .refused(generation.name, why: "the gateway does not list it as alive")
        case .refused(let why): return .refusedOnce(generation.name, why: why)
        case nil:
            do throws(KeyringError) {
                let isThere = try ports.keyring.secret(generation.name, of: token.gateway) != nil
                return isThere ? nil : .refused(generation.name, why: "its secret is not in the keyring any more")
            } catch { return nil }
        }
    }

    private func isListedDead(_ generation: Generation, _ listing: Listing) -> Bool {
        guard let id = generation.keyID else { return false }
        return listing.key(id)?.isAlive != true
    }

    /// Whether the gateway accepts one generation's secret is to be tried.
    private struct Trial: Sendable {
        var token: TokenName
        var generation: String

        init(of generation: String, _ token: Token) { (self.token, self.generation) = (token.name, generation) }
    }

    /// Tries secrets, one a token, several at once; what could not be learnt is left out. However many there are and however long
    /// each hangs, the pulse hears of every one.
    private func trials(of trials: [Trial], _ desk: Desk) async -> [TokenName: ProbeOutcome] {
        let width = max(1, settings.gateways[desk.name]?.concurrent ?? 1)
        return await withTaskGroup(of: (TokenName, ProbeOutcome?).self) { group in
            var outcomes: [TokenName: ProbeOutcome] = [:]
            for (position, trial) in trials.enumerated() {
                if position >= width, let (name, outcome) = await group.next() { outcomes[name] = outcome }
                group.addTask { (trial.token, await outcome(of: trial, desk)) }
            }
            for await (name, outcome) in group { outcomes[name] = outcome }
            return outcomes
        }
    }

    private func outcome(of trial: Trial, _ desk: Desk) async -> ProbeOutcome? {
        guard let secret = try? ports.keyring.secret(trial.generation, of: desk.name) else { return nil }
        return try? await desk.probe(secret)
    }

    /// One token's record is unreadable: that is its trouble, and nobody else's.
    func unreadable(_ token: Token, _ error: KeyringError) -> Finding {
        Finding(
            code: .secretUnreadable, severity: .error, token: token.name, environment: token.environment,
            sentence: "the keyring does not give a secret of \(token.name): \(error); it is neither used nor replaced",
            help: "restore the file from a backup, or remove it and the token is replaced"
        )
    }

    private func manyDead(_ count: Int, _ gateway: GatewayName) -> Finding {
        Finding(
            code: .manyDead, severity: .error, subject: gateway.text,
            sentence: "\(count) tokens at \(gateway) seem dead at once; none is replaced by itself",
            help: "look at the gateway, then `keyturn rotate TOKEN` for those that are really dead"
        )
    }

    /// Records of generations that were seen refused, left by a process that died before it wiped them.
    ///
    /// What the journal does not know at all, as after a restore of an older one, is told and left: it may be alive.
    func wipeLeftovers(_ tokens: [Token]) throws -> [Finding] {
        var findings: [Finding] = []
        for gateway in ports.gateways.keys.sorted() {
            let living = Set(
                tokens.filter { $0.gateway == gateway }.flatMap { token in
                    token.generations.filter { $0.state != .revoked }.map(\.name)
                        + token.targets.compactMap(\.generation).filter(token.isToRemove)
                })
            do {
                let others = try ports.keyring.names(of: gateway).subtracting(living)
                let states = others.isEmpty ? [:] : try ports.journal.states(of: gateway, names: others)
                for name in others.sorted() where states[name] == .revoked { try ports.keyring.wipe(name, of: gateway) }
                for name in others.sorted() where states[name] == nil { findings.append(stray(name, gateway)) }
            } catch let error as KeyringError {
                // Housekeeping: what is left is of no use to anybody, and the next pass tries again.
                log.warning("\(error)")
            }
        }
        return findings
    }

    private func stray(_ name: String, _ gateway: GatewayName) -> Finding {
        Finding(
            code: .strayRecord, severity: .error, subject: "\(gateway) \(name)",
            sentence: "the keyring holds \(name) of \(gateway), which the journal does not know: it may be alive, and nobody rotates it",
            help: "revoke it in the gateway's console if nobody needs it, then remove its file from the keyring"
        )
    }

    /// A target that somebody has changed is delivered again: what consumers read is to be a token that works.
    func putBack(_ tokens: inout [Token], _ recorder: Recorder) throws {
        for index in tokens.indices {
            // While a rotation waits for its consumers as well: one that is told of what somebody else wrote never confirms.
            guard let policy = policies[tokens[index].name], let desired = tokens[index].desired,
                let secret = try? ports.keyring.secret(desired, of: tokens[index].gateway)
            else { continue }
            for target in policy.targets where tokens[index].target(target.id).generation == desired {
                let delivery = ports.delivery(target, policy)
                var holds = false
                do throws(DeliveryError) { holds = try delivery.holds(secret) } catch { holds = false }
                if !holds { try recorder.record([.drifted(target.id)], of: &tokens[index], under: policy) }
            }
        }
    }
}
