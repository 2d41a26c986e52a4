import Foundation

extension Token {
    /// Takes in what happened. Total: an event that does not fit throws and changes nothing.
    package mutating func advance(_ event: Event, for policy: TokenPolicy?, at now: Moment) throws(Mismatch) {
        var next = self
        try next.take(event, policy, now)
        next.hastenLeaks(policy, now)
        self = next
    }

    private mutating func take(_ event: Event, _ policy: TokenPolicy?, _ now: Moment) throws(Mismatch) {
        switch event {
        case .started(let cause, let reason): try start(cause, reason, now)
        case .left: leftAt = leftAt ?? now.wall
        case .returned: leftAt = nil
        case .resumed: (ending, endedAt, attempts) = (nil, nil, Attempts())
        case .intended(let name, let expiresAt, let signature, let foreignIDs):
            try intend(name, expiresAt, signature, foreignIDs, now)
        case .minted(let name, let id, let fingerprint): try minted(name, id, fingerprint, now)
        case .notMade(let name, let why, let needsPerson, let retryAfter):
            try change(name, from: [.intended]) { $0.state = .unmade }
            rotation?.attempts.failed(why, needsPerson: needsPerson, retryAfter: retryAfter, of: self.name.text, at: now.wall)
        case .lost(let name, _):
            try change(name, from: [.intended]) { $0.state = .abandoned }
            if rotation?.generation == name { rotation?.generation = nil }
        case .urged, .rebased: urge()
        case .noLongerDue: attempts = Attempts()
        case .trialAccepted(let name): try change(name, from: [.held]) { $0.refusals = nil }
        case .trialRefused(let name, _):
            try change(name, from: [.held]) {
                $0.refusals = $0.refusals.map { Refusals(count: $0.count + 1, since: $0.since) } ?? Refusals(count: 1, since: now.wall)
            }
        case .heldBack(let why, let needsPerson, let retryAfter):
            guard rotation?.isOpen == true else { throw Mismatch("held back without a rotation") }
            rotation?.attempts.failed(why, needsPerson: needsPerson, retryAfter: retryAfter, of: name.text, at: now.wall)
        case .identified(let name, let id, let identity):
            try change(name, from: [.held, .retiring, .revoking]) {
                ($0.keyID, $0.identity, $0.seenAt) = (id, identity, $0.seenAt ?? now.wall)
            }
        case .confused(let name):
            try change(name, from: [.abandoned, .held, .retiring, .revoking]) { ($0.keyID, $0.identity) = (nil, .ambiguous) }
        case .resurfaced(let name):
            try change(name, from: [.revoked]) {
                $0.revokeAnsweredAt = nil
                $0.release(now)
            }
        case .neverCame(let name): try change(name, from: [.abandoned]) { ($0.state, $0.attempts) = (.revoked, Attempts()) }
        case .accepted(let name): try accepted(name, policy, now)
        case .refusedOnce(let name, let why): try refusedOnce(name, why, policy, now)
        case .refused(let name, let why): try withdraw(name, why, policy, now)
        case .oldAccepted:
            try restore(true, policy, now)
            try settleDeliveries(policy, now)
        case .oldRefused: try restore(false, policy, now)
        case .published(let id, let generation): try publish(id, generation, policy, now)
        case .took(let id, let generation): try changeTarget(id, holding: generation) { $0.takenAt = now.wall }
        case .confirmed(let id, let generation):
            try changeTarget(id, holding: generation) { $0.appliedAt = now.wall }
            try settleDeliveries(policy, now)
        case .targetFailed(let id, let why, let needsPerson):
            fail(target: id, why, needsPerson, now)
        case .read(let name, let reading): try read(name, reading, now)
        case .readFailed(let name, let why, let retryAfter):
            try change(name, from: [.retiring]) { $0.attempts.failed(why, retryAfter: retryAfter, of: name, at: now.wall) }
        case .released(let name): try change(name, from: [.retiring]) { $0.release(now) }
        case .revokeAnswered(let name):
            try change(name, from: [.revoking]) { ($0.revokeAnsweredAt, $0.attempts) = (now.wall, Attempts()) }
        case .seenRefused(let name): try change(name, from: [.revoking]) { ($0.state, $0.attempts) = (.revoked, Attempts()) }
        case .revokeFailed(let name, let why, let needsPerson, let retryAfter): try revokeFailed(name, why, needsPerson, retryAfter, now)
        case .turnedUp(let name, let id, let identity):
            try change(name, from: [.abandoned]) {
                ($0.keyID, $0.identity) = (id, identity)
                // What only the answer to create told may be missing from lists for a while.
                if identity == .alone { $0.seenAt = now.wall }
                $0.release(now)
            }
        case .adopted(let name, let id, let identity, let foreignIDs, let createdAt, let expiresAt, let fingerprint, let signature):
            let generation = Generation(
                name: name, keyID: id, identity: identity, state: .held, intendedAt: now.wall, createdAt: createdAt ?? now.wall,
                expiresAt: expiresAt, seenAt: now.wall, acceptedAt: now.wall, fingerprint: fingerprint, signature: signature,
                foreignIDs: foreignIDs
            )
            try adopt(generation)
        case .ended(let how): end(how, now)
        case .leaked(let mode, _): leak(mode, now)
        case .contained(let name, _):
            guard generation(name)?.isLeaked == true else { throw Mismatch("\(name) has not leaked") }
            try change(name, from: [.retiring]) { $0.release(now) }
        case .removed(let id), .leftAlone(let id): targets.removeAll { $0.id == id }
        // Nobody has looked after what left and returns: it is in the state of one that somebody changed.
        case .drifted(let id), .targetReturned(let id): drift(id, now)
        case .targetLeft(let id):
            let index = targetIndex(id)
            (targets[index].leftAt, targets[index].attempts) = (targets[index].leftAt ?? now.wall, Attempts())
        case .targetVacated(let id): targets.removeAll { $0.id == id && $0.leftAt != nil }
        }
    }

    // MARK: Minting

    private mutating func start(_ cause: Rotation.Cause, _ reason: String?, _ now: Moment) throws(Mismatch) {
        guard rotation?.isOpen != true else { throw Mismatch("a rotation of \(name) is open already") }
        // Whoever takes it up again says so first.
        guard ending == nil else { throw Mismatch("\(name) has ended") }
        serial += 1
        rotation = Rotation(id: "\(name)#\(serial)", cause: cause, reason: reason, startedAt: now.wall)
    }

    private mutating func intend(_ name: String, _ expiresAt: Date?, _ signature: String, _ foreignIDs: [KeyID], _ now: Moment)
        throws(Mismatch)
    {
        guard rotation?.phase == .minting else { throw Mismatch("\(name) was intended outside of minting") }
        guard generations.allSatisfy({ $0.state != .intended }) else { throw Mismatch("an intent of \(self.name) is open already") }
        generations.removeAll { $0.name == name && $0.state == .unmade }
        guard generation(name) == nil else { throw Mismatch("the name \(name) was used before") }
        generations.append(
            Generation(
                name: name, state: .intended, intendedAt: now.wall, expiresAt: expiresAt, signature: signature, foreignIDs: foreignIDs)
        )
        rotation?.generation = name
    }

    private mutating func minted(_ name: String, _ id: KeyID?, _ fingerprint: String, _ now: Moment) throws(Mismatch) {
        guard rotation?.phase == .minting else { throw Mismatch("\(name) was minted outside of minting") }
        try change(name, from: [.intended]) {
            ($0.state, $0.keyID, $0.fingerprint, $0.createdAt) = (.held, id, fingerprint, $0.createdAt ?? now.wall)
            if id != nil { $0.identity = .told }
        }
        rotation?.generation = name
        enter(.verifying)
    }

    // MARK: Verifying and withdrawing

    private mutating func accepted(_ name: String, _ policy: TokenPolicy?, _ now: Moment) throws(Mismatch) {
        guard let rotation, rotation.generation == name else { throw Mismatch("\(name) was accepted, the rotation is about another") }
        switch rotation.phase {
        case .verifying:
            try change(name, from: [.held]) { ($0.seenAt, $0.acceptedAt) = ($0.seenAt ?? now.wall, $0.acceptedAt ?? now.wall) }
            enter(.publishing)
            try settleDeliveries(policy, now)
        // Publishing as well: the last target that lagged behind may have left the policy.
        case .publishing, .applying:
            guard let policy, policy.targets.allSatisfy({ target($0.id).isApplied(name) }) else {
                throw Mismatch("\(name) was accepted before every target had it")
            }
            try change(name, from: [.held]) { $0.acceptedAt = $0.acceptedAt ?? now.wall }
            finish(name, policy, now)
        case .minting, .withdrawing, .finished, .abandoned: throw Mismatch("\(name) was accepted while \(rotation.phase)")
        }
    }

    private mutating func refusedOnce(_ name: String, _ why: String, _ policy: TokenPolicy?, _ now: Moment) throws(Mismatch) {
        guard var rotation, rotation.generation == name, [.verifying, .publishing, .applying].contains(rotation.phase) else {
            throw Mismatch("\(name) was refused, the rotation does not ask")
        }
        var refusals = rotation.refusals ?? Refusals(count: 0, since: now.wall)
        refusals.count += 1
        rotation.refusals = refusals
        rotation.attempts.failed(why, of: self.name.text, at: now.wall)
        // The table soon waits longer than the answer needs: the third trial falls on the end of the five minutes.
        let end = refusals.since.addingTimeInterval(Refusals.span)
        if end > now.wall, let notBefore = rotation.attempts.notBefore { rotation.attempts.notBefore = min(notBefore, end) }
        self.rotation = rotation
        if refusals.areFinal(at: now.wall) { try withdraw(name, why, policy, now) }
    }

    private mutating func withdraw(_ name: String, _ why: String, _ policy: TokenPolicy?, _ now: Moment) throws(Mismatch) {
        guard let rotation, rotation.isOpen, rotation.generation == name else { throw Mismatch("\(name) cannot be withdrawn") }
        // Once publishing has begun any target may hold it: a process may have died between the writing and the record.
        let isDelivered = rotation.phase == .publishing || rotation.phase == .applying
        enter(.withdrawing)
        attempts.lastError = "\(name) was withdrawn: \(why)"
        if !isDelivered { abandon(now) } else if currentGeneration?.state != .held { leaveInUse(policy, now) }
    }

    private mutating func restore(_ old: Bool, _ policy: TokenPolicy?, _ now: Moment) throws(Mismatch) {
        guard rotation?.phase == .withdrawing else { throw Mismatch("nothing of \(name) is being withdrawn") }
        let isFirst = rotation?.restores != true
        rotation?.restores = old
        rotation?.attempts = Attempts()
        for index in targets.indices { targets[index].attempts = Attempts() }
        if !old { return leaveInUse(policy, now) }
        // What a target is recorded to hold may be older than what was last written there: all of them are looked at anew, and
        // the same bytes are not written.
        if isFirst { for index in targets.indices { targets[index] = TargetState(id: targets[index].id, leftAt: targets[index].leftAt) } }
    }

    /// Consumers have been given it, and there is no other one to give them: whatever is wrong with it (its secret is lost, a
    /// gateway refuses it for an hour), it is not taken from them before it is replaced, which is due at once.
    private mutating func leaveInUse(_ policy: TokenPolicy?, _ now: Moment) {
        guard let name = rotation?.generation, generation(name)?.state == .held else { return abandon(now) }
        put(inUse: name, policy, now)
        let why = attempts.lastError ?? "withdrawn"
        close(.abandoned, now)
        attempts.failed(why, of: self.name.text, at: now.wall)
    }

    /// The rotation is over without its generation: that one is revoked at once.
    private mutating func abandon(_ now: Moment) {
        let why = attempts.lastError ?? "withdrawn"
        discard(rotation?.generation, now)
        close(.abandoned, now)
        attempts.failed(why, of: name.text, at: now.wall)
    }

    private mutating func discard(_ generation: String?, _ now: Moment) {
        for index in generations.indices where generations[index].name == generation {
            switch generations[index].state {
            case .held, .retiring: generations[index].release(now)
            case .intended: generations[index].state = .abandoned
            case .unmade, .abandoned, .revoking, .revoked: break
            }
        }
    }

    // MARK: Delivering

    private mutating func publish(_ id: TargetID, _ generation: String, _ policy: TokenPolicy?, _ now: Moment) throws(Mismatch) {
        guard desired == generation else {
            throw Mismatch("\(generation) was published to \(id), which is to hold \(desired ?? "nothing")")
        }
        let index = targetIndex(id)
        targets[index] = TargetState(id: id, generation: generation, deliveredAt: now.wall)
        // A consumer that is not told and not asked reads its target by itself: delivered is applied.
        let wish = policy?.targets.first { $0.id == id }
        if wish?.then == nil { targets[index].takenAt = now.wall }
        if wish?.then == nil, wish?.confirm == nil { targets[index].appliedAt = now.wall }
        if rotation?.phase == .publishing, policy?.targets.allSatisfy({ target($0.id).generation == generation }) == true {
            enter(.applying)
        }
        try settleDeliveries(policy, now)
    }

    /// After a target was applied: is a withdrawal complete, or are all targets there, so that the last recheck is due?
    private mutating func settleDeliveries(_ policy: TokenPolicy?, _ now: Moment) throws(Mismatch) {
        guard let rotation, rotation.isOpen, let desired, let policy, policy.targets.allSatisfy({ target($0.id).isApplied(desired) }) else {
            return
        }
        switch rotation.phase {
        case .publishing: enter(.applying)
        case .withdrawing: abandon(now)
        case .minting, .verifying, .applying, .finished, .abandoned: break
        }
    }

    private mutating func fail(target id: TargetID, _ why: String, _ needsPerson: Bool, _ now: Moment) {
        targets[targetIndex(id)].attempts.failed(why, needsPerson: needsPerson, of: "\(name) \(id)", at: now.wall)
    }

    /// It may hold any of ours, and whoever read it uses that one since: their quiet begins anew.
    private mutating func drift(_ id: TargetID, _ now: Moment) {
        targets[targetIndex(id)] = TargetState(id: id, attempts: target(id).attempts)
        for index in generations.indices where generations[index].state == .retiring {
            guard let retirement = generations[index].retirement, retirement.wantsQuiet else { continue }
            generations[index].retirement?.quiet = Hold(for: retirement.quietFor, from: now)
        }
    }

    private mutating func finish(_ generation: String, _ policy: TokenPolicy?, _ now: Moment) {
        put(inUse: generation, policy, now)
        attempts = Attempts()
        close(.finished, now)
    }

    /// From now on it is the current one; what was held beside it retires.
    private mutating func put(inUse generation: String, _ policy: TokenPolicy?, _ now: Moment) {
        current = generation
        for index in generations.indices where generations[index].state == .held && generations[index].name != generation {
            generations[index].state = .retiring
            generations[index].attempts = Attempts()
            generations[index].retirement = Retirement(under: policy?.overlap ?? Overlap(), from: now)
        }
    }

    private mutating func adopt(_ generation: Generation) throws(Mismatch) {
        guard rotation?.phase == .minting else { throw Mismatch("\(generation.name) was adopted outside of minting") }
        guard self.generation(generation.name) == nil else { throw Mismatch("\(generation.name) is known already") }
        generations.append(generation)
        rotation?.generation = generation.name
        enter(.verifying)
    }

    // MARK: Ending

    private mutating func end(_ how: Ending, _ now: Moment) {
        if rotation?.isOpen == true {
            rotation?.attempts.lastError = "the token was ended"
            close(.abandoned, now)
        }
        ending = how
        endedAt = now.wall
        current = nil
        attempts = Attempts()
        // Nothing is delivered any more: what failed at a target is nobody's trouble.
        for index in targets.indices { targets[index].attempts = Attempts() }
        for index in generations.indices { discard(generations[index].name, now) }
    }

    // MARK: Evidence and revocation

    private mutating func read(_ name: String, _ reading: Reading, _ now: Moment) throws(Mismatch) {
        try change(name, from: [.retiring]) { generation in
            guard var retirement = generation.retirement else { return }
            // A reading that is taken again for a release that has failed does not make that one hurry.
            if retirement.isOver(at: now) { generation.attempts.notBefore = nil } else { generation.attempts = Attempts() }
            if reading.saysNothing {
                // Such a gateway never gives evidence; it is asked again in case that changes, ever more rarely, a person in the end.
                let age = now.wall.timeIntervalSince(retirement.since)
                generation.attempts.notBefore = now.wall.addingTimeInterval(min(max(900, age / 4), Backoff.longest))
            } else {
                if retirement.reading?.shows(useIn: reading) ?? true { retirement.quiet = Hold(for: retirement.quietFor, from: now) }
                retirement.reading = reading
                retirement.readAt = now.wall
            }
            generation.retirement = retirement
        }
    }

    private mutating func revokeFailed(
        _ name: String, _ why: String, _ needsPerson: Bool, _ retryAfter: TimeInterval?, _ now: Moment
    ) throws(Mismatch) {
        try change(name, from: [.revoking]) { generation in
            generation.attempts.failed(why, needsPerson: needsPerson, retryAfter: retryAfter, of: name, at: now.wall)
            // An answered revocation that shows no effect for ten minutes was none: ask again.
            if let answered = generation.revokeAnsweredAt, now.wall.timeIntervalSince(answered) > 600 { generation.revokeAnsweredAt = nil }
        }
    }

    // MARK: Small parts

    mutating func urge() {
        attempts = Attempts()
        rotation?.attempts = Attempts()
        for index in targets.indices { targets[index].attempts = Attempts() }
        for index in generations.indices where generations[index].state == .revoking { generations[index].attempts = Attempts() }
    }

    private mutating func enter(_ phase: Rotation.Phase) {
        rotation?.phase = phase
        rotation?.attempts = Attempts()
        rotation?.refusals = nil
    }

    mutating func close(_ phase: Rotation.Phase, _ now: Moment) {
        rotation?.phase = phase
        rotation?.endedAt = now.wall
    }

    private mutating func change(_ name: String, from states: Set<Generation.State>, _ body: (inout Generation) -> Void) throws(Mismatch) {
        guard let index = generations.firstIndex(where: { $0.name == name }) else {
            throw Mismatch("no generation \(name) of \(self.name)")
        }
        guard states.contains(generations[index].state) else {
            throw Mismatch(
                "\(name) is \(generations[index].state.rawValue), not \(states.map(\.rawValue).sorted().joined(separator: " or "))")
        }
        body(&generations[index])
    }

    private mutating func changeTarget(_ id: TargetID, holding generation: String, _ body: (inout TargetState) -> Void) throws(Mismatch) {
        let index = targetIndex(id)
        guard targets[index].generation == generation else {
            throw Mismatch("\(id) holds \(targets[index].generation ?? "nothing"), not \(generation)")
        }
        targets[index].attempts = Attempts()
        body(&targets[index])
    }

    private mutating func targetIndex(_ id: TargetID) -> Int {
        if let index = targets.firstIndex(where: { $0.id == id }) { return index }
        targets.append(TargetState(id: id))
        return targets.count - 1
    }
}

extension Generation {
    /// Puts it up for revocation.
    mutating func release(_ now: Moment) {
        (state, attempts, releasedAt) = (.revoking, Attempts(), now.wall)
    }
}
