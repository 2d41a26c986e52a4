import Foundation
import KeyturnCore
import Testing

@Suite struct StatusTests {
    let policy = TokenPolicy.sample()

    func status(_ token: Token, _ policy: TokenPolicy? = .sample(), after seconds: TimeInterval = 60) -> TokenStatus {
        let now = moment(after: seconds)
        return TokenStatus(of: token, under: policy, verdict: policy.map { Plan.verdict(on: token, under: $0, at: now) }, at: now)
    }

    @Test func `every state has its word`() throws {
        let rotating = try Token.active().after([.started(.scheduled, reason: nil)])
        let overlapping = try Token.active().after(AdvanceTests.applied + [.accepted("g2")])
        let revoking = try overlapping.after([.released("g1")])
        let ending = try Token.active().after([.ended(.requested)])
        let ended = try ending.after([.revokeAnswered("g1"), .seenRefused("g1")])
        let stuck = try Token.active().after([.targetFailed(AdvanceTests.told, why: "read-only", needsPerson: true)])
        let words: [(Token, TokenStatus.State)] = [
            (.blank(), .absent), (.active(), .active), (rotating, .rotating), (overlapping, .overlapping), (revoking, .revoking),
            (ending, .revoking),
            (ended, .ended), (stuck, .stuck),
        ]
        for (token, word) in words { #expect(status(token).state == word) }
        #expect(Set(words.map(\.1)) == Set(TokenStatus.State.allCases))
    }

    @Test func `a revocation says since when it is under way`() throws {
        let overlapping = try Token.active().after(AdvanceTests.applied + [.accepted("g2")])
        let revoking = try overlapping.after([.released("g1")], at: moment(after: 7200))
        #expect(status(revoking, after: 9000).reason == "revoking g1 since 2026-11-02T12:00:00Z")
    }

    @Test func `a token at rest says when it is replaced, and nothing else`() {
        let status = status(.active())
        #expect(status.nextRotation == TimeSpan.months(3).after(monday) && status.reason == nil && status.stuck == nil)
    }

    @Test func `what is due says why`() {
        #expect(status(.blank()).reason == "due: first")
        let due = TimeSpan.months(3).after(monday).timeIntervalSince(monday)
        let late = status(.active(), after: due)
        #expect(late.reason == "due: scheduled" && late.nextRotation == monday.addingTimeInterval(due))
    }

    @Test func `what waits for its window says until when`() throws {
        let policy = TokenPolicy.sample(rotate: .every(.days(1), window: try Window(parsing: "Mon 09:00-10:30"), jitter: .zero))
        let waiting = status(.active(policy), policy, after: 86400)
        #expect(waiting.reason == "outside of its window" && waiting.nextRotation == date("2026-11-09T09:00:00Z"))
    }

    @Test func `tokens that end or never turn have no next rotation`() throws {
        let temporary = TokenPolicy.sample(rotate: .never, expires: .after(.days(1)))
        let mortal = status(.active(temporary, expiresAt: monday.addingTimeInterval(86400)), temporary)
        #expect(mortal.nextRotation == nil && mortal.reason?.contains("temporary") == true)
        let eternal = TokenPolicy.sample(rotate: .never)
        #expect(status(.active(eternal), eternal).nextRotation == nil && status(.active(eternal), eternal).reason == "rotate: never")
        let ended = status(try Token.active().after([.ended(.requested)]))
        #expect(ended.nextRotation == nil)
    }

    @Test func `a rotation under way says what it is at`() throws {
        #expect(status(try Token.active().after([.started(.scheduled, reason: nil)])).reason == "minting a new generation")
        #expect(status(try Token.active().after(AdvanceTests.verified)).reason == "publishing g2")
    }

    @Test func `a gateway that does not answer is a reason at once and stuck after three times`() throws {
        let held = Event.heldBack(why: "503", needsPerson: false, retryAfter: nil)
        let token = try Token.active().after([.started(.scheduled, reason: nil), held, held])
        #expect(status(token).state == .rotating && status(token).reason == "503" && status(token).stuck == nil)
        let third = status(try token.after([held]))
        #expect(third.state == .stuck && third.stuck == "503")
    }

    @Test func `what only a person can end is stuck at once`() throws {
        let token = try Token.active().after([
            .started(.scheduled, reason: nil), .heldBack(why: "the account is full", needsPerson: true, retryAfter: nil),
        ])
        #expect(status(token).state == .stuck && status(token).stuck == "the account is full")
    }

    @Test func `a consumer that did not take it up is stuck, one that left the policy is not`() throws {
        let token = try Token.active().after([.targetFailed(AdvanceTests.told, why: "exit 1", needsPerson: false)])
        #expect(status(token).state == .stuck && status(token).stuck == "exit 1")
        #expect(status(token, .sample(targets: [.raw("/read")])).state == .active)
    }

    @Test func `an overlap says how long it lasts`() throws {
        let token = try Token.active().after(AdvanceTests.applied + [.accepted("g2")])
        let reason = status(token).reason
        #expect(reason == "g1 is kept until 2026-11-03T10:00:00Z")
        #expect(status(token, after: 2 * 86400).reason == "nobody needs g1 any more: it is revoked in the next pass")
    }

    @Test func `a lagging revocation is waiting for minutes before it is trouble`() throws {
        var token = try Token.active().after(AdvanceTests.applied + [.accepted("g2"), .released("g1"), .revokeAnswered("g1")])
        let accepted = Event.revokeFailed("g1", why: "still accepted", needsPerson: false, retryAfter: nil)
        for failure in 1...8 {
            token = try token.after([accepted])
            #expect(status(token).state == (failure < 8 ? .revoking : .stuck), "failure \(failure)")
        }
    }

    @Test func `rotations that came to nothing tell why`() throws {
        var token = Token.active()
        for number in 2...4 {
            let name = "g\(number)"
            token = try token.after([.started(.dead, reason: nil), .intended(name), .minted(name), .refused(name, why: "it lacks gpt-4")])
            token = try token.after([.revokeAnswered(name), .seenRefused(name)])
        }
        let status = status(token)
        #expect(status.state == .stuck && status.stuck == "g4 was withdrawn: it lacks gpt-4")
    }

    @Test func `a token that no policy asks for says so`() {
        #expect(status(.active(), nil).reason == "no policy asks for it any more")
    }

    @Test func `what waits for its gateway says what is wrong there, and is stuck where that needs a person or lasts`() throws {
        func finding(_ code: Finding.Code, _ severity: Severity, at gateway: String = "toy") -> Finding {
            Finding(code: code, severity: severity, subject: gateway, sentence: "\(code.rawValue) of \(gateway)", help: "")
        }
        func seen(_ token: Token, _ findings: [Finding], for seconds: TimeInterval = 0) -> TokenStatus {
            let now = moment(after: 60)
            let obstacles = findings.compactMap { Obstacle($0, openedAt: now.wall.addingTimeInterval(-seconds)) }
            let verdict = Plan.verdict(on: token, under: policy, at: now)
            return status(token).heeding(Obstacle.worst(of: obstacles, for: token, verdict, at: now), at: now)
        }
        let away = finding(.gatewayUnreachable, .warning)
        let dead = finding(.adminTokenRefused, .error)
        let rotating = try Token.active().after([.started(.scheduled, reason: nil)])
        for token in [rotating, .blank(), try Token.active().after([.ended(.requested)])] {
            let hiccup = seen(token, [away], for: 60)
            #expect(hiccup.reason == "gateway-unreachable of toy" && hiccup.stuck == nil && hiccup.state == status(token).state)
            #expect(seen(token, [away], for: 700).stuck == "gateway-unreachable of toy")
            let refused = seen(token, [away, dead])
            #expect(refused.stuck == "admin-token-refused of toy" && refused.state == .stuck)
            #expect(seen(token, [finding(.keyringUnknown, .error, at: "")]).state == .stuck)
            #expect(seen(token, [finding(.adminTokenRefused, .error, at: "other"), finding(.clockOff, .error)]) == status(token))
        }
        // Nothing of these is to be done at the gateway now; and an error of its own says more.
        let overlapping = try Token.active().after(AdvanceTests.applied + [.accepted("g2")])
        for token in [.active(), overlapping, try Token.active().after(AdvanceTests.verified)] {
            #expect(seen(token, [dead]) == status(token))
        }
        let failed = try rotating.after([.heldBack(why: "the account is full", needsPerson: true, retryAfter: nil)])
        #expect(seen(failed, [dead]).stuck == "the account is full")
    }
}
