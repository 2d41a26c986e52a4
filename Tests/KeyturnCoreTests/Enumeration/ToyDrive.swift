import Foundation
import KeyturnCore

/// The driver's loop, one step a turn: derive the step, carry it out, take in what happened. The process may die before
/// the effect, after the effect and before the record, and after both.
extension ToyWorld {
    private static let before = "before the effect"
    private static let between = "after the effect, before the record"
    private static let after = "after the record"

    mutating func drive(_ pass: Pass, _ rules: ToyRules, _ chooser: inout Chooser) throws(Stop) {
        var pass = pass
        let policy = rules.policies[policyIndex]
        let step = token.step(for: policy, at: now, except: pass.unavailable)
        if case .wait = step { return sleep(pass, policy, &chooser) }
        chooser.tell("\(now.wall.timeIntervalSince(monday)) step \(step)")
        if case .mint = step {
            guard let policy else { throw .broken("minting without a policy") }
            try mint(&pass, policy, &chooser)
        } else {
            let death = try fails([ToyWorld.before, ToyWorld.between, ToyWorld.after], &chooser)
            if death == ToyWorld.before { throw .died(ToyWorld.before) }
            let events = try perform(step, &pass, policy, &chooser)
            if death == ToyWorld.between { throw .died(ToyWorld.between) }
            if events.isEmpty { pass.unavailable.append(step) }
            try record(events, policy, &chooser)
            if death == ToyWorld.after { throw .died(ToyWorld.after) }
            for case .seenRefused(let name) in events { keyring[name] = nil }
        }
        process = .driving(pass)
    }

    // MARK: Minting

    private mutating func mint(_ pass: inout Pass, _ policy: TokenPolicy, _ chooser: inout Chooser) throws(Stop) {
        try listOnce(&pass, &chooser)
        guard let listing = pass.listing else { return pass.unavailable.append(.mint) }

        let shown = shown(listing)
        let settled = token.generations.filter { $0.state == .abandoned }.compactMap { lost in
            lost.event(after: shown.sighting(of: lost, at: now.wall), in: shown, clockIsOff: false)
        }
        guard settled.isEmpty else { return try record(settled, policy, &chooser) }

        try mayDie(ToyWorld.before, &chooser)
        let unmade = Set(token.generations.filter { $0.state == .unmade }.map(\.name))
        var attempt = 1
        var name = policy.pattern.name(month: "2026-11", attempt: attempt)
        while listing.contains(where: { $0.name == name }) || (usedNames.contains(name) && !unmade.contains(name)) {
            attempt += 1
            name = policy.pattern.name(month: "2026-11", attempt: attempt)
        }
        let expiresAt = policy.expires.date(ofGenerationMadeAt: now.wall)
        let foreign = listing.filter { $0.name == name }.map { keyID($0.id) }
        try record(
            [.intended(name: name, expiresAt: expiresAt, signature: policy.attributes.signature, foreignIDs: foreign)], policy, &chooser)
        try mayDie("between intent and create", &chooser)

        // An orphan that the list showed is revoked before anything else is created.
        for key in keys where key.isOurs && key.isListedAlive && key.endsAt == nil && listing.contains(where: { $0.id == key.id }) {
            guard let generation = token.generation(key.name), generation.state != .abandoned, !generation.isOrphan else {
                throw .broken("\(name) is created while the orphan \(key.name) lives")
            }
        }
        try create(name, policy, &pass, &chooser)
    }

    private mutating func create(_ name: String, _ policy: TokenPolicy, _ pass: inout Pass, _ chooser: inout Chooser) throws(Stop) {
        guard !keys.contains(where: { $0.isOurs && $0.name == name }), !late.contains(where: { $0.name == name }) else {
            throw .broken("\(name) is created twice")
        }
        let key = ToyKey(id: nextID, name: name, createdAt: now.wall)
        nextID += 1
        let death = "with the create "
        let lost: [Event] = [.lost(name, why: "unknown"), .heldBack(why: "unknown", needsPerson: false, retryAfter: nil)]
        switch try fails(
            [
                "refused", "unknown, not made", "unknown, made", "unknown, made late", "without an id", death + "not made", death + "made",
                death + "made late",
                death + "kept",
            ], &chooser)
        {
        case "refused": try record([.notMade(name, why: "no", needsPerson: true, retryAfter: nil)], policy, &chooser)
        case "unknown, not made": try record(lost, policy, &chooser)
        case "unknown, made":
            keys.append(key)
            try record(lost, policy, &chooser)
        case "unknown, made late":
            late.append(key)
            try record(lost, policy, &chooser)
        case death + "not made": throw .died("before it had the answer")
        case death + "made":
            keys.append(key)
            throw .died("before it had the answer")
        case death + "made late":
            late.append(key)
            throw .died("before it had the answer")
        case death + "kept":
            keys.append(key)
            keyring[name] = ToyRecord(secret: key.id, showsID: try fails(["without an id"], &chooser) == nil)
            throw .died("after the secret was kept, before the record")
        case let trouble:
            keys.append(key)
            keyring[name] = ToyRecord(secret: key.id, showsID: trouble == nil)
            var events: [Event] = [.minted(name, trouble == nil ? keyID(key.id) : nil, fingerprint: "f\(key.id)")]
            if trouble != nil, let intent = token.generation(name) {
                try list(&pass, &chooser)
                let sighting = shown(pass.listing ?? []).sighting(of: intent, at: now.wall)
                if case .alone(let id) = sighting { events.append(.identified(name, id, .alone)) }
            }
            try record(events, policy, &chooser)
            try mayDie(ToyWorld.after, &chooser)
        }
    }

    // MARK: The other steps

    private mutating func perform(_ step: Step, _ pass: inout Pass, _ policy: TokenPolicy?, _ chooser: inout Chooser) throws(Stop)
        -> [Event]
    {
        switch step {
        case .verify(let name):
            guard let secret = keyring[name]?.secret else { return [.refused(name, why: "gone")] }
            switch try fails(["inconclusive", "lag", "spoilt", "lacks models"], &chooser) {
            case "inconclusive": return [.heldBack(why: "503", needsPerson: false, retryAfter: nil)]
            case "lag": return try refusal(of: name, &pass, &chooser)
            case "spoilt": spoil(name)
            case "lacks models": if token.currentGeneration?.state == .held { return [.refused(name, why: "it lacks models")] }
            default: break
            }
            return isAccepted(secret) ? [.accepted(name)] : try refusal(of: name, &pass, &chooser)
        case .recheck(let name):
            guard let secret = keyring[name]?.secret else { return [.refused(name, why: "gone")] }
            switch try fails(["inconclusive", "spoilt"], &chooser) {
            case "inconclusive": return [.heldBack(why: "503", needsPerson: false, retryAfter: nil)]
            case "spoilt": spoil(name)
            default: break
            }
            return isAccepted(secret) ? [.accepted(name)] : try refusal(of: name, &pass, &chooser)
        case .tryOld(let name):
            guard let secret = keyring[name]?.secret else { return [.oldRefused(name)] }
            switch try fails(["inconclusive", "spoilt"], &chooser) {
            case "inconclusive": return [.heldBack(why: "503", needsPerson: false, retryAfter: nil)]
            case "spoilt": spoil(name)
            default: break
            }
            return [isAccepted(secret) ? .oldAccepted(name) : .oldRefused(name)]
        case .publish(let id, let name):
            guard let secret = keyring[name]?.secret else { return [secretIsGone(name, id)] }
            if try fails(["unwritable"], &chooser) != nil { return [.targetFailed(id, why: "read-only", needsPerson: true)] }
            if keys.contains(where: { $0.id == secret && $0.isLeaked }) { throw .broken("\(name) leaked and is delivered to \(id)") }
            files[id] = secret
            return [.published(id, name)]
        case .take(let id, let name):
            let trouble = try fails(["not taken", "taken, and failed"], &chooser)
            if trouble != "not taken" { memories[id] = files[id] }
            return [trouble == nil ? .took(id, name) : .targetFailed(id, why: "exit 1", needsPerson: false)]
        case .confirm(let id, let name):
            return [
                try fails(["not confirmed"], &chooser) == nil ? .confirmed(id, name) : .targetFailed(id, why: "exit 1", needsPerson: false)
            ]
        case .remove(let id):
            if try fails(["unwritable"], &chooser) != nil { return [.targetFailed(id, why: "read-only", needsPerson: true)] }
            files[id] = nil
            return [.removed(id)]
        case .read, .release, .revoke, .seeRefused: return try retire(step, &pass, policy, &chooser)
        case .mint, .wait: return []
        }
    }

    private func secretIsGone(_ name: String, _ id: TargetID) -> Event {
        guard let rotation = token.rotation, rotation.isOpen else { return .targetFailed(id, why: "gone", needsPerson: true) }
        if rotation.generation == name { return .refused(name, why: "gone") }
        return rotation.phase == .withdrawing ? .oldRefused(name) : .targetFailed(id, why: "gone", needsPerson: true)
    }

    private mutating func refusal(of name: String, _ pass: inout Pass, _ chooser: inout Chooser) throws(Stop) -> [Event] {
        try list(&pass, &chooser)
        return pass.listFailed ? [] : [.refusedOnce(name, why: "401")]
    }

    private mutating func retire(_ step: Step, _ pass: inout Pass, _ policy: TokenPolicy?, _ chooser: inout Chooser) throws(Stop) -> [Event]
    {
        switch step {
        case .read(let name):
            try listOnce(&pass, &chooser)
            guard let listing = pass.listing else { return [] }
            let trouble = try fails(["inconclusive", "used", "silent"], &chooser)
            if trouble == "inconclusive" { return [.readFailed(name, why: "503", retryAfter: nil)] }
            if let id = token.generation(name)?.keyID, !listing.contains(where: { keyID($0.id) == id && $0.isListedAlive }) {
                return [.released(name)]
            }
            guard trouble != "silent", let index = keys.firstIndex(where: { $0.name == name && $0.isOurs && $0.isAccepted }) else {
                return [.read(name, Reading(today: nil, month: nil, lastUsedAt: nil))]
            }
            if trouble == "used" { keys[index].uses += 1 }
            return [.read(name, Reading(today: nil, month: Decimal(keys[index].uses), lastUsedAt: nil))]
        case .release(let name):
            if let generation = token.generation(name), let why = token.reasonToContain(generation, under: policy, at: now) {
                return [.contained(name, why: why)]
            }
            try listOnce(&pass, &chooser)
            guard pass.listing != nil else { return [] }
            guard let current = token.currentGeneration, current.state == .held, let secret = keyring[current.name]?.secret else {
                return [.readFailed(name, why: "nothing replaces it", retryAfter: nil)]
            }
            guard try fails(["inconclusive"], &chooser) == nil else { return [.readFailed(name, why: "503", retryAfter: nil)] }
            return [isAccepted(secret) ? .released(name) : .readFailed(name, why: "its replacement is refused", retryAfter: nil)]
        case .revoke(let name): return try revoke(name, &pass, policy, &chooser)
        case .seeRefused(let name):
            guard try fails(["inconclusive"], &chooser) == nil else {
                return [.revokeFailed(name, why: "503", needsPerson: false, retryAfter: nil)]
            }
            if let secret = keyring[name]?.secret {
                return isAccepted(secret)
                    ? [.revokeFailed(name, why: "still accepted", needsPerson: false, retryAfter: nil)] : [.seenRefused(name)]
            }
            try list(&pass, &chooser)
            guard let listing = pass.listing, let generation = token.generation(name) else {
                return [.revokeFailed(name, why: "no list", needsPerson: false, retryAfter: nil)]
            }
            return shown(listing).showsAlive(generation, at: now.wall)
                ? [.revokeFailed(name, why: "still listed", needsPerson: false, retryAfter: nil)] : [.seenRefused(name)]
        default: return []
        }
    }

    private mutating func revoke(_ name: String, _ pass: inout Pass, _ policy: TokenPolicy?, _ chooser: inout Chooser) throws(Stop)
        -> [Event]
    {
        guard let generation = token.generation(name) else { return [] }
        guard let id = generation.keyID else {
            try list(&pass, &chooser)
            guard let listing = pass.listing else { return [.revokeFailed(name, why: "no list", needsPerson: false, retryAfter: nil)] }
            switch shown(listing).sighting(of: generation, at: now.wall) {
            case .alone(let id), .proven(let id): return [.identified(name, id, .alone)]
            case .unclear: return [.revokeFailed(name, why: "unclear", needsPerson: true, retryAfter: nil)]
            case .none:
                let isYoung = generation.fingerprint != nil && now.wall.timeIntervalSince(generation.intendedAt) < 3600
                return [isYoung ? .revokeFailed(name, why: "not listed yet", needsPerson: false, retryAfter: nil) : .revokeAnswered(name)]
            }
        }
        let trouble = try fails(["not revoked", "revoked, no answer", "revoked later"], &chooser)
        if trouble != "not revoked", let index = keys.firstIndex(where: { keyID($0.id) == id }), keys[index].isListedAlive {
            try mayEnd(keys[index], policy)
            // A secret that was refused before tells nothing about its revocation: a gateway that is wrong twice is not ours to catch.
            let isLate = trouble == "revoked later" && !keys[index].isSpoilt
            keys[index].endsAt = isLate ? now.wall.addingTimeInterval(700) : now.wall
            keys[index].isListedAlive = isLate
        }
        return [
            trouble == nil || trouble == "revoked later"
                ? .revokeAnswered(name) : .revokeFailed(name, why: "503", needsPerson: false, retryAfter: nil)
        ]
    }

    /// A withdrawal puts the old secret back before it ends the new one, where the old one still lives.
    private func mayEnd(_ key: ToyKey, _ policy: TokenPolicy?) throws(Stop) {
        let targets = policy?.targets.map(\.id) ?? []
        guard token.ending == nil, targets.contains(where: { files[$0] == key.id || memories[$0] == key.id }) else { return }
        guard let current = token.currentGeneration, current.name != key.name, let old = keyring[current.name]?.secret, isAccepted(old)
        else { return }
        throw .broken("\(key.name) is revoked while a consumer reads it and \(current.name) still lives")
    }
}
