import Foundation
import GRDB
import KeyturnCore
import KeyturnEngine
import Testing

@testable import KeyturnAdapters

/// What was told to whom, on the disk.
struct `The outbox keeps what is owed` {
    private let fixture: JournalFixture
    private var journal: SQLiteJournal { fixture.journal }
    init() throws { fixture = try JournalFixture() }

    private static let noon = JournalFixture.noon

    private func finding(_ token: String, _ code: Finding.Code = .tokenStuck, subject: String = "", telling: Telling? = nil) -> Finding {
        Finding(code: code, severity: .error, token: TokenName(token), subject: subject, sentence: "s", help: "h", telling: telling)
    }

    private func reconcile(_ findings: Finding..., at seconds: TimeInterval = 0) throws {
        _ = try journal.reconcile(findings, judged: { _ in true }, at: Self.noon.addingTimeInterval(seconds))
    }

    private func desk(_ courier: String = "mail") throws -> CourierDesk {
        try #require(try journal.desk(of: courier, takenSince: Self.noon.addingTimeInterval(-3600)))
    }

    private func dispatch(_ words: [Int64: Notice.Word]) -> Dispatch {
        Dispatch(id: "finding.1.x", thread: "finding.1.x", begunAt: Self.noon, words: words)
    }

    @Test func `a finding that opens is owed to every courier, in the transaction of its opening`() throws {
        try journal.enlist(["mail", "hook"], at: Self.noon)
        try reconcile(finding("a"))
        for name in ["mail", "hook"] {
            #expect(try desk(name).notices.map(\.finding.token?.text) == ["a"])
            #expect(try desk(name).notices.map(\.told) == [0])
        }
        try fixtureSQL("CREATE TRIGGER no BEFORE INSERT ON notice BEGIN SELECT RAISE(ABORT, 'no'); END")
        #expect(throws: JournalError.self) { try reconcile(finding("a"), finding("b")) }
        #expect(try journal.openFindings().count == 1)
    }

    private func fixtureSQL(_ sql: String) throws { try JournalFixture.execute(sql, in: fixture.path) }

    @Test func `nobody is told of their own failure, nor of what is kept`() throws {
        try journal.enlist(["mail", "hook"], at: Self.noon)
        try reconcile(finding("a", .courierFailing, subject: "mail"), finding("b", telling: .kept))
        #expect(try desk("mail").notices.isEmpty)
        #expect(try desk("hook").notices.map(\.finding.code) == [.courierFailing])
    }

    @Test func `a new courier owes what is open, and one that is gone is owed nothing until it comes back`() throws {
        try reconcile(finding("a"), finding("b"))
        try reconcile(finding("b"), at: 60)
        try journal.enlist(["mail"], at: Self.noon)
        #expect(try desk().notices.map(\.finding.token?.text) == ["b"])
        try journal.enlist([], at: Self.noon)
        #expect(try journal.desk(of: "mail", takenSince: Self.noon) == nil)
        #expect(try journal.couriers().isEmpty)
        try reconcile(finding("b"), finding("c"), at: 120)
        try journal.enlist(["mail"], at: Self.noon)
        #expect(Set(try desk().notices.compactMap(\.finding.token?.text)) == ["b", "c"])
    }

    @Test func `what is being handed over is known to who comes after a death, and to nobody once it was taken`() throws {
        try journal.enlist(["mail"], at: Self.noon)
        try reconcile(finding("a"))
        let notice = try #require(try desk().notices.first)
        let message = dispatch([notice.number: .opened])
        try journal.begin(message, by: "mail")
        #expect(throws: JournalError.self) { try journal.begin(message, by: "mail") }
        let heir = try SQLiteJournal(path: fixture.path)
        #expect(try heir.desk(of: "mail", takenSince: Self.noon)?.underWay == message)
        let told = try #require(notice.saying(.opened, at: Self.noon))
        try heir.took(message, [told], by: "mail", at: Self.noon.addingTimeInterval(1))
        #expect(try desk().underWay == nil)
        #expect(try desk().notices == [told])
        #expect(try desk().taken == [Self.noon.addingTimeInterval(1)])
    }

    @Test func `a no dissolves the message, an unclear outcome keeps it, and success ends the trouble`() throws {
        try journal.enlist(["mail"], at: Self.noon)
        try reconcile(finding("a"))
        let message = dispatch([1: .opened])
        var attempts = Attempts()
        attempts.failed("no", needsPerson: true, of: "mail", at: Self.noon)
        try journal.begin(message, by: "mail")
        try journal.failed(message, by: "mail", attempts, since: Self.noon, isUnclear: false)
        #expect(try desk().underWay == nil && desk().notices.map(\.told) == [0])
        let state = try desk().state
        #expect(state.attempts.failures == 1 && state.attempts.needsPerson && state.attempts.lastError == "no")
        #expect(state.failingSince == Self.noon)
        try journal.begin(message, by: "mail")
        try journal.failed(message, by: "mail", attempts, since: Self.noon, isUnclear: true)
        #expect(try desk().underWay == message)
        try journal.took(message, [], by: "mail", at: Self.noon)
        #expect(try desk() == CourierDesk(state: CourierState(name: "mail"), notices: [], underWay: nil, taken: [Self.noon]))
    }

    @Test func `the same finding anew knows when it was told of last`() throws {
        try journal.enlist(["mail"], at: Self.noon)
        try reconcile(finding("a"))
        let message = dispatch([1: .opened])
        try journal.begin(message, by: "mail")
        try journal.took(message, [], by: "mail", at: Self.noon.addingTimeInterval(9))
        try reconcile(at: 60)
        try reconcile(finding("a"), at: 120)
        let notice = try #require(try desk().notices.first)
        #expect(notice.toldBefore == Self.noon.addingTimeInterval(9) && notice.told == 0)
    }

    @Test func `how a finding is told, its severity and its end are the notice's at once`() throws {
        try journal.enlist(["mail"], at: Self.noon)
        var finding = finding("a", telling: .once)
        try reconcile(finding)
        finding.severity = .warning
        finding.telling = .asked
        try reconcile(finding, at: 60)
        #expect(try desk().notices.first?.finding == finding)
        try reconcile(at: 120)
        #expect(try desk().notices.first?.closedAt == Self.noon.addingTimeInterval(120))
    }

    @Test func `a journal's messages bear a name of its own, made once`() throws {
        let name = try journal.host()
        #expect(name.count == 8)
        #expect(try journal.host() == name)
    }

    @Test func `a pass that changes nothing writes nothing, and looking at a courier reads no whole table`() throws {
        try journal.enlist(["mail"], at: Self.noon)
        try reconcile(finding("a"))
        let before = try SQLiteJournal(path: fixture.path)
        let version = try before.version()
        try journal.enlist(["mail"], at: Self.noon)
        _ = try desk()
        #expect(try before.version() == version)
    }
}
