import Foundation
import Glibc
import GRDB
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import KeyturnTestHost
import Testing

/// A journal that cannot serve names its file and says what to do.
struct `A broken journal says what is wrong and what helps` {
    private let folder: TestFolder
    private let path: String

    init() throws {
        folder = try TestFolder()
        path = folder["journal.db"]
    }

    private func openingComplaint() -> String? { journalComplaint { () throws(JournalError) in _ = try SQLiteJournal(path: path) } }

    private func make(_ count: Int = 50) throws {
        let journal = try SQLiteJournal(path: path)
        for number in 0..<count { try journal.record(JournalFixture.token("token-\(number)"), [JournalFixture.entry("t")]) }
    }

    @Test func `one of a newer version is refused and left as it is`() throws {
        try make(1)
        try JournalFixture.execute("INSERT INTO grdb_migrations VALUES ('99'); CREATE TABLE of_the_future (x)", in: path)
        func content() throws -> [String] {
            try DatabaseQueue(path: path).read { db in
                try String.fetchAll(
                    db,
                    sql: "SELECT name FROM sqlite_master UNION ALL SELECT identifier FROM grdb_migrations UNION ALL SELECT name FROM token")
            }
        }
        let before = try content()
        let complaint = try #require(openingComplaint())
        #expect(complaint.hasPrefix("journal \(path): it was written by a newer version of keyturn: install that version"))
        #expect(try content() == before)
        #expect(before.contains("of_the_future") && before.contains("token-0"))
    }

    @Test func `a file that is no database is refused and left as it is`() throws {
        let text = String(repeating: "dear diary\n", count: 1000)
        try folder.write(text, to: "journal.db")
        let complaint = try #require(openingComplaint())
        #expect(
            complaint.hasPrefix("journal \(path): file is not a database; it is damaged: stop keyturn, keep the file, and restore a backup")
        )
        #expect(try folder.text("journal.db") == text)
    }

    @Test func `pages of rubbish are an error of what is read, not an empty journal`() throws {
        try make()
        var bytes = try Data(contentsOf: URL(filePath: path))
        try #require(bytes.count > 20 * 4096)
        for index in (4096 * 2)..<bytes.count { bytes[index] = UInt8(truncatingIfNeeded: index &* 31) }
        try bytes.write(to: URL(filePath: path))
        let complaint = journalComplaint { () throws(JournalError) in _ = try SQLiteJournal(path: path).ledger() }
        #expect(complaint?.hasPrefix("journal \(path): ") == true)
        #expect(
            complaint?.contains("it is damaged: stop keyturn, keep the file, and restore a backup") == true, "\(complaint ?? "nothing")")
    }

    @Test(arguments: [
        "UPDATE generation SET intended_at = 'yesterday'", "UPDATE generation SET created_at = 'once'",
        "UPDATE token SET ending = 'expired', ended_at = 'x'",
        "UPDATE generation SET foreign_ids = '{'",
        "UPDATE generation SET read_today = 'NaN', retired_at = intended_at, overlap_until = intended_at, overlap_rest = 0, overlap_stamp = 0, overlap_boot = '', ask_at = intended_at, quiet_months = 0, quiet_milliseconds = 0",
        "UPDATE generation SET retired_at = intended_at, overlap_until = intended_at", "UPDATE generation SET refused_times = 3",
    ])
    func `a value that another hand wrote is an error and not the end of the process`(sql: String) throws {
        try make(1)
        try JournalFixture.execute(sql, in: path)
        let complaint = journalComplaint { () throws(JournalError) in _ = try SQLiteJournal(path: path).ledger() }
        #expect(complaint?.hasPrefix("journal \(path): ") == true, "\(complaint ?? "nothing")")
    }

    @Test func `a folder that is not there and one in the place of the file are told`() throws {
        let missing = folder["nowhere/journal.db"]
        let complaint = journalComplaint { () throws(JournalError) in _ = try SQLiteJournal(path: missing) }
        #expect(complaint?.hasPrefix("journal \(missing): ") == true)
        #expect(complaint?.contains("see that its folder is there and who may use it") == true, "\(complaint ?? "nothing")")
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(openingComplaint()?.contains("see that its folder is there and who may use it") == true)
    }

    @Test(.enabled(if: Rights.isRoot, "only root can become somebody else"), arguments: [true, false])
    func `a read-only folder is told, with a journal in it or without`(exists: Bool) async throws {
        if exists { try make(1) }
        for name in folder.names { try #require(unsafe chmod(folder[name], 0o444) == 0) }
        try #require(unsafe chmod(folder.path, 0o555) == 0)
        let path = path
        await #expect(processExitsWith: .success) { [path = path as String] in
            try #require(setgroups(0, nil) == 0 && setgid(65534) == 0 && setuid(65534) == 0)
            let complaint = journalComplaint { () throws(JournalError) in
                try SQLiteJournal(path: path).record(JournalFixture.token("t"), [])
            }
            #expect(complaint?.hasPrefix("journal \(path): ") == true)
            #expect(
                complaint?.contains("who owns it") == true || complaint?.contains("who may use it") == true, "\(complaint ?? "nothing")")
        }
    }

    @Test func `a read-only file system is told`() throws {
        let mount = try Mount(at: folder["mount"], size: "1m")
        guard mount.isMounted else { try Test.cancel("no right to mount here") }
        let path = folder["mount/journal.db"]
        do { try SQLiteJournal(path: path).record(JournalFixture.token("t"), []) }
        try #require(mount.remount(readOnly: true))
        let complaint = journalComplaint { () throws(JournalError) in try SQLiteJournal(path: path).record(JournalFixture.token("t"), []) }
        #expect(complaint?.hasPrefix("journal \(path): ") == true)
        #expect(
            complaint?.contains("its file system is read-only") == true || complaint?.contains("who may use it") == true,
            "\(complaint ?? "nothing")"
        )
    }

    @Test func `a full disk is told, what was recorded stays, and with room it goes on`() throws {
        let mount = try Mount(at: folder["mount"], size: "1m")
        guard mount.isMounted else { try Test.cancel("no right to mount here") }
        try folder.write(String(repeating: "x", count: 300_000), to: "mount/filler")
        let path = folder["mount/journal.db"]
        let journal = try SQLiteJournal(path: path)
        var recorded = 0
        var complaint: String?
        while complaint == nil, recorded < 10_000 {
            complaint = journalComplaint { () throws(JournalError) in
                try journal.record(JournalFixture.token("t"), [JournalFixture.entry("t", String(repeating: "y", count: 2000))])
                recorded += 1
            }
        }
        #expect(complaint?.hasPrefix("journal \(path): ") == true)
        #expect(complaint?.contains("the disk is full: make room") == true, "\(complaint ?? "nothing")")
        #expect(try journal.history(of: nil, after: 0, limit: 20_000).count == recorded)
        #expect(recorded > 10)
        try FileManager.default.removeItem(atPath: folder["mount/filler"])
        try journal.record(JournalFixture.token("t"), [JournalFixture.entry("t")])
        #expect(try journal.history(of: nil, after: 0, limit: 20_000).count == recorded + 1)
    }
}
