package import Foundation

extension Token {
    /// What to do next. The rotation goes first, then targets that lag behind, then revocations, then evidence; what has
    /// to wait does not hold up the rest, and neither does what is not to be had now (`except`).
    package func step(for policy: TokenPolicy?, at now: Moment, except: [Step] = []) -> Step {
        var waits: [Date] = []
        for step in candidates(for: policy, at: now) where !except.contains(step) {
            guard case .wait(let until) = step else { return step }
            if let until { waits.append(until) }
        }
        return .wait(waits.min())
    }

    /// When the token wants to be looked at again, schedules aside.
    package func nextLook(for policy: TokenPolicy?, at now: Moment) -> Date? {
        if case .wait(let until) = step(for: policy, at: now) { until } else { now.wall }
    }

    private func candidates(for policy: TokenPolicy?, at now: Moment) -> [Step] {
        // What leaked is first: nothing is worth a delay of its end.
        var steps = generations.filter { $0.isLeaked && $0.state == .revoking }.map { revocationStep($0, now) }
        if let rotation, rotation.isOpen { steps.append(rotationStep(rotation, policy, now)) }
        if rotation?.isOpen != true || rotation?.phase == .minting || rotation?.phase == .verifying {
            steps.append(deliveryStep(policy, now) ?? .wait(nil))
        }
        if ending == .expired { steps.append(removalStep(now)) }
        for generation in generations {
            switch generation.state {
            case .revoking: if !generation.isLeaked { steps.append(revocationStep(generation, now)) }
            case .retiring: steps.append(retirementStep(generation, policy, now))
            case .unmade, .intended, .abandoned, .held, .revoked: break
            }
        }
        return steps
    }

    private func rotationStep(_ rotation: Rotation, _ policy: TokenPolicy?, _ now: Moment) -> Step {
        guard rotation.attempts.isDue(at: now.wall) else { return .wait(rotation.attempts.notBefore) }
        // Without its policy nothing can be created or delivered; what is under way waits for it to come back.
        guard policy != nil || rotation.phase == .withdrawing else { return .wait(nil) }
        switch rotation.phase {
        case .minting:
            // What leaked gives back its place of the account first; where that meets trouble it holds up nothing.
            if generations.contains(where: { $0.isLeaked && $0.state == .revoking && $0.attempts.failures == 0 }) { return .wait(nil) }
            // An orphan takes a place of the account, and is proof that a create went wrong: it goes first. One that cannot
            // be revoked, which a person is told of, does not keep the token without a secret for ever.
            return generations.first { $0.isOrphan && !$0.attempts.isStuck }.map { revocationStep($0, now) } ?? .mint
        case .verifying:
            return rotation.generation.map { .verify($0) } ?? .mint
        case .publishing, .applying:
            return deliveryStep(policy, now) ?? rotation.generation.map { .recheck($0) } ?? .wait(nil)
        case .withdrawing:
            if rotation.restores == nil, let current { return .tryOld(current) }
            // Nothing lacks and it is not over: what lagged has left the policy. The last answer is asked for once more.
            return deliveryStep(policy, now) ?? (policy == nil ? nil : current.map { .tryOld($0) }) ?? .wait(nil)
        case .finished, .abandoned:
            return .wait(nil)
        }
    }

    /// What the targets lack of the desired generation; nil when they lack nothing. Each target goes at its own pace.
    private func deliveryStep(_ policy: TokenPolicy?, _ now: Moment) -> Step? {
        guard let desired, let policy else { return nil }
        var waits: [Date] = []
        var lacks = false
        for id in policy.targets.map(\.id) {
            let state = target(id)
            guard !state.isApplied(desired) else { continue }
            lacks = true
            guard state.attempts.isDue(at: now.wall) else {
                if let notBefore = state.attempts.notBefore { waits.append(notBefore) }
                continue
            }
            if state.generation != desired || state.deliveredAt == nil { return .publish(id, desired) }
            if state.takenAt == nil { return .take(id, desired) }
            return .confirm(id, desired)
        }
        return lacks ? .wait(waits.min()) : nil
    }

    private func removalStep(_ now: Moment) -> Step {
        var waits: [Date] = []
        for state in targets where state.generation != nil && state.leftAt == nil {
            if state.attempts.isDue(at: now.wall) { return .remove(state.id) }
            if let notBefore = state.attempts.notBefore { waits.append(notBefore) }
        }
        return .wait(waits.min())
    }

    private func revocationStep(_ generation: Generation, _ now: Moment) -> Step {
        guard generation.attempts.isDue(at: now.wall) else { return .wait(generation.attempts.notBefore) }
        return generation.revokeAnsweredAt == nil ? .revoke(generation.name) : .seeRefused(generation.name)
    }

    private func retirementStep(_ generation: Generation, _ policy: TokenPolicy?, _ now: Moment) -> Step {
        guard let retirement = generation.retirement else { return .wait(nil) }
        if generation.isLeaked {
            let isToEnd = reasonToContain(generation, under: policy, at: now) != nil
            return isToEnd ? .release(generation.name) : .wait(retirement.overlap.end(seenAt: now))
        }
        guard generation.attempts.isDue(at: now.wall) else { return .wait(generation.attempts.notBefore) }
        guard isOutOfTargets(generation.name, policy) else { return .wait(nil) }
        if retirement.wantsQuiet {
            guard let quiet = retirement.quiet, let readAt = retirement.readAt else { return .read(generation.name) }
            let overlapEnd = retirement.overlap.end(seenAt: now)
            if !retirement.overlap.isOver(at: now) {
                // One reading a quiet time before the end, so that use early in the overlap does not prolong it.
                let eve = overlapEnd.addingTimeInterval(-retirement.quietFor.approximateSeconds)
                if now.wall < eve { return .wait(eve) }
                return readAt < eve ? .read(generation.name) : .wait(overlapEnd)
            }
            guard quiet.isOver(at: now) else { return .wait(quiet.end(seenAt: now)) }
            // The last word before a release is a reading taken after the quiet time, not before it.
            // And not long before the release either, which may have had to wait for something else.
            guard readAt >= max(quiet.until, retirement.overlap.until), abs(now.wall.timeIntervalSince(readAt)) < 60 else {
                return .read(generation.name)
            }
        }
        guard retirement.overlap.isOver(at: now) else { return .wait(retirement.overlap.end(seenAt: now)) }
        return .release(generation.name)
    }

    /// Has every consumer taken up the current one? A target that lags behind, or was found changed, may hold any of ours;
    /// while the next one is on its way into the targets nothing is released, for it may have to be taken back.
    private func isOutOfTargets(_ generation: String, _ policy: TokenPolicy?) -> Bool {
        // Without a policy nobody can look: a target of which it is not known what it holds may hold this one.
        guard let policy else {
            return targets.allSatisfy { $0.leftAt != nil || $0.generation != nil && $0.generation != generation }
        }
        guard let current, current != generation else { return false }
        return policy.targets.allSatisfy { target($0.id).isApplied(current) }
    }
}

extension TargetState {
    package func isApplied(_ generation: String) -> Bool { self.generation == generation && appliedAt != nil }
}
