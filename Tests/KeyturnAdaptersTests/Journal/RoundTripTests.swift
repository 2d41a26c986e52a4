import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Testing

/// What is written is what is read, for every value of every type. The seed is the test's argument.
struct `The journal gives back what it was given` {
    private let fixture: JournalFixture
    private var journal: SQLiteJournal { fixture.journal }
    init() throws { fixture = try JournalFixture() }

    @Test(arguments: UInt64(1)...20)
    func `tokens with all their parts, one by one and in the ledger`(seed: UInt64) throws {
        var sample = SampleValues(seed: seed)
        let tokens = (1...3).map { sample.token("token-\($0)") }
        for token in tokens { try journal.record(token, []) }
        for token in tokens { #expect(try journal.token(token.name) == token) }
        #expect(try journal.ledger() == tokens)
        // What was there is replaced, by nothing where the new value has nothing.
        var changed: [Token] = []
        for number in 1...3 {
            changed.append(sample.token("token-\(number)"))
            changed[number - 1].rotation = changed[number - 1].rotation ?? tokens[number - 1].rotation
            changed[number - 1].targets.removeLast(number - 1)
            try journal.record(changed[number - 1], [])
        }
        #expect(try journal.ledger() == changed)
    }

    @Test(arguments: UInt64(1)...5)
    func `a time to the millisecond`(seed: UInt64) throws {
        var sample = SampleValues(seed: seed)
        for _ in 0..<200 {
            let milliseconds = sample.milliseconds()
            let request = try journal.file(
                Request(verb: .revoke, token: TokenName("t"), filedAt: Date(timeIntervalSince1970: Double(milliseconds) / 1000))
            )
            let read = try #require(try journal.request(request.number)).filedAt.timeIntervalSince1970 * 1000
            #expect(abs(read - Double(milliseconds)) < 0.001, "\(milliseconds)")
        }
    }

    @Test(arguments: UInt64(1)...10, Rotation.Phase.allCases)
    func `rotations in every phase, the ended ones by their number`(seed: UInt64, phase: Rotation.Phase) throws {
        var sample = SampleValues(seed: seed)
        var token = JournalFixture.token("t")
        let rotation = sample.rotation("t#1", phase)
        token.rotation = rotation
        try journal.record(token, [])
        #expect(try journal.rotation("t#1") == rotation)
        #expect(try journal.token(token.name)?.rotation == (rotation.isOpen ? rotation : nil))
        #expect(try journal.rotation("t#2") == nil)
    }

    @Test func `every state of a generation by its name, and nothing for a name that is not ours`() throws {
        var sample = SampleValues(seed: 1)
        var token = JournalFixture.token("t")
        token.generations = Generation.State.allCases.map { sample.generation("t-\($0.rawValue)", $0) }
        try journal.record(token, [])
        let names = Set(token.generations.map(\.name) + ["t-foreign"])
        let states = Dictionary(uniqueKeysWithValues: Generation.State.allCases.map { ("t-\($0.rawValue)", $0) })
        #expect(try journal.states(of: token.gateway, names: names) == states)
        #expect(try journal.states(of: GatewayName("other"), names: names) == [:])
        #expect(try journal.token(token.name)?.generations.contains { $0.state == .revoked } == false)
    }

    @Test func `names by their beginning, whatever signs are in it, the revoked ones too`() throws {
        var token = JournalFixture.token("t", "a%b_c-2026-11", .revoked)
        token.generations.append(Generation(name: "aXbYc-2026-11", state: .held, intendedAt: JournalFixture.noon, signature: ""))
        try journal.record(token, [])
        #expect(try journal.names(of: token.gateway, startingWith: "a%b_c") == ["a%b_c-2026-11"])
        #expect(try journal.names(of: token.gateway, startingWith: "a") == ["a%b_c-2026-11", "aXbYc-2026-11"])
        #expect(try journal.names(of: token.gateway, startingWith: "A") == [])
        #expect(try journal.names(of: GatewayName("other"), startingWith: "a") == [])
    }

    @Test(arguments: UInt64(1)...20)
    func `requests, before and after their answer`(seed: UInt64) throws {
        var sample = SampleValues(seed: seed)
        var filed: [Request] = []
        for verb in [Request.Verb.rotate, .revoke, .adopt, .leak] {
            let request = sample.request(verb)
            var expected = request
            let one = try journal.file(request)
            expected.number = one.number
            #expect(one == expected)
            filed.append(one)
        }
        #expect(try journal.pendingRequests() == filed)
        var answered = filed[1]
        answered.answeredAt = sample.date()
        answered.refusal = sample.maybe { $0.text() }
        answered.rotation = sample.maybe { $0.text() }
        try journal.answer(answered, at: try #require(answered.answeredAt))
        #expect(try journal.request(answered.number) == answered)
        #expect(try journal.pendingRequests() == [filed[0], filed[2], filed[3]])
        #expect(try journal.request(99) == nil)
    }

    @Test(arguments: UInt64(1)...20)
    func `history, numbered in the order in which it happened`(seed: UInt64) throws {
        var sample = SampleValues(seed: seed)
        var entries = (0..<6).map { _ in sample.entry() }
        try journal.record(JournalFixture.token("t"), Array(entries[..<2]))
        try journal.record(JournalFixture.token("t"), Array(entries[2...]))
        for index in entries.indices { entries[index].number = Int64(index + 1) }
        #expect(try journal.history(of: nil, after: 0, limit: 10) == entries)
        #expect(try journal.history(of: nil, after: 4, limit: 10) == Array(entries[4...]))
        // The newest of them, told oldest first.
        #expect(try journal.history(of: nil, after: 0, limit: 2) == Array(entries[4...]))
        let token = entries[3].token
        #expect(try journal.history(of: token, after: 0, limit: 10) == entries.filter { $0.token == token })
    }

    @Test(arguments: UInt64(1)...20)
    func `findings of every code`(seed: UInt64) throws {
        var sample = SampleValues(seed: seed)
        let findings = Finding.Code.allCases.map { sample.finding($0) }
        let at = sample.date()
        let changes = try journal.reconcile(findings, judged: { _ in true }, at: at)
        #expect(Set(changes.opened.map(\.key)) == Set(findings.map(\.key)))
        let open = try journal.openFindings()
        #expect(open.map(\.finding) == changes.opened)
        #expect(open.allSatisfy { $0.openedAt == at })
        #expect(open.map(\.finding).sorted { $0.key < $1.key } == findings.sorted { $0.key < $1.key })
    }
}
