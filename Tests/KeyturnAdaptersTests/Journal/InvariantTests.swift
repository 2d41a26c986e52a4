import Foundation
import GRDB
import KeyturnCore
import KeyturnEngine
import Testing

@testable import KeyturnAdapters
import KeyturnTestHost

/// What the database itself refuses, whoever asks.
struct `The journal's database keeps the promises` {
    private let fixture: JournalFixture
    private var journal: SQLiteJournal { fixture.journal }
    init() throws { fixture = try JournalFixture() }

    private func sqlComplaint(_ sql: String) -> String? {
        do {
            try journal.queue.write { db in try db.execute(sql: sql) }
            return nil
        } catch { return "\(error)" }
    }

    @Test func `what was recorded is on the disk: synchronous is FULL on the connection that writes, in WAL mode`() throws {
        let (level, mode) = try journal.queue.write { db in
            (try Int.fetchOne(db, sql: "PRAGMA synchronous"), try String.fetchOne(db, sql: "PRAGMA journal_mode"))
        }
        #expect(level == 2)
        #expect(mode == "wal")
        // Reading and a second opening do not change it.
        _ = try journal.ledger()
        _ = try SQLiteJournal(path: fixture.path)
        #expect(try journal.queue.write { db in try Int.fetchOne(db, sql: "PRAGMA synchronous") } == 2)
    }

    @Test(.enabled(if: Rights.mayTrace, "strace is not installed"))
    func `a record is synced before it returns`() throws {
        let arguments = [CommandLine.arguments[0], "--testing-library", "swift-testing", "--filter", "records one token to be traced"]
        let strace = try Child(
            [
                "/usr/bin/strace", "-f", "-qq", "-y", "-e", "signal=none", "-e", "trace=fsync,fdatasync,write,pwrite64", "-o",
                fixture.folder["trace"],
            ] + arguments,
            environment: ProcessInfo.processInfo.environment.merging(["KEYTURN_TRACED_JOURNAL": fixture.path]) { $1 })
        try #require(strace.waitForExit() == 0)
        let lines = try fixture.folder.text("trace").split(separator: "\n").map(String.init)
        let begins = try #require(lines.firstIndex { $0.contains("recording begins") })
        let ends = try #require(lines.firstIndex { $0.contains("recording ends") })
        let wal = lines[begins..<ends].filter { $0.contains("journal.db-wal") }
        #expect(wal.contains { $0.contains("pwrite64(") })
        #expect(wal.last.map { $0.contains("fsync(") || $0.contains("fdatasync(") } == true, "\(wal.suffix(3))")
    }

    @Test func `its files are their owner's alone, whatever the umask`() async throws {
        let path = fixture.folder["open.db"]
        await #expect(processExitsWith: .success) { [path = path as String] in
            umask(0)
            let journal = try SQLiteJournal(path: path)
            try journal.record(JournalFixture.token("t"), [])
            for file in [path, path + "-wal", path + "-shm"] { #expect(try Facts(file).mode == 0o600, "\(file)") }
        }
    }

    @Test func `a token has one open rotation at most`() throws {
        var token = JournalFixture.token("t")
        token.rotation = Rotation(id: "t#1", cause: .first, startedAt: JournalFixture.noon)
        try journal.record(token, [])
        token.rotation = Rotation(id: "t#2", cause: .requested, startedAt: JournalFixture.noon)
        let complaint = journalComplaint { () throws(JournalError) in try journal.record(token, [JournalFixture.entry("t")]) }
        #expect(complaint?.contains("UNIQUE constraint failed: rotation.token") == true)
        #expect(complaint?.contains(fixture.path) == true)
        // In one transaction: the history does not tell of what did not happen.
        #expect(try journal.history(of: nil, after: 0, limit: 9).isEmpty)
        #expect(try journal.token(token.name)?.rotation?.id == "t#1")
        // Once the first is over, the second may begin.
        token.rotation = Rotation(id: "t#1", cause: .first, startedAt: JournalFixture.noon, endedAt: JournalFixture.noon, phase: .finished)
        try journal.record(token, [])
        token.rotation = Rotation(id: "t#2", cause: .requested, startedAt: JournalFixture.noon)
        try journal.record(token, [])
        #expect(try journal.token(token.name)?.rotation?.id == "t#2")
    }

    @Test func `a generation's name is used once at a gateway: another token does not get it`() throws {
        try journal.record(JournalFixture.token("mine", "shared-2026-11"), [])
        let complaint = journalComplaint { () throws(JournalError) in
            try journal.record(JournalFixture.token("yours", "shared-2026-11", .revoking), [])
        }
        #expect(complaint?.contains("shared-2026-11") == true)
        #expect(complaint?.contains(fixture.path) == true)
        #expect(try journal.token(TokenName("mine"))?.generations.map(\.state) == [.held])
        #expect(try journal.token(TokenName("yours")) == nil)
        // The same name at another gateway is another generation.
        var other = JournalFixture.token("yours", "shared-2026-11")
        other.gateway = GatewayName("other")
        try journal.record(other, [])
        #expect(try journal.states(of: other.gateway, names: ["shared-2026-11"]) == ["shared-2026-11": .held])
    }

    @Test func `a rotation stays with its token`() throws {
        var token = JournalFixture.token("mine")
        token.rotation = Rotation(id: "mine#1", cause: .first, startedAt: JournalFixture.noon)
        try journal.record(token, [])
        var other = JournalFixture.token("yours")
        other.rotation = token.rotation
        #expect(journalComplaint { () throws(JournalError) in try journal.record(other, []) }?.contains("mine#1") == true)
        #expect(try journal.token(token.name)?.rotation?.id == "mine#1")
    }

    @Test(arguments: ["UPDATE history SET sentence = 'nothing'", "DELETE FROM history", "REPLACE INTO history SELECT * FROM history"])
    func `history cannot be changed or taken back`(sql: String) throws {
        try journal.record(JournalFixture.token("t"), [JournalFixture.entry("t")])
        let before = try journal.history(of: nil, after: 0, limit: 9)
        #expect(sqlComplaint(sql) != nil)
        #expect(try journal.history(of: nil, after: 0, limit: 9) == before)
        #expect(before.count == 1)
    }

    @Test(arguments: [
        "INSERT INTO token VALUES ('x', 'e', 'g', 0, NULL, 'sometimes', '2026-01-01', 0, NULL, NULL, 0)",
        "INSERT INTO token VALUES ('x', 'e', 'g', 0, NULL, 'expired', NULL, 0, NULL, NULL, 0)",
        "UPDATE generation SET state = 'asleep'",
        "UPDATE generation SET state = 'retiring', retired_at = NULL",
        "UPDATE generation SET fingerprint = 'sk-a whole secret'",
        "UPDATE generation SET token = 'nobody'",
        "UPDATE rotation SET phase = 'dreaming'",
        "UPDATE rotation SET phase = 'finished'",
        "UPDATE rotation SET cause = 'boredom'",
        "UPDATE finding SET severity = 'grave'",
        "UPDATE request SET verb = 'explode'",
        "UPDATE token SET serial = 'many'",
        "DELETE FROM token",
    ])
    func `a word or a state that is none is refused`(sql: String) throws {
        var token = JournalFixture.token("t")
        token.rotation = Rotation(id: "t#1", cause: .first, startedAt: JournalFixture.noon)
        try journal.record(token, [])
        _ = try journal.file(Request(verb: .rotate, token: token.name, filedAt: JournalFixture.noon))
        _ = try journal.reconcile(
            [Finding(code: .clockOff, severity: .error, sentence: "s", help: "h")], judged: { _ in true }, at: JournalFixture.noon)
        #expect(sqlComplaint(sql) != nil)
        #expect(try journal.ledger() == [token])
    }

    @Test func `a fact is set once and stays`() throws {
        #expect(try journal.fact("keyring") == nil)
        try journal.setFact("keyring", "one")
        try journal.setFact("keyring", "two")
        #expect(try journal.fact("keyring") == "one")
    }
}

/// In no suite, so that it leaves no folder behind.
@Test(.enabled(if: ProcessInfo.processInfo.environment["KEYTURN_TRACED_JOURNAL"] != nil, "run by the tests above"))
func `records one token to be traced`() throws {
    let path: String = try #require(ProcessInfo.processInfo.environment["KEYTURN_TRACED_JOURNAL"])
    let journal = try SQLiteJournal(path: path)
    try FileHandle.standardError.write(contentsOf: Data("recording begins\n".utf8))
    try journal.record(JournalFixture.token("t"), [JournalFixture.entry("t")])
    try FileHandle.standardError.write(contentsOf: Data("recording ends\n".utf8))
}
