import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Testing

/// Findings open once, are retold in silence and close once.
struct `Findings are reconciled with what holds now` {
    private let fixture: JournalFixture
    private var journal: SQLiteJournal { fixture.journal }
    init() throws { fixture = try JournalFixture() }

    private func stuck(_ token: String, _ sentence: String = "is stuck", _ severity: Severity = .error, environment: String = "prod")
        -> Finding
    {
        Finding(code: .tokenStuck, severity: severity, token: TokenName(token), environment: environment, sentence: sentence, help: "help")
    }

    private func reconcile(_ findings: [Finding], judged: @Sendable (Finding) -> Bool = { _ in true }, at seconds: TimeInterval = 0) throws
        -> FindingChanges
    {
        try journal.reconcile(findings, judged: judged, at: JournalFixture.noon.addingTimeInterval(seconds))
    }

    @Test func `what is new opens, once`() throws {
        #expect(try reconcile([stuck("a"), stuck("b"), stuck("a")]) == FindingChanges(opened: [stuck("a"), stuck("b")], closed: []))
        #expect(try reconcile([stuck("a"), stuck("b")], at: 60) == FindingChanges(opened: [], closed: []))
        #expect(try journal.openFindings().map(\.openedAt) == [JournalFixture.noon, JournalFixture.noon])
    }

    @Test func `what is over closes, once, and may open again`() throws {
        _ = try reconcile([stuck("a"), stuck("b")])
        #expect(try reconcile([stuck("b")], at: 60) == FindingChanges(opened: [], closed: [stuck("a")]))
        #expect(try reconcile([stuck("b")], at: 120) == FindingChanges(opened: [], closed: []))
        #expect(try reconcile([stuck("a"), stuck("b")], at: 180) == FindingChanges(opened: [stuck("a")], closed: []))
        let open = try journal.openFindings()
        #expect(open.map(\.finding) == [stuck("b"), stuck("a")])
        #expect(open.map(\.openedAt) == [JournalFixture.noon, JournalFixture.noon.addingTimeInterval(180)])
    }

    @Test func `what could not be judged stays open`() throws {
        _ = try reconcile([stuck("a"), stuck("b")])
        #expect(try reconcile([], judged: { $0.token?.text == "a" }) == FindingChanges(opened: [], closed: [stuck("a")]))
        #expect(try journal.openFindings().map(\.finding) == [stuck("b")])
    }

    @Test func `what is told otherwise is kept as it is told now, without opening anew`() throws {
        _ = try reconcile([stuck("a")])
        let now = stuck("a", "is stuck elsewhere", .warning, environment: "test")
        #expect(try reconcile([now], at: 60) == FindingChanges(opened: [], closed: []))
        #expect(try journal.openFindings() == [OpenFinding(finding: now, openedAt: JournalFixture.noon)])
        #expect(try reconcile([], at: 120).closed == [now])
    }

    @Test func `a finding of a newer version's code is left alone`() throws {
        _ = try reconcile([stuck("a")])
        try shellSQL("UPDATE finding SET code = 'from-the-future', key = 'from-the-future a'")
        #expect(try journal.openFindings() == [])
        #expect(try reconcile([stuck("a")]) == FindingChanges(opened: [stuck("a")], closed: []))
        #expect(try reconcile([]) == FindingChanges(opened: [], closed: [stuck("a")]))
    }

    private func shellSQL(_ sql: String) throws {
        try JournalFixture.execute(sql, in: fixture.path)
    }
}
