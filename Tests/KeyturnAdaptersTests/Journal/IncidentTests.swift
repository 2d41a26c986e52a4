import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Testing

struct `Leaks in the journal` {
    private let fixture: JournalFixture
    private var journal: SQLiteJournal { fixture.journal }
    init() throws { fixture = try JournalFixture() }

    private func incident(_ token: Token) -> LeakIncident {
        let hours = [UsageCost.Hour(begin: JournalFixture.noon, calls: 3, cost: Decimal(string: "0.1") ?? 0)]
        let generations = [
            LeakIncident.Generation(
                name: "t-1", state: .held,
                before: Reading(today: Decimal(string: "1.25"), month: 300, lastUsedAt: nil), readAt: JournalFixture.noon,
                cost: UsageCost(hours: hours, isPart: true)), LeakIncident.Generation(name: "t-0", state: .abandoned),
        ]
        return LeakIncident(
            token: token.name, environment: "e", gateway: token.gateway, mode: .replaceFirst, reason: "in a \"repository\"",
            openedAt: JournalFixture.noon, generations: generations)
    }

    private func entry(_ token: Token, _ code: String) -> HistoryEntry {
        HistoryEntry(
            at: JournalFixture.noon, token: token.name, environment: "e", rotation: nil, generation: nil, code: code, sentence: code)
    }

    @Test func `an incident comes back as it was written, with the entry that began it, until it is closed`() throws {
        let token = JournalFixture.token("t")
        try journal.record(token, [entry(token, "before")])
        var expected = incident(token)
        try journal.open(expected, of: token, [entry(token, "leaked"), entry(token, "more")])
        (expected.number, expected.firstEntry) = (1, 2)
        #expect(try journal.openIncidents() == [expected])
        #expect(try journal.incidents(of: token.name) == [expected])
        #expect(try journal.incidents(of: TokenName("other")) == [])
        try journal.close(1, of: token, entry(token, "leak-over"))
        #expect(try journal.openIncidents() == [])
        #expect(try journal.incidents(of: token.name).first?.closedAt == JournalFixture.noon)
        #expect(try journal.history(of: token.name, after: 0, limit: 9).map(\.code) == ["before", "leaked", "more", "leak-over"])
    }

    @Test func `the fingerprint of what leaked is known for good`() throws {
        var token = JournalFixture.token("t")
        var generation = Generation(
            name: "t-9", state: .revoked, intendedAt: JournalFixture.noon, fingerprint: "0123456789ab", signature: "")
        token.generations = [generation]
        try journal.record(token, [])
        #expect(try journal.isLeaked(fingerprint: "0123456789ab") == false)
        generation.leakedAt = JournalFixture.noon
        token.generations = [generation]
        try journal.record(token, [])
        #expect(try journal.isLeaked(fingerprint: "0123456789ab"))
    }
}
