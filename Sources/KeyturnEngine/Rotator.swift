import Foundation
import KeyturnCore

/// Drives one token as far as it goes now: record → step → perform → advance → record, until it has to wait.
///
/// Starting and recovering are the same loop: what a dead process left behind is just another state.
struct Rotator: Sendable {
    let ports: Ports
    let recorder: Recorder
    let desk: Desk
    let policy: TokenPolicy?
    /// Told when a step begins, with the longest it may take, and when it ends.
    let pulse: Pulse
    let isStopping: @Sendable () -> Bool

    /// How far a token got: as the journal now has it, what waits for a list, and whether something that is due could not be had.
    struct Progress: Sendable {
        var token: Token
        var parked: [Parked] = []
        var unavailable: [Step] = []
        var isBlocked: Bool { !unavailable.isEmpty }
    }

    /// What waits for a list does not hold up the rest. Given back what it returned, and the answer to a list that was asked for
    /// since, it goes on.
    func drive(_ before: Progress, with answer: Result<Listing, GatewayError>? = nil) async throws -> Progress {
        var progress = Progress(token: before.token, unavailable: before.unavailable)
        if let answer {
            for parked in before.parked where !isStopping() {
                guard let finish = parked.finish else { continue }
                let token = progress.token
                let outcome = try await pulse.during(limit: desk.patience) { () async throws -> Outcome in
                    .happened(try await finish(answer, token))
                }
                if Task.isCancelled { return progress }
                try takeIn(outcome, of: parked.step, &progress)
            }
        }
        while !isStopping() {
            let now = ports.now()
            progress.token = try save(holdsOf: progress.token, at: now)
            let step = progress.token.step(for: policy, at: now, except: progress.unavailable + progress.parked.compactMap(\.step))
            if case .wait = step { break }
            var token = progress.token
            let outcome = try await pulse.during(limit: limit(of: step)) { () async throws -> Outcome in
                if case .mint = step { return try await mint(&token) }
                return try await perform(step, token)
            }
            progress.token = token
            // Cut short by our own end: no failure of anybody's, and every step but a create may simply be done again.
            if Task.isCancelled, step != .mint { break }
            try takeIn(outcome, of: step, &progress)
        }
        return progress
    }

    /// Not inlined, for the reason that `Recorder.record` is not.
    @inline(never)
    private func takeIn(_ outcome: Outcome, of step: Step?, _ progress: inout Progress) throws {
        switch outcome {
        case .awaitsList(let finish): progress.parked.append(Parked(step: step, finish: finish))
        // Nothing happened: what it needs is not to be had in this pass. What does not need it goes on.
        case .happened(let events) where events.isEmpty:
            if let step { progress.unavailable.append(step) }
        case .happened(let events):
            try recorder.record(events, of: &progress.token, under: policy, step: step)
            for case .seenRefused(let name) in events where !progress.token.isToRemove(name) {
                try ports.keyring.wipe(name, of: progress.token.gateway)
            }
            for case .minted(let name, nil, _) in events { progress.parked.append(Parked(step: nil, finish: identification(of: name))) }
        }
    }

    private func perform(_ step: Step, _ token: Token) async throws -> Outcome {
        switch step {
        case .mint, .wait: return []
        case .verify(let name): return try await verify(name, token)
        case .recheck(let name): return try await recheck(name, token)
        case .tryOld(let name): return try await tryOld(name, token)
        case .publish(let target, let name): return .happened(try publish(target, name, token))
        case .take(let target, let name): return .happened(await take(target, name, token))
        case .confirm(let target, let name): return .happened(await confirm(target, name, token))
        case .read(let name): return try await read(name, token)
        case .release(let name): return try await release(name, token)
        case .revoke(let name): return await revoke(name, token)
        case .seeRefused(let name): return await seeRefused(name, token)
        case .remove(let target): return .happened(try remove(target, token))
        }
    }

    /// Writes down how much of each overlap has passed, so that a reboot does not start it anew.
    private func save(holdsOf token: Token, at now: Moment) throws -> Token {
        var token = token
        var changed = false
        for index in token.generations.indices where token.generations[index].state == .retiring {
            guard var retirement = token.generations[index].retirement else { continue }
            if retirement.overlap.wantsSaving(at: now) {
                retirement.overlap = retirement.overlap.saved(at: now)
                changed = true
            }
            if let quiet = retirement.quiet, quiet.wantsSaving(at: now) {
                retirement.quiet = quiet.saved(at: now)
                changed = true
            }
            token.generations[index].retirement = retirement
        }
        if changed { try ports.journal.record(token, []) }
        return token
    }

    /// The longest a step may take before the watchdog may think that it hangs.
    private func limit(of step: Step) -> TimeSpan {
        switch step {
        case .take(let id, _): command(of: id) { if case .run(let command)? = $0.then { command } else { nil } }
        case .confirm(let id, _): command(of: id, \.confirm)
        default: desk.patience
        }
    }

    private func command(of id: TargetID, _ command: (TargetPolicy) -> Command?) -> TimeSpan {
        let timeout = policy?.targets.first { $0.id == id }.flatMap(command)?.timeout ?? .zero
        return TimeSpan(months: timeout.months, milliseconds: timeout.milliseconds + 60_000)
    }

    // MARK: Verifying

    private func verify(_ name: String, _ token: Token) async throws -> Outcome {
        guard let secret = try ports.keyring.secret(name, of: token.gateway) else {
            return [.refused(name, why: "its secret is not in the keyring")]
        }
        do throws(GatewayError) {
            switch try await desk.gateway.probe(secret) {
            case .refused(let why): return refusal(of: name, why)
            case .accepted(let models):
                guard let missing = try await modelsLacking(models, token) else { return [.accepted(name)] }
                return [.refused(name, why: "it lacks \(missing), which the policy allows and the old secret has")]
            }
        } catch { return [.heldBack(why: "\(name) could not be tried: \(error)", needsPerson: false, retryAfter: error.retryAfter)] }
    }

    /// Models that the policy allows, the secret in use has and the new one lacks; nil where nothing lacks or nothing
    /// living is there to compare with.
    private func modelsLacking(_ models: Set<String>, _ token: Token) async throws(GatewayError) -> String? {
        guard let current = token.currentGeneration, current.state == .held, let policy,
            let old = try? ports.keyring.secret(current.name, of: token.gateway)
        else { return nil }
        guard case .accepted(let oldModels) = try await desk.gateway.probe(old) else { return nil }
        let missing = oldModels.filter(policy.attributes.models.allow).subtracting(models).sorted()
        return missing.isEmpty ? nil : missing.prefix(5).joined(separator: ", ")
    }

    /// A refusal of the new secret counts only while the gateway accepts the admin token: one that answers 401 to
    /// everybody says nothing about anybody.
    private func refusal(of name: String, _ why: String) -> Outcome {
        if desk.refusesAdmin { return [] }
        return .awaitsList { answer, _ in
            if case .failure = answer { return [] }
            return [.refusedOnce(name, why: why)]
        }
    }

    private func recheck(_ name: String, _ token: Token) async throws -> Outcome {
        guard let secret = try ports.keyring.secret(name, of: token.gateway) else {
            return [.refused(name, why: "its secret is not in the keyring any more")]
        }
        do throws(GatewayError) {
            switch try await desk.gateway.probe(secret) {
            case .accepted: return [.accepted(name)]
            case .refused(let why): return refusal(of: name, why)
            }
        } catch {
            return [.heldBack(why: "\(name) could not be tried once more: \(error)", needsPerson: false, retryAfter: error.retryAfter)]
        }
    }

    private func tryOld(_ name: String, _ token: Token) async throws -> Outcome {
        guard let secret = try ports.keyring.secret(name, of: token.gateway) else { return [.oldRefused(name)] }
        do throws(GatewayError) {
            guard case .refused(let why) = try await desk.gateway.probe(secret) else { return [.oldAccepted(name)] }
            // One refusal may be the gateway's bad hour; its list has to agree, or as many refusals as count, for the new
            // generation ends with this.
            return .awaitsList { [now = ports.now, identification] answer, token in
                guard case .success(let listing) = answer else { return [] }
                guard let old = token.generation(name), try identification.showsAlive(old, at: token.gateway, in: listing),
                    old.refusals?.areFinal(at: now().wall) != true
                else { return [.oldRefused(name)] }
                return [
                    .trialRefused(name, why: why),
                    .heldBack(why: "\(name) is refused while the gateway lists it as alive: \(why)", needsPerson: false, retryAfter: nil),
                ]
            }
        } catch { return [.heldBack(why: "\(name) could not be tried: \(error)", needsPerson: false, retryAfter: error.retryAfter)] }
    }

    // MARK: Delivering

    private func publish(_ id: TargetID, _ name: String, _ token: Token) throws -> [Event] {
        guard let policy, let target = policy.targets.first(where: { $0.id == id }) else { return [] }
        guard let secret = try ports.keyring.secret(name, of: token.gateway) else {
            // What cannot be delivered any more is given up: the new one is withdrawn, the old one not put back.
            if token.rotation?.isOpen == true, token.rotation?.generation == name {
                return [.refused(name, why: "its secret is not in the keyring any more")]
            }
            if token.rotation?.phase == .withdrawing { return [.oldRefused(name)] }
            return [.targetFailed(id, why: "the secret of \(name) is not in the keyring", needsPerson: true)]
        }
        do throws(DeliveryError) { try ports.delivery(target, policy).publish(secret) } catch {
            return [.targetFailed(id, why: error.description, needsPerson: true)]
        }
        return [.published(id, name)]
    }

    private func take(_ id: TargetID, _ name: String, _ token: Token) async -> [Event] {
        guard let target = policy?.targets.first(where: { $0.id == id }) else { return [] }
        do throws(ConsumerError) { try await ports.consumer(target).take() } catch {
            return [.targetFailed(id, why: hiding(secretsOf: token, in: error.description), needsPerson: false)]
        }
        return [.took(id, name)]
    }

    private func confirm(_ id: TargetID, _ name: String, _ token: Token) async -> [Event] {
        guard let target = policy?.targets.first(where: { $0.id == id }) else { return [] }
        do throws(ConsumerError) { try await ports.consumer(target).confirm() } catch {
            return [.targetFailed(id, why: hiding(secretsOf: token, in: error.description), needsPerson: false)]
        }
        return [.confirmed(id, name)]
    }

    /// What a program prints may be the very secret it was given.
    private func hiding(secretsOf token: Token, in text: String) -> String {
        var text = text
        for generation in token.generations where generation.isLiving {
            guard let secret = try? ports.keyring.secret(generation.name, of: token.gateway) else { continue }
            let value = secret.withBytes { span in unsafe span.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) } }
            if !value.isEmpty { text = text.replacing(value, with: "[hidden]") }
        }
        return text
    }

    /// Only what we delivered: a secret that somebody has put there since is not ours to take away.
    private func remove(_ id: TargetID, _ token: Token) throws -> [Event] {
        guard let policy, let target = policy.targets.first(where: { $0.id == id }) else { return [.leftAlone(id)] }
        let delivery = ports.delivery(target, policy)
        guard let name = token.target(id).generation, let secret = try ports.keyring.secret(name, of: token.gateway) else {
            return [.leftAlone(id)]
        }
        do throws(DeliveryError) {
            guard try delivery.holds(secret) else { return [.leftAlone(id)] }
            try delivery.remove()
        } catch { return [.targetFailed(id, why: error.description, needsPerson: true)] }
        return [.removed(id)]
    }
}
