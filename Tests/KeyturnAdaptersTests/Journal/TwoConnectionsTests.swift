import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Synchronization
import Testing

/// The daemon and a command have the journal open at the same time.
struct `Two at once at one journal` {
    private let fixture: JournalFixture
    private var daemon: SQLiteJournal { fixture.journal }
    private let command: SQLiteJournal

    init() throws {
        fixture = try JournalFixture()
        command = try SQLiteJournal(path: fixture.path)
    }

    @Test func `a request is seen by the other at once, and its answer too`() throws {
        var request = try command.file(Request(verb: .rotate, token: TokenName("t"), filedAt: JournalFixture.noon))
        #expect(try daemon.pendingRequests() == [request])
        request.rotation = "t#1"
        try daemon.answer(request, at: JournalFixture.noon)
        request.answeredAt = JournalFixture.noon
        #expect(try command.request(request.number) == request)
    }

    @Test func `neither loses a write or fails, however they interleave`() throws {
        let numbers = Mutex<[Int64]>([])
        let (daemon, command) = (daemon, command)
        DispatchQueue.concurrentPerform(iterations: 2) { side in
            do {
                for number in 0..<100 {
                    if side == 0 {
                        try daemon.record(JournalFixture.token("t-\(number)"), [JournalFixture.entry("t")])
                    } else {
                        let request = try command.file(Request(verb: .rotate, token: TokenName("t"), filedAt: JournalFixture.noon))
                        numbers.withLock { $0.append(request.number) }
                        _ = try command.ledger()
                    }
                }
            } catch { Issue.record("side \(side): \(error)") }
        }
        #expect(try command.ledger().count == 100)
        #expect(try command.history(of: nil, after: 0, limit: 1000).count == 100)
        #expect(try daemon.pendingRequests().map(\.number) == numbers.withLock { $0 })
        #expect(numbers.withLock { Set($0).count } == 100)
    }

    @Test func `all that meet a new journal at the same moment can use it`() throws {
        for round in 0..<20 {
            let path = fixture.folder["new-\(round).db"]
            DispatchQueue.concurrentPerform(iterations: 6) { number in
                do { try SQLiteJournal(path: path).record(JournalFixture.token("t-\(number)"), []) } catch { Issue.record("\(error)") }
            }
            #expect(try SQLiteJournal(path: path).ledger().count == 6)
        }
    }
}
