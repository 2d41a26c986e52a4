import Foundation
import KeyturnCore
import Testing

@Suite struct PlanTests {
    let policy = TokenPolicy.sample()

    /// Due, or found out, `seconds` after the generation was made.
    func verdict(
        _ token: Token, _ policy: TokenPolicy = .sample(), dead: String? = nil, isGone: Bool = false, after seconds: TimeInterval = 60
    ) -> Verdict {
        var facts = Facts()
        facts.dead = dead
        facts.secretIsGone = isGone
        return Plan.verdict(on: token, under: policy, facts: facts, at: moment(after: seconds))
    }

    @Test func `a token that nobody has is issued`() {
        #expect(verdict(.blank()) == .start(.first, reason: nil))
    }

    @Test func `a token in use rests until it is due`() {
        let due = TimeSpan.months(3).after(monday)
        #expect(verdict(.active()) == .rests(until: due, why: "not due"))
        #expect(verdict(.active(), after: due.timeIntervalSince(monday)) == .start(.scheduled, reason: nil))
    }

    @Test func `a rotation that is under way is all there is to decide`() throws {
        let token = try Token.active().after([.started(.scheduled, reason: nil)])
        #expect(verdict(token, dead: "401") == .underWay)
    }

    @Test func `a dead secret is replaced at once, windows or not`() {
        let closed = TokenPolicy.sample(
            rotate: .every(.months(3), window: Window(days: [], opens: 0, closes: 1, zone: .gmt), jitter: .zero))
        #expect(verdict(.active(closed), closed, dead: "401") == .start(.dead, reason: "401"))
        guard case .start(.dead, let why?) = verdict(.active(closed), closed, isGone: true) else {
            Issue.record("\(verdict(.active(closed), closed, isGone: true))")
            return
        }
        #expect(why.contains("keyring"))
    }

    @Test func `a token whose generation was withdrawn is issued anew`() {
        var token = Token.blank()
        token.serial = 1
        #expect(verdict(token) == .start(.dead, reason: "no generation of it is in use"))
    }

    @Test func `an expired generation is replaced`() {
        let policy = TokenPolicy.sample(expires: .after(.days(1)))
        let token = Token.active(policy, expiresAt: monday.addingTimeInterval(86400))
        #expect(verdict(token, policy, after: 86400) == .start(.dead, reason: "its generation has expired"))
    }

    @Test func `an expires date that is past issues nothing, whatever happens to the token`() {
        let end = monday.addingTimeInterval(86400)
        let policy = TokenPolicy.sample(expires: .on(end))
        let past = Verdict.rests(until: nil, why: "its expires date is past: nothing is issued")
        #expect(verdict(.blank(policy), policy, after: 86399) == .start(.first, reason: nil))
        #expect(verdict(.blank(policy), policy, after: 86400) == past)
        #expect(verdict(.active(policy, expiresAt: end), policy, after: 86400) == past)
        // The date was moved into the past after the generation was made.
        let living = Token.active(policy, expiresAt: end.addingTimeInterval(1e6))
        #expect(verdict(living, policy, dead: "401", after: 90_000) == past)
        #expect(verdict(living, policy, isGone: true, after: 90_000) == past)
    }

    @Test func `a temporary token ends when it expires`() {
        let policy = TokenPolicy.sample(rotate: .never, expires: .after(.days(1)))
        let end = monday.addingTimeInterval(86400)
        let token = Token.active(policy, expiresAt: end)
        guard case .rests(until: end, _) = verdict(token, policy) else {
            Issue.record("\(verdict(token, policy))")
            return
        }
        #expect(verdict(token, policy, after: 86400) == .end(.expired))
        let dated = TokenPolicy.sample(rotate: .never, expires: .on(end))
        #expect(verdict(.active(dated, expiresAt: end), dated, after: 86400) == .end(.expired))
    }

    @Test func `a token that never rotates and never expires is no temporary one, even if an adopted generation ends`() {
        let policy = TokenPolicy.sample(rotate: .never)
        #expect(verdict(.active(policy), policy) == .rests(until: nil, why: "rotate: never"))
        let adopted = Token.active(policy, expiresAt: monday.addingTimeInterval(86400))
        #expect(verdict(adopted, policy, after: 86400) == .start(.dead, reason: "its generation has expired"))
    }

    @Test(arguments: [Token.Ending.requested, .expired]) func `what has ended stays so until it is asked for`(ending: Token.Ending) throws {
        let token = try Token.active().after([.ended(ending)])
        guard case .rests(nil, let why) = verdict(token, dead: "401") else {
            Issue.record("\(verdict(token))")
            return
        }
        #expect(why == (ending == .expired ? "expired" : "ended by request"))
        let resumed = try token.after([.resumed])
        #expect(verdict(resumed) == .start(.dead, reason: "no generation of it is in use"))
    }

    @Test func `changed attributes are put into effect by a rotation, in its window`() throws {
        var changed = policy
        changed.attributes.models = .only(["gpt-4"])
        #expect(verdict(.active(policy), changed) == .start(.changed, reason: "the policy's attributes changed"))
        // The order of a list is no change.
        changed.attributes.models = .only(["b", "a"])
        var same = changed
        same.attributes.models = .only(["a", "b"])
        #expect(verdict(.active(changed), same) == .rests(until: TimeSpan.months(3).after(monday), why: "not due"))

        changed.rotate = .every(.months(3), window: try Window(parsing: "Tue 09:00-10:00"), jitter: .zero)
        let opening = date("2026-11-03T09:00:00Z")
        #expect(verdict(.active(policy), changed) == .waits(until: opening, why: "the policy's attributes changed; outside of its window"))
        #expect(
            verdict(.active(policy), changed, after: opening.timeIntervalSince(monday))
                == .start(.changed, reason: "the policy's attributes changed"))
    }

    @Test func `a change that waits for its window does not hold back what an expiry needs`() throws {
        let closed = Window(days: [], opens: 0, closes: 1, zone: .gmt)
        var changed = TokenPolicy.sample(rotate: .every(.months(3), window: closed, jitter: .zero), expires: .after(.days(10)))
        changed.attributes.models = .only(["gpt-4"])
        let token = Token.active(policy, expiresAt: monday.addingTimeInterval(10 * 86400))
        let lead = monday.addingTimeInterval(8 * 86400)
        #expect(verdict(token, changed) == .waits(until: lead, why: "the policy's attributes changed; outside of its window"))
        guard case .start(.expiring, _) = verdict(token, changed, after: 8 * 86400) else {
            Issue.record("\(verdict(token, changed, after: 8 * 86400))")
            return
        }
    }

    @Test func `what is due waits for its window`() throws {
        var policy = self.policy
        policy.rotate = .every(.days(1), window: try Window(parsing: "Mon 09:00-10:30"), jitter: .zero)
        let opening = date("2026-11-09T09:00:00Z")
        #expect(verdict(.active(policy), policy, after: 86400) == .waits(until: opening, why: "outside of its window"))
        #expect(verdict(.active(policy), policy, after: opening.timeIntervalSince(monday)) == .start(.scheduled, reason: nil))
    }

    @Test func `a window that never opens is said`() {
        let policy = TokenPolicy.sample(
            rotate: .every(.days(1), window: Window(days: [2], opens: 60, closes: 60, zone: .gmt), jitter: .zero))
        #expect(verdict(.active(policy), policy, after: 86400) == .waits(until: nil, why: "its window never opens"))
    }

    @Test func `after rotations that came to nothing the next one waits`() throws {
        let started: [Event] = [.started(.dead, reason: nil), .intended("g2"), .minted("g2"), .refused("g2", why: "it lacks gpt-4")]
        let token = try Token.active().after(started)
        guard case .waits(let until?, let why) = verdict(token, dead: "401", after: 0) else {
            Issue.record("\(verdict(token, dead: "401", after: 0))")
            return
        }
        #expect(until > monday && until < monday.addingTimeInterval(1.2))
        #expect(why.contains("tried 1x") && why.contains("it lacks gpt-4"))
        #expect(verdict(token, dead: "401", after: 2) == .start(.dead, reason: "401"))
    }

    @Test func `what is broken goes first, what is only due goes last`() {
        let order: [Rotation.Cause] = [.leaked, .dead, .expiring, .requested, .first, .changed, .scheduled]
        #expect(order.sorted { Plan.urgency(of: $0) < Plan.urgency(of: $1) } == order)
        #expect(Plan.urgency(of: .adopted) == Plan.urgency(of: .requested))
    }
}
