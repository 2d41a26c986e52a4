import Foundation
import KeyturnCore
import Testing

@Suite struct AgendaTests {
    let gateway = GatewayName("toy")

    func agenda(_ tokens: [(Token, TokenPolicy)], days: Double) -> Agenda {
        let policies = Dictionary(uniqueKeysWithValues: tokens.map { ($0.0.name, $0.1) })
        return Agenda(tokens: tokens.map(\.0), policies: policies, from: moment(), until: monday.addingTimeInterval(days * 86400))
    }

    func named(_ name: String, _ rotate: RotateRule, expires: Expiry = .never) -> TokenPolicy {
        var policy = TokenPolicy.sample(rotate: rotate, expires: expires)
        policy.pattern = NamingPattern(prefix: name + "-", suffix: "")
        return policy
    }

    /// `DAY: COUNT` of the peak.
    func peak(_ agenda: Agenda) -> String {
        agenda.peaks[gateway].map { "\($0.at.timeIntervalSince(monday) / 86400): \($0.count)" } ?? "none"
    }

    func days(_ agenda: Agenda, _ what: Agenda.What) -> [Double] {
        agenda.turns.filter { $0.what == what }.map { $0.at.timeIntervalSince(monday) / 86400 }
    }

    @Test func `a token turns every span and is revoked when its overlap is over`() {
        let policy = named("a", .every(.days(10), window: nil, jitter: .zero))
        let agenda = agenda([(.active(policy), policy)], days: 30)
        #expect(days(agenda, .rotate) == [10, 20, 30])
        #expect(days(agenda, .revoke) == [11, 21])
        #expect(agenda.turns.map(\.at) == agenda.turns.map(\.at).sorted())
        #expect(peak(agenda) == "10.0: 2")
    }

    @Test func `turns on the same day need their places at once`() {
        let tokens = ["a", "b", "c"].map { name in
            let policy = named(name, .every(.days(name == "c" ? 15 : 10), window: nil, jitter: .zero))
            return (Token.active(policy), policy)
        }
        let agenda = agenda(tokens, days: 29)
        #expect(peak(agenda) == "10.0: 5")
        #expect(agenda.turns.first?.token == TokenName("a"))
    }

    @Test func `windows and expiries count`() throws {
        let window = named("a", .every(.days(5), window: try Window(parsing: "Mon 09:00-16:00"), jitter: .zero))
        let openings = agenda([(.active(window), window)], days: 22).turns.filter { $0.what == .rotate }.map(\.at)
        #expect(openings == ["2026-11-09T09:00:00Z", "2026-11-16T09:00:00Z", "2026-11-23T09:00:00Z"].map(date))
        let mortal = named("b", .every(.months(3), window: nil, jitter: .zero), expires: .after(.days(12)))
        let token = Token.active(mortal, expiresAt: monday.addingTimeInterval(12 * 86400))
        #expect(days(agenda([(token, mortal)], days: 25), .rotate) == [10, 20])
    }

    @Test func `a token that nobody has is issued now, and then turns`() {
        let policy = named("a", .every(.days(10), window: nil, jitter: .zero))
        let agenda = agenda([(.blank(policy), policy)], days: 10)
        #expect(days(agenda, .rotate) == [0, 10])
        #expect(agenda.peaks[gateway]?.count == 2)
    }

    @Test func `a first issue under way takes one place, a rotation under way two until its overlap is over`() throws {
        let policy = named("a", .every(.days(100), window: nil, jitter: .zero))
        let issuing = try Token.blank(policy).after([.started(.first, reason: nil), .intended("g1"), .minted("g1")], for: policy)
        let first = agenda([(issuing, policy)], days: 10)
        #expect(first.turns.isEmpty && peak(first) == "0.0: 1")
        let minting = try Token.blank(policy).after([.started(.first, reason: nil)], for: policy)
        #expect(peak(agenda([(minting, policy)], days: 10)) == "0.0: 1")
        let rotating = try Token.active(policy).after([.started(.requested, reason: nil), .intended("g2"), .minted("g2")], for: policy)
        let second = agenda([(rotating, policy)], days: 10)
        #expect(days(second, .rotate) == [] && days(second, .revoke) == [1] && peak(second) == "0.0: 2")
    }

    @Test func `what is to be adopted does not turn`() {
        var policy = TokenPolicy.sample()
        policy.adopt = true
        #expect(agenda([(.blank(policy), policy)], days: 300).turns.isEmpty)
        #expect(agenda([(.active(policy), policy)], days: 300).turns.isEmpty == false)
    }

    @Test func `a temporary token ends and gives its place back`() {
        let policy = named("a", .never, expires: .after(.days(5)))
        let agenda = agenda([(.active(policy, expiresAt: monday.addingTimeInterval(5 * 86400)), policy)], days: 30)
        #expect(days(agenda, .end) == [5] && agenda.turns.count == 1 && agenda.turns[0].token == policy.name)
        #expect(agenda.peaks[gateway]?.count == 1)
    }

    @Test func `a fixed date is not approached in ever smaller steps`() {
        let policy = named("a", .every(.months(3), window: nil, jitter: .zero), expires: .on(monday.addingTimeInterval(20 * 86400)))
        #expect(days(agenda([(.active(policy, expiresAt: monday.addingTimeInterval(20 * 86400)), policy)], days: 30), .rotate) == [])
    }

    @Test func `an overlap under way takes a place until it is over`() throws {
        let token = try Token.active().after(AdvanceTests.applied + [.accepted("g2")])
        let agenda = agenda([(token, .sample())], days: 10)
        #expect(days(agenda, .revoke) == [1] && agenda.turns.count == 1)
        #expect(peak(agenda) == "0.0: 2")
    }

    @Test func `what has ended or left its policy does not turn`() throws {
        let ended = try Token.active().after([.ended(.requested), .revokeAnswered("g1"), .seenRefused("g1")])
        #expect(agenda([(ended, .sample())], days: 300).turns.isEmpty)
        #expect(Agenda(tokens: [.active()], policies: [:], from: moment(), until: .distantFuture).turns.isEmpty)
    }

    @Test func `a policy of seconds does not fill a year, and turns and peak go no further than they are whole`() {
        let busy = named("busy", .every(.seconds(2), window: nil, jitter: .zero))
        let calm = named("calm", .every(.days(1), window: nil, jitter: .zero))
        let cut = agenda([(.active(calm), calm), (.active(busy), busy)], days: 365)
        #expect(cut.cut == Agenda.Cut(at: monday.addingTimeInterval(400), token: busy.name, turns: 400))
        // 200 rotations, each revoked a day after: none of these lies before the cut, nor does what the calm one does.
        #expect(cut.turns.count == 200 && cut.turns.allSatisfy { $0.token == busy.name && $0.at <= monday.addingTimeInterval(400) })
        #expect(cut.peaks[gateway] == Agenda.Peak(at: monday.addingTimeInterval(400), count: 202))
        let whole = agenda([(.active(calm), calm), (.active(busy), busy)], days: 300 / 86400.0)
        #expect(whole.cut == nil && whole.turns.count == 150)
    }

    @Test func `with many tokens each is looked at for fewer turns`() {
        let tokens = (0..<1000).map { number in
            let policy = named("t\(number)", .every(.days(1), window: nil, jitter: .zero))
            return (Token.active(policy), policy)
        }
        let agenda = agenda(tokens, days: 3650)
        #expect(agenda.cut?.turns == 50 && agenda.cut?.at == monday.addingTimeInterval(25 * 86400))
        #expect(agenda.turns.count == 1000 * (25 + 24))
    }

    @Test func `what left its policy and is not kept ends when its time is over, and gives its places back`() throws {
        var left = try Token.active().after(AdvanceTests.applied + [.accepted("g2"), .left])
        left.whenRemoved = .revoke(after: .hours(12))
        let leaving = Agenda(tokens: [left], policies: [:], from: moment(), until: monday.addingTimeInterval(30 * 86400))
        // g1's overlap would be over after a day, and it ends with the token.
        #expect(days(leaving, .end) == [0.5] && leaving.turns.count == 1 && peak(leaving) == "0.0: 2")
        left.whenRemoved = .revoke(after: .days(7))
        let later = Agenda(tokens: [left], policies: [:], from: moment(), until: monday.addingTimeInterval(30 * 86400))
        #expect(days(later, .end) == [7] && days(later, .revoke) == [1])
        let many = (0..<4).map { number in
            var token = left
            token.name = TokenName("t\(number)")
            return token
        }
        let asked = Agenda(tokens: many, policies: [:], from: moment(), until: .distantFuture)
        #expect(days(asked, .end) == [], "a person is asked about many at once")
    }
}
