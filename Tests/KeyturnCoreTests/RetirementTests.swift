import Foundation
import KeyturnCore
import Testing

/// When a replaced generation is released: the evidence that nobody needs it.
@Suite struct RetirementTests {
    /// `g1` was just replaced by `g2`, which every target has taken up.
    func overlapping(_ overlap: Overlap) throws -> (Token, TokenPolicy) {
        let policy = TokenPolicy.sample(overlap: overlap, targets: [.raw("/read")])
        let token = try Token.active(policy).after(
            [
                .started(.scheduled, reason: nil), .intended("g2"), .minted("g2"), .accepted("g2"), .published(policy.targets[0].id, "g2"),
                .accepted("g2"),
            ],
            for: policy
        )
        #expect(token.rotation?.phase == .finished && token.generation("g1")?.state == .retiring)
        return (token, policy)
    }

    static func used(_ month: Decimal) -> Reading { Reading(today: nil, month: month, lastUsedAt: nil) }

    @Test func `without quiet_for it is released when at_least is over`() throws {
        let (token, policy) = try overlapping(Overlap(atLeast: .hours(24)))
        #expect(token.step(for: policy, at: moment(after: 60)) == .wait(monday.addingTimeInterval(86400)))
        #expect(token.step(for: policy, at: moment(after: 86400)) == .release("g1"))
        #expect(token.nextLook(for: policy, at: moment(after: 86400)) == monday.addingTimeInterval(86400))
    }

    @Test func `a clock that jumps ahead releases nothing`() throws {
        let (token, policy) = try overlapping(Overlap(atLeast: .hours(24)))
        let jumped = moment(monday.addingTimeInterval(7 * 86400), boot: 5060)
        #expect(token.step(for: policy, at: jumped) == .wait(jumped.wall.addingTimeInterval(86340)))
    }

    @Test func `with quiet_for it is read at once, on the eve, and after the quiet time`() throws {
        let overlap = Overlap(atLeast: .hours(24), quietFor: .hours(1))
        var (token, policy) = try overlapping(overlap)
        #expect(token.step(for: policy, at: moment(after: 0)) == .read("g1"))
        try token.advance(.read("g1", RetirementTests.used(5)), for: policy, at: moment(after: 0))
        #expect(token.step(for: policy, at: moment(after: 1)) == .wait(monday.addingTimeInterval(23 * 3600)))
        #expect(token.step(for: policy, at: moment(after: 23 * 3600)) == .read("g1"))
        // Use early in the overlap does not prolong it.
        try token.advance(.read("g1", RetirementTests.used(6)), for: policy, at: moment(after: 23 * 3600))
        #expect(token.step(for: policy, at: moment(after: 23 * 3600 + 1)) == .wait(monday.addingTimeInterval(86400)))
        #expect(token.step(for: policy, at: moment(after: 86400)) == .read("g1"))
        try token.advance(.read("g1", RetirementTests.used(6)), for: policy, at: moment(after: 86400))
        #expect(token.step(for: policy, at: moment(after: 86400)) == .release("g1"))
    }

    @Test func `what is still used after at_least is not released until it has been quiet`() throws {
        var (token, policy) = try overlapping(Overlap(atLeast: .hours(1), quietFor: .hours(1)))
        var seconds: TimeInterval = 0
        for use in 1...50 {
            // Every reading that is asked for shows one more use.
            guard case .read = token.step(for: policy, at: moment(after: seconds)) else {
                Issue.record("\(token.step(for: policy, at: moment(after: seconds))) at \(seconds)")
                return
            }
            try token.advance(.read("g1", RetirementTests.used(Decimal(use))), for: policy, at: moment(after: seconds))
            guard case .wait(let until?) = token.step(for: policy, at: moment(after: seconds)) else {
                Issue.record("\(token.step(for: policy, at: moment(after: seconds))) at \(seconds)")
                return
            }
            seconds = until.timeIntervalSince(monday)
        }
        #expect(seconds > 40 * 3600)
        try token.advance(.read("g1", RetirementTests.used(50)), for: policy, at: moment(after: seconds))
        #expect(token.step(for: policy, at: moment(after: seconds)) == .release("g1"))
    }

    @Test func `the last word is a reading after the quiet time, not before it`() throws {
        var (token, policy) = try overlapping(Overlap(atLeast: .zero, quietFor: .hours(1)))
        try token.advance(.read("g1", RetirementTests.used(5)), for: policy, at: moment(after: 0))
        try token.advance(.read("g1", RetirementTests.used(5)), for: policy, at: moment(after: 3599))
        #expect(token.step(for: policy, at: moment(after: 3599)) == .wait(monday.addingTimeInterval(3600)))
        #expect(token.step(for: policy, at: moment(after: 3600)) == .read("g1"))
    }

    @Test func `a gateway that shows no figure never gives evidence`() throws {
        var (token, policy) = try overlapping(Overlap(atLeast: .hours(1), quietFor: .minutes(1), atMost: .days(2)))
        let silence = Reading(today: nil, month: nil, lastUsedAt: nil)
        var seconds: TimeInterval = 0
        for _ in 0..<300 {
            switch token.step(for: policy, at: moment(after: seconds)) {
            case .read: try token.advance(.read("g1", silence), for: policy, at: moment(after: seconds))
            case .wait(let until?): seconds = until.timeIntervalSince(monday)
            case let step:
                Issue.record("\(step) at \(seconds)")
                return
            }
        }
        #expect(seconds > 86400)
        let status = TokenStatus(of: token, under: policy, verdict: nil, at: moment(after: 2 * 86400))
        #expect(
            status.reason
                == "g1 is not revoked yet: no figures of its use are to be had, so whether it is quiet is not known; a person must decide")
    }

    @Test func `it is held while a target lags behind or was found changed`() throws {
        var (token, policy) = try overlapping(Overlap(atLeast: .hours(1)))
        let id = policy.targets[0].id
        try token.advance(.drifted(id), for: policy, at: moment(after: 3600))
        try token.advance(.targetFailed(id, why: "read-only", needsPerson: true), for: policy, at: moment(after: 3600))
        guard case .wait = token.step(for: policy, at: moment(after: 3600)) else {
            Issue.record("\(token.step(for: policy, at: moment(after: 3600)))")
            return
        }
        try token.advance(.published(id, "g2"), for: policy, at: moment(after: 3700))
        #expect(token.step(for: policy, at: moment(after: 3700)) == .release("g1"))
    }

    @Test func `a target that was found changed begins the quiet time anew`() throws {
        let (retiring, policy) = try overlapping(Overlap(atLeast: .hours(1), quietFor: .hours(2)))
        var token = retiring
        try token.advance(.read("g1", RetirementTests.used(1)), for: policy, at: moment(after: 60))
        try token.advance(.drifted(policy.targets[0].id), for: policy, at: moment(after: 7000))
        #expect(token.generation("g1")?.retirement?.quiet?.isOver(at: moment(after: 7400)) == false)
        #expect(token.generation("g1")?.retirement?.quiet?.isOver(at: moment(after: 14300)) == true)
    }

    @Test func `a target that left the policy holds nothing up, with a policy and without, and is remembered beyond the rotation`() throws {
        let (retiring, policy) = try overlapping(Overlap(atLeast: .hours(1)))
        var token = retiring
        let left = TargetID(file: "/left", key: nil)
        token.targets.append(TargetState(id: left, generation: "g1", deliveredAt: monday, takenAt: monday, appliedAt: monday))
        #expect(token.step(for: nil, at: moment(after: 3600)) == .wait(nil), "one of the policy's holds it, where nobody can look")
        try token.advance(.targetLeft(left), for: policy, at: moment())
        #expect(token.target(left).leftAt == monday)
        #expect(token.step(for: policy, at: moment(after: 3600)) == .release("g1"))
        #expect(token.step(for: nil, at: moment(after: 3600)) == .release("g1"))
        token = try token.after(
            [
                .started(.scheduled, reason: nil), .intended("g3"), .minted("g3"), .accepted("g3"), .published(policy.targets[0].id, "g3"),
                .accepted("g3"),
            ],
            for: policy)
        #expect(token.rotation?.phase == .finished && token.target(left).leftAt == monday)
        #expect(try token.after([.targetVacated(left)], for: policy).targets.map(\.id) == policy.targets.map(\.id))
        let back = try token.after([.targetReturned(left)], for: policy)
        #expect(back.target(left) == TargetState(id: left), "what it holds is not known any more")
    }

    @Test func `a target that is new in the policy has to have the secret first`() throws {
        var (token, policy) = try overlapping(Overlap(atLeast: .hours(1)))
        policy.targets.append(.told("/told"))
        let id = policy.targets[1].id
        #expect(token.step(for: policy, at: moment(after: 3600)) == .publish(id, "g2"))
        token = try token.after([.published(id, "g2"), .took(id, "g2")], for: policy, at: moment(after: 3600))
        #expect(token.step(for: policy, at: moment(after: 3600)) == .confirm(id, "g2"))
        token = try token.after([.confirmed(id, "g2")], for: policy, at: moment(after: 3600))
        #expect(token.step(for: policy, at: moment(after: 3600)) == .release("g1"))
    }

    @Test func `a target that left the policy holds nothing back`() throws {
        var (token, policy) = try overlapping(Overlap(atLeast: .hours(1)))
        token.targets.append(
            TargetState(id: TargetID(file: "/gone", key: nil), generation: "g1", deliveredAt: monday, takenAt: monday, appliedAt: monday))
        #expect(token.step(for: policy, at: moment(after: 3600)) == .release("g1"))
        // Without any policy nobody knows which targets still count.
        #expect(token.step(for: nil, at: moment(after: 3600)) == .wait(nil))
    }

    @Test func `a reading that failed is waited for`() throws {
        var (token, policy) = try overlapping(Overlap(atLeast: .hours(1), quietFor: .hours(1)))
        try token.advance(.readFailed("g1", why: "503", retryAfter: 120), for: policy, at: moment(after: 0))
        #expect(token.step(for: policy, at: moment(after: 1)) == .wait(monday.addingTimeInterval(120)))
        #expect(token.step(for: policy, at: moment(after: 120)) == .read("g1"))
    }

    @Test func `a revocation that was answered and shows no effect is asked for again after ten minutes`() throws {
        var (token, policy) = try overlapping(Overlap(atLeast: .zero))
        token = try token.after([.released("g1")], for: policy)
        #expect(token.step(for: policy, at: moment()) == .revoke("g1"))
        token = try token.after([.revokeAnswered("g1")], for: policy)
        #expect(token.step(for: policy, at: moment()) == .seeRefused("g1"))
        let accepted = Event.revokeFailed("g1", why: "still accepted", needsPerson: false, retryAfter: nil)
        token = try token.after([accepted], for: policy, at: moment(after: 600))
        #expect(token.generation("g1")?.revokeAnsweredAt != nil)
        token = try token.after([accepted], for: policy, at: moment(after: 601))
        #expect(token.step(for: policy, at: moment(after: 700)) == .revoke("g1"))
        token = try token.after([.revokeAnswered("g1"), .seenRefused("g1")], for: policy, at: moment(after: 700))
        #expect(token.generation("g1")?.state == .revoked && token.step(for: policy, at: moment(after: 700)) == .wait(nil))
    }

    @Test func `what lacks before it may be revoked is said, the first thing first`() throws {
        let overlap = Overlap(atLeast: .hours(1), quietFor: .hours(6), atMost: .days(2))
        var (token, policy) = try overlapping(overlap)
        func lack(after seconds: TimeInterval, _ policy: TokenPolicy?) throws -> Lack? {
            Lack(of: try #require(token.generation("g1")), of: token, under: policy, at: moment(after: seconds))
        }
        #expect(try lack(after: 60, policy) == .time)
        #expect(try lack(after: 3600, policy) == .reading)
        try token.advance(.readFailed("g1", why: "it answered 500", retryAfter: nil), for: policy, at: moment(after: 3600))
        #expect(try lack(after: 3600, policy) == .evidence("it answered 500"))
        let silence = Reading(today: nil, month: nil, lastUsedAt: nil)
        try token.advance(.read("g1", silence), for: policy, at: moment(after: 3700))
        #expect(try lack(after: 9000, policy) == .figures)
        let use = monday.addingTimeInterval(3600)
        try token.advance(.read("g1", Reading(today: 1, month: 1, lastUsedAt: use)), for: policy, at: moment(after: 9000))
        #expect(try lack(after: 9000, policy) == .quiet(.hours(6), lastUse: use))
        #expect(try lack(after: 9000, policy)?.sentence == "it has not been quiet for 6h yet, last used at 2026-11-02T11:00:00Z")
        #expect(try lack(after: 40000, policy) == nil)
        let id = policy.targets[0].id
        #expect(try lack(after: 40000, nil) == nil, "no target holds it")
        try token.advance(.drifted(id), for: policy, at: moment(after: 40000))
        #expect(try lack(after: 40000, nil) == .released(id))
        #expect(try lack(after: 40000, policy)?.sentence == "/read has not taken up the new one")
        try token.advance(.targetFailed(id, why: "/read: is a folder", needsPerson: true), for: policy, at: moment(after: 40000))
        #expect(try lack(after: 40000, policy)?.sentence == "/read: is a folder")
        token.current = nil
        #expect(try lack(after: 40000, policy) == .replacement)
    }
}
