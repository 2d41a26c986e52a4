import Foundation
import KeyturnCore
import Testing

/// One rotation through its phases, and what does not fit.
@Suite struct AdvanceTests {
    let policy = TokenPolicy.sample()
    let told = TargetPolicy.told("/told").id
    let read = TargetPolicy.raw("/read").id

    func step(_ token: Token, after seconds: TimeInterval = 0) -> Step { token.step(for: policy, at: moment(after: seconds)) }

    static let verified: [Event] = [.started(.scheduled, reason: nil), .intended("g2"), .minted("g2"), .accepted("g2")]
    static let told = TargetPolicy.told("/told").id
    static let read = TargetPolicy.raw("/read").id
    static let applied: [Event] =
        verified + [.published(told, "g2"), .took(told, "g2"), .confirmed(told, "g2"), .published(read, "g2")]

    @Test func `a rotation asks for one step after the other`() throws {
        var token = Token.active()
        let course: [(Event, Step, Rotation.Phase)] = [
            (.started(.scheduled, reason: nil), .mint, .minting), (.intended("g2"), .mint, .minting),
            (.minted("g2"), .verify("g2"), .verifying),
            (.accepted("g2"), .publish(told, "g2"), .publishing), (.published(told, "g2"), .take(told, "g2"), .publishing),
            (.took(told, "g2"), .confirm(told, "g2"), .publishing), (.confirmed(told, "g2"), .publish(read, "g2"), .publishing),
            (.published(read, "g2"), .recheck("g2"), .applying), (.accepted("g2"), .wait(monday.addingTimeInterval(86400)), .finished),
        ]
        for (event, next, phase) in course {
            token = try token.after([event])
            #expect(step(token) == next, "after \(event)")
            #expect(token.rotation?.phase == phase, "after \(event)")
        }
        #expect(token.current == "g2" && token.serial == 2 && token.rotation?.id == "prod-webapp-api#2")
        #expect(token.generation("g1")?.state == .retiring && token.generation("g2")?.state == .held)
    }

    @Test func `each target goes at its own pace`() throws {
        let failed = try Token.active().after(AdvanceTests.verified + [.targetFailed(told, why: "read-only", needsPerson: true)])
        #expect(step(failed) == .publish(read, "g2"))
        let later = try failed.after([.published(read, "g2")])
        guard case .wait(let until?) = step(later) else {
            Issue.record("\(step(later))")
            return
        }
        #expect(later.step(for: policy, at: moment(until, boot: 5010)) == .publish(told, "g2"))
        #expect(later.rotation?.phase == .publishing)
    }

    @Test func `a consumer that is not told has it when it is delivered, one that is asked has it when it says so`() throws {
        var asked = TokenPolicy.sample(targets: [.raw("/asked")])
        asked.targets[0].confirm = Command(arguments: ["/bin/true"])
        let id = asked.targets[0].id
        let token = try Token.active(asked).after(AdvanceTests.verified + [.published(id, "g2")], for: asked)
        #expect(token.step(for: asked, at: moment()) == .confirm(id, "g2") && token.target(id).appliedAt == nil)
    }

    @Test func `a policy without targets needs only the secret`() throws {
        let none = TokenPolicy.sample(targets: [])
        let token = try Token.blank(none).after(
            [.started(.first, reason: nil), .intended("g1"), .minted("g1"), .accepted("g1")], for: none)
        #expect(token.step(for: none, at: moment()) == .recheck("g1"))
        #expect(try token.after([.accepted("g1")], for: none).current == "g1")
    }

    @Test func `the last target that lagged may leave the policy`() throws {
        let waiting = try Token.active().after(
            AdvanceTests.verified + [.published(read, "g2"), .targetFailed(told, why: "read-only", needsPerson: true)])
        let fewer = TokenPolicy.sample(targets: [.raw("/read")])
        #expect(waiting.step(for: fewer, at: moment()) == .recheck("g2"))
        #expect(try waiting.after([.accepted("g2")], for: fewer).rotation?.phase == .finished)
        #expect(try waiting.after([.refusedOnce("g2", why: "401")], for: fewer).rotation?.refusals?.count == 1)
        #expect(throws: Mismatch.self) { try waiting.after([.accepted("g2")], for: policy) }
    }

    // MARK: Creates

    @Test func `a create that was refused leaves its name free`() throws {
        let token = try Token.blank().after(
            [
                .started(.first, reason: nil), .intended("g1"), .notMade("g1", why: "full", needsPerson: true, retryAfter: nil),
                .intended("g1"),
            ]
        )
        #expect(token.generations.map(\.state) == [.intended])
    }

    @Test func `a lost create keeps its name for ever, and is revoked before the next if it turns up`() throws {
        var token = try Token.blank().after([
            .started(.first, reason: nil), .intended("g1", foreignIDs: [KeyID("key_9")]), .lost("g1", why: "timeout"),
        ])
        #expect(token.rotation?.generation == nil && token.generation("g1")?.foreignIDs == [KeyID("key_9")])
        #expect(step(token) == .mint)
        #expect(throws: Mismatch.self) { try token.after([.intended("g1")]) }
        token = try token.after([.turnedUp("g1", KeyID("key_1"), .alone)])
        #expect(token.generation("g1")?.isOrphan == true && step(token) == .revoke("g1"))
        token = try token.after([.revokeAnswered("g1")])
        #expect(step(token) == .seeRefused("g1"))
        token = try token.after([.seenRefused("g1")])
        #expect(step(token) == .mint)
    }

    @Test func `an orphan that cannot be revoked does not keep the token without a secret for ever`() throws {
        let orphan = try Token.blank().after([
            .started(.first, reason: nil), .intended("g1"), .lost("g1", why: "timeout"), .turnedUp("g1", KeyID("key_1"), .alone),
        ])
        let failed = Event.revokeFailed("g1", why: "503", needsPerson: false, retryAfter: nil)
        guard case .wait(.some) = step(try orphan.after([failed, failed])) else {
            Issue.record("\(step(try orphan.after([failed, failed])))")
            return
        }
        #expect(step(try orphan.after([failed, failed, failed])) == .mint)
    }

    @Test func `an orphan turns up after the rotation has found its way without it`() throws {
        let token = try Token.active().after(
            [.started(.scheduled, reason: nil), .intended("lost"), .lost("lost", why: "timeout")] + AdvanceTests.applied.dropFirst()
                + [.accepted("g2"), .turnedUp("lost", KeyID("key_3"), .alone)]
        )
        #expect(step(token) == .revoke("lost"))
    }

    // MARK: Refusals and withdrawals

    @Test func `a new secret is refused for good after three trials over five minutes`() throws {
        var token = try Token.active().after(Array(AdvanceTests.verified.dropLast()))
        var seconds: TimeInterval = 0
        var trials = 0
        while token.rotation?.isOpen == true {
            #expect(step(token, after: seconds) == .verify("g2"))
            token = try token.after([.refusedOnce("g2", why: "401")], at: moment(after: seconds))
            trials += 1
            if case .wait(let until?) = step(token, after: seconds), token.rotation?.isOpen == true {
                seconds = until.timeIntervalSince(monday)
            }
        }
        #expect(seconds == 300 && trials >= 3)
        #expect(token.rotation?.phase == .abandoned && token.generation("g2")?.state == .revoking && token.current == "g1")
        #expect(token.attempts.failures == 1 && token.attempts.lastError == "g2 was withdrawn: 401")
    }

    @Test func `one refusal may be lag`() throws {
        let token = try Token.active().after(AdvanceTests.verified.dropLast() + [.refusedOnce("g2", why: "401"), .accepted("g2")])
        #expect(token.rotation?.phase == .publishing && token.rotation?.refusals == nil)
    }

    @Test func `a withdrawal puts the old secret back before the new one ends`() throws {
        var token = try Token.active().after(AdvanceTests.applied + [.refused("g2", why: "revoked by hand")])
        #expect(token.rotation?.phase == .withdrawing && step(token) == .tryOld("g1") && token.desired == nil)
        token = try token.after([.oldAccepted("g1")])
        let course: [(Step, Event)] = [
            (.publish(told, "g1"), .published(told, "g1")), (.take(told, "g1"), .took(told, "g1")),
            (.confirm(told, "g1"), .confirmed(told, "g1")),
            (.publish(read, "g1"), .published(read, "g1")),
        ]
        for (next, event) in course {
            #expect(token.generation("g2")?.state == .held)
            #expect(step(token) == next)
            token = try token.after([event])
        }
        #expect(token.rotation?.phase == .abandoned && step(token) == .revoke("g2") && token.current == "g1")
        #expect(token.attempts.lastError == "g2 was withdrawn: revoked by hand")
    }

    @Test func `a withdrawal counts on no record of what lies in the targets`() throws {
        // Written, and the process died before it could say so.
        let token = try Token.active().after([
            .started(.scheduled, reason: nil), .intended("g2"), .minted("g2"), .accepted("g2"), .refused("g2", why: "401"),
        ])
        #expect(token.rotation?.phase == .withdrawing && step(token) == .tryOld("g1"))
        let restoring = try token.after([.oldAccepted("g1")])
        #expect(step(restoring) == .publish(told, "g1"))
        #expect(restoring.generation("g2")?.state == .held)
    }

    @Test func `with both dead nothing is put back`() throws {
        let token = try Token.active().after(AdvanceTests.applied + [.refused("g2", why: "401"), .oldRefused("g1")])
        // Consumers have it: it is replaced as a dead one is, and revoked after that.
        #expect(token.rotation?.phase == .abandoned && token.generation("g2")?.state == .held && token.current == "g2")
        #expect(Plan.verdict(on: token, under: policy, at: moment()) != .underWay)
    }

    @Test func `a withdrawal ends too when what is to be restored leaves the policy`() throws {
        let token = try Token.active().after(
            AdvanceTests.applied + [
                .refused("g2", why: "401"), .oldAccepted("g1"), .targetFailed(told, why: "read-only", needsPerson: true),
                .published(read, "g1"),
            ]
        )
        let fewer = TokenPolicy.sample(targets: [.raw("/read")])
        #expect(token.step(for: fewer, at: moment()) == .tryOld("g1"))
        #expect(try token.after([.oldAccepted("g1")], for: fewer).rotation?.phase == .abandoned)
        guard case .wait = token.step(for: nil, at: moment()) else {
            Issue.record("without its policy: \(token.step(for: nil, at: moment()))")
            return
        }
    }

    // MARK: Ending

    @Test func `an ended token revokes all it has, and leaves its targets`() throws {
        let token = try Token.active().after(AdvanceTests.applied + [.ended(.requested)])
        #expect(token.generations.map(\.state) == [.revoking, .revoking])
        #expect(token.rotation?.phase == .abandoned && token.current == nil && token.desired == nil && token.ending == .requested)
        #expect(step(token) == .revoke("g1"))
        let done = try token.after([.revokeAnswered("g1"), .seenRefused("g1"), .revokeAnswered("g2"), .seenRefused("g2")])
        #expect(step(done) == .wait(nil) && done.targets.allSatisfy { $0.generation == "g2" })
    }

    @Test func `an expired token takes its secret out of its targets`() throws {
        var token = try Token.active().after([.ended(.expired)])
        #expect(step(token) == .remove(told))
        token = try token.after([.removed(told), .targetFailed(read, why: "read-only", needsPerson: true)])
        #expect(step(token) == .revoke("g1"))
        guard case .wait(let until?) = step(try token.after([.revokeAnswered("g1"), .seenRefused("g1")])) else {
            Issue.record("the removal that failed is not waited for")
            return
        }
        #expect(token.step(for: policy, at: moment(until, boot: 6000)) == .remove(read))
    }

    @Test func `a create in flight is looked for after its token has ended`() throws {
        let token = try Token.blank().after([.started(.first, reason: nil), .intended("g1"), .ended(.requested)])
        #expect(token.generation("g1")?.state == .abandoned && step(token) == .wait(nil))
        #expect(step(try token.after([.turnedUp("g1", KeyID("key_1"), .alone)])) == .revoke("g1"))
        #expect(throws: Mismatch.self) { try token.after([.minted("g1")]) }
    }

    @Test func `an adopted generation is verified and delivered like a new one`() throws {
        let adopted = Event.adopted(
            name: "theirs", KeyID("key_7"), .told, foreignIDs: [], createdAt: monday, expiresAt: nil, fingerprint: "f",
            signature: policy.attributes.signature)
        let token = try Token.blank().after([.started(.adopted, reason: nil), adopted])
        #expect(step(token) == .verify("theirs") && token.generation("theirs")?.isOrphan == false)
        #expect(throws: Mismatch.self) { try token.after([adopted]) }
    }

    @Test func `urging lets everything that failed be tried at once`() throws {
        let failed = try Token.active().after(
            AdvanceTests.verified + [.targetFailed(told, why: "no", needsPerson: true), .targetFailed(read, why: "no", needsPerson: true)])
        guard case .wait = step(failed) else {
            Issue.record("\(step(failed))")
            return
        }
        #expect(step(try failed.after([.urged(nil)])) == .publish(told, "g2"))
    }

    @Test func `without its policy a rotation waits, and what is to be revoked is revoked`() throws {
        let token = try Token.active().after(AdvanceTests.verified + [.ended(.requested)])
        #expect(token.step(for: nil, at: moment()) == .revoke("g1"))
        let waiting = try Token.active().after(AdvanceTests.verified)
        #expect(waiting.step(for: nil, at: moment()) == .wait(nil))
    }

    @Test func `what is not to be had now does not hold up the rest`() throws {
        let token = try Token.active().after([.started(.scheduled, reason: nil), .drifted(read)])
        #expect(step(token) == .mint)
        #expect(token.step(for: policy, at: moment(), except: [.mint]) == .publish(read, "g1"))
    }

    // MARK: What does not fit

    @Test(arguments: 1...60 as ClosedRange<UInt64>) func `a misfit leaves the token as it was, and no order of events breaks it`(
        seed: UInt64
    ) throws {
        var random = Seeded(seed)
        var token = Bool.random(using: &random) ? Token.blank() : Token.active()
        var misfits = 0
        for count in 0..<300 {
            let now = moment(after: Double(count) * Double.random(in: 0...400, using: &random))
            let event = AdvanceTests.event(&random)
            let policy = Int.random(in: 0..<10, using: &random) == 0 ? nil : self.policy
            let before = token
            do {
                try token.advance(event, for: policy, at: now)
            } catch {
                misfits += 1
                #expect(token == before, "seed \(seed): \(event) changed it")
                #expect(!error.description.isEmpty)
            }
            if let broken = AdvanceTests.broken(token, before) {
                Issue.record("seed \(seed), event \(count) \(event): \(broken)")
                return
            }
            _ = token.step(for: policy, at: now)
        }
        #expect(misfits > 50)
    }

    /// What no event may bring about.
    static func broken(_ token: Token, _ before: Token) -> String? {
        if Set(token.generations.map(\.name)).count != token.generations.count { return "two generations of one name" }
        if token.generations.count(where: { $0.state == .intended }) > 1 { return "two open intents" }
        if token.generations.contains(where: { $0.isLeaked && $0.state == .held }) { return "what leaked is in use" }
        for old in before.generations where old.isLeaked && token.generation(old.name)?.isLeaked == false {
            return "\(old.name) is not known to have leaked any more"
        }
        if let current = token.current, token.generation(current)?.state != .held { return "\(current) is current and not held" }
        if token.ending != nil, token.generations.contains(where: { [.held, .retiring, .intended].contains($0.state) }),
            token.rotation?.isOpen != true
        {
            return "it has ended and keeps a generation"
        }
        for generation in token.generations where generation.state == .retiring && generation.retirement == nil {
            return "\(generation.name) retires without evidence"
        }
        for old in before.generations where old.state == .revoked && token.generation(old.name)?.state != .revoked {
            return "\(old.name) came back to life"
        }
        for old in before.generations where old.isLiving && token.generation(old.name) == nil { return "\(old.name) was forgotten" }
        return nil
    }

    static func event(_ random: inout Seeded) -> Event {
        let name = ["g1", "g2", "g3"].randomElement(using: &random) ?? "g1"
        let id = [told, read].randomElement(using: &random) ?? told
        let key = KeyID("key_" + name)
        let events: [Event] = [
            .started(.scheduled, reason: nil), .resumed, .urged(nil), .intended(name), .minted(name), .minted(name), .lost(name, why: "?"),
            .notMade(name, why: "no", needsPerson: false, retryAfter: nil), .trialAccepted(name), .noLongerDue,
            .trialRefused(name, why: "401"),
            .heldBack(why: "503", needsPerson: false, retryAfter: nil), .identified(name, key, .alone), .confused(name), .neverCame(name),
            .accepted(name), .accepted(name),
            .accepted(name),
            .refusedOnce(name, why: "401"), .refused(name, why: "no"), .published(id, name), .published(id, name), .took(id, name),
            .confirmed(id, name),
            .confirmed(id, name), .targetFailed(id, why: "no", needsPerson: false), .oldAccepted(name), .oldRefused(name),
            .read(name, Reading(today: 1, month: nil, lastUsedAt: nil)), .readFailed(name, why: "503", retryAfter: nil), .released(name),
            .revokeAnswered(name),
            .seenRefused(name), .revokeFailed(name, why: "503", needsPerson: false, retryAfter: nil), .turnedUp(name, key, .alone),
            .adopted(name: name, key, .told, foreignIDs: [], createdAt: nil, expiresAt: nil, fingerprint: "f", signature: ""), .removed(id),
            .drifted(id), .targetLeft(id), .targetReturned(id), .targetVacated(id),
            Int.random(in: 0..<8, using: &random) == 0 ? .ended(.requested) : .urged(nil),
            .contained(name, why: "asked for"),
            Int.random(in: 0..<8, using: &random) == 0 ? .leaked(.containFirst, reason: nil) : .urged(nil),
            Int.random(in: 0..<8, using: &random) == 0 ? .leaked(.replaceFirst, reason: nil) : .urged(nil),
        ]
        return events.randomElement(using: &random) ?? .urged(nil)
    }
}
