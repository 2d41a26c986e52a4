import Foundation
import KeyturnCore

/// The beginning of a pass and its end, as the keeper makes them.
extension ToyWorld {
    static let watchEvery: TimeInterval = 3600

    mutating func wake(watches: Bool, _ rules: ToyRules, _ chooser: inout Chooser) throws(Stop) {
        let policy = rules.policies[policyIndex]
        // The journal gives back the open rotation and what is not revoked.
        if token.rotation?.isOpen != true { token.rotation = nil }
        token.generations.removeAll { $0.state == .revoked }
        if watches { nextWatch = now.wall.addingTimeInterval(ToyWorld.watchEvery) }
        var pass = Pass(watches: watches, began: token, faults: faults, meddling: meddling)

        try takeIntents(policy, &chooser)
        try takeRequests(policy, &chooser)
        let living = Set(token.generations.map(\.name))
        for name in keyring.keys where !living.contains(name) { keyring[name] = nil }

        try findDrift(policy, &chooser)
        var facts = Facts()
        if watches || wantsListing {
            try list(&pass, &chooser)
            if let listing = pass.listing {
                try compare(listing, policy, &chooser)
                if watches { try tryDelivered(listing, policy, &chooser) }
                try findDead(listing, watches, policy, &facts, &chooser)
            }
        }
        if let policy { try judge(policy, facts, &pass, &chooser) }
        try mayDie("at the beginning of a pass", &chooser)
        process = .driving(pass)
    }

    mutating func list(_ pass: inout Pass, _ chooser: inout Chooser) throws(Stop) {
        if try fails(["list"], &chooser) == nil {
            (pass.listing, pass.listFailed) = (keys, false)
        } else {
            (pass.listing, pass.listFailed) = (nil, true)
        }
    }

    mutating func listOnce(_ pass: inout Pass, _ chooser: inout Chooser) throws(Stop) {
        if pass.listing == nil, !pass.listFailed { try list(&pass, &chooser) }
    }

    private mutating func takeIntents(_ policy: TokenPolicy?, _ chooser: inout Chooser) throws(Stop) {
        for intent in token.generations where intent.state == .intended {
            if let record = keyring[intent.name], token.rotation?.phase == .minting {
                try self.record(
                    [.minted(intent.name, record.showsID ? keyID(record.secret) : nil, fingerprint: "f\(record.secret)")], policy, &chooser)
            } else {
                try self.record([.lost(intent.name, why: "died")], policy, &chooser)
            }
        }
    }

    private mutating func takeRequests(_ policy: TokenPolicy?, _ chooser: inout Chooser) throws(Stop) {
        while let request = requests.first {
            switch request {
            case .revoke:
                if token.ending == nil { try record([.ended(.requested)], policy, &chooser) }
                try record([.urged(nil)], policy, &chooser)
            case .rotate:
                guard policy != nil else { break }
                if token.rotation?.isOpen == true {
                    try record([.urged(nil)], policy, &chooser)
                } else {
                    let resumes: [Event] = token.ending == nil ? [] : [.resumed]
                    try record(resumes + [.urged(nil), .started(token.serial == 0 ? .first : .requested, reason: nil)], policy, &chooser)
                }
            case .leak(let mode): try record(token.events(onLeak: mode, reason: nil, under: policy, at: now), policy, &chooser)
            }
            try mayDie("before a request is answered", &chooser)
            requests.removeFirst()
        }
    }

    private var wantsListing: Bool {
        token.rotation?.phase == .minting || isSuspected
            || token.generations.contains {
                $0.state == .abandoned && now.wall.timeIntervalSince($0.intendedAt) < 3600 || $0.isLiving && $0.keyID == nil
            }
    }

    private var isSuspected: Bool {
        guard let current = token.currentGeneration, current.state == .held, token.ending == nil, token.rotation?.isOpen != true else {
            return false
        }
        return current.refusals.map { !$0.areFinal(at: now.wall) } ?? false
    }

    /// A new generation that consumers have already is tried with every watch, however long its rotation takes.
    private mutating func tryDelivered(_ listing: [ToyKey], _ policy: TokenPolicy?, _ chooser: inout Chooser) throws(Stop) {
        guard let rotation = token.rotation, rotation.phase == .publishing || rotation.phase == .applying,
            let generation = token.generation(rotation.generation), let secret = keyring[generation.name]?.secret, !isAccepted(secret)
        else { return }
        let name = generation.name
        try record([isListedDead(generation, listing) ? .refused(name, why: "gone") : .refusedOnce(name, why: "401")], policy, &chooser)
    }

    private func isListedDead(_ generation: Generation, _ listing: [ToyKey]) -> Bool {
        generation.keyID.map { id in !listing.contains { keyID($0.id) == id && $0.isListedAlive } } ?? false
    }

    private mutating func compare(_ listing: [ToyKey], _ policy: TokenPolicy?, _ chooser: inout Chooser) throws(Stop) {
        let shown = shown(listing)
        for generation in token.generations {
            if let event = generation.event(after: shown.sighting(of: generation, at: now.wall), in: shown, clockIsOff: false) {
                try record([event], policy, &chooser)
            }
        }
    }

    /// What the gateway lists, as an answer of its own.
    func shown(_ keys: [ToyKey]) -> Listing {
        Listing(
            keys: keys.map {
                ListedKey(id: keyID($0.id), name: $0.name, status: $0.isListedAlive ? .active : .revoked, createdAt: $0.createdAt)
            }, gatewayTime: now.wall
        )
    }

    func keyID(_ id: Int) -> KeyID { KeyID("key_\(id)") }

    private mutating func findDead(
        _ listing: [ToyKey], _ watches: Bool, _ policy: TokenPolicy?, _ facts: inout Facts, _ chooser: inout Chooser
    ) throws(Stop) {
        guard let current = token.currentGeneration, current.state == .held else { return }
        guard let secret = keyring[current.name]?.secret else {
            facts.secretIsGone = true
            return
        }
        guard token.ending == nil, policy != nil, token.rotation?.isOpen != true else { return }
        let isListedDead = isListedDead(current, listing)
        guard watches || isListedDead || isSuspected else { return }
        guard try fails(["trial"], &chooser) == nil else { return }
        if isAccepted(secret) {
            if current.refusals != nil { try record([.trialAccepted(current.name)], policy, &chooser) }
        } else if isListedDead {
            facts.dead = "ended at the gateway"
        } else {
            if current.refusals?.areFinal(at: now.wall) != true { try record([.trialRefused(current.name, why: "401")], policy, &chooser) }
            if token.currentGeneration?.refusals?.areFinal(at: now.wall) == true { facts.dead = "refused" }
        }
    }

    private mutating func findDrift(_ policy: TokenPolicy?, _ chooser: inout Chooser) throws(Stop) {
        guard let policy, token.ending == nil else { return }
        for target in policy.targets {
            guard let name = token.target(target.id).generation, let record = keyring[name], files[target.id] != record.secret else {
                continue
            }
            try self.record([.drifted(target.id)], policy, &chooser)
        }
    }

    private mutating func judge(_ policy: TokenPolicy, _ facts: Facts, _ pass: inout Pass, _ chooser: inout Chooser) throws(Stop) {
        switch Plan.verdict(on: token, under: policy, facts: facts, at: now) {
        case .start(let cause, let reason):
            try listOnce(&pass, &chooser)
            guard pass.listing != nil else { return }
            let resumes: [Event] = token.ending == nil ? [] : [.resumed]
            try record(resumes + [.started(cause, reason: reason)], policy, &chooser)
        case .end(let how):
            try listOnce(&pass, &chooser)
            if pass.listing != nil { try record([.ended(how)], policy, &chooser) }
        case .waits(let until, _): pass.waitsUntil = until
        case .underWay, .rests: break
        }
    }

    /// The pass is over: sleeps until something may be due again, or for good.
    mutating func sleep(_ pass: Pass, _ policy: TokenPolicy?, _ chooser: inout Chooser) {
        var looks: [Date] = []
        switch token.step(for: policy, at: now) {
        case .wait(let until?): looks.append(until)
        case .wait(nil): break
        default: if !pass.listFailed { looks.append(now.wall.addingTimeInterval(pass.unavailable.isEmpty ? 0 : 60)) }
        }
        switch policy.map({ Plan.verdict(on: token, under: $0, at: now) }) {
        case .waits(let until?, _), .rests(let until?, _): looks.append(until)
        case .start, .end: if !pass.listFailed { looks.append(now.wall.addingTimeInterval(1)) }
        case .waits, .rests, .underWay, nil: break
        }
        if let until = pass.waitsUntil, until > now.wall { looks.append(until) }
        if policy != nil, isSuspected { looks.append(now.wall.addingTimeInterval(Refusals.span / 2)) }
        if pass.listFailed { looks.append(now.wall.addingTimeInterval(Backoff.wait(after: 1, of: "pass"))) }

        let next = looks.min() ?? .distantFuture
        if next > now.wall.addingTimeInterval(7 * 86400), pass.watches, pass.began == token, pass.listing == keys, pass.faults == faults,
            pass.meddling == meddling, requests.isEmpty
        {
            guard !late.isEmpty else {
                process = .rested
                return
            }
            land(&chooser)
        }
        let passed = max(0.001, min(next, nextWatch).timeIntervalSince(now.wall))
        now = Moment(wall: now.wall.addingTimeInterval(passed), boot: now.boot + passed, bootID: now.bootID)
        process = .asleep(watches: now.wall >= nextWatch)
    }
}
