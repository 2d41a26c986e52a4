import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Synchronization
import Testing

/// The account's places: others', ours, and those that a create of unknown outcome may have taken.
struct `A place under the capacity is reserved or it is not` {
    private let fixture: JournalFixture
    private var journal: SQLiteJournal { fixture.journal }
    init() throws { fixture = try JournalFixture() }

    private static let hourAgo = JournalFixture.noon.addingTimeInterval(-3600)

    @Test(arguments: [
        (Generation.State.unmade, 0), (.intended, 1), (.abandoned, 1), (.held, 1), (.retiring, 1), (.revoking, 1), (.revoked, 0),
    ])
    func `a generation takes as many places as its state says`(state: Generation.State, places: Int) throws {
        try journal.record(JournalFixture.token("there", nil, state), [])
        let token = JournalFixture.token("new", nil, .intended)
        let others = 3
        #expect(try !journal.reserve(token, [], others: others, capacity: others + places, unknownSince: Self.hourAgo))
        #expect(try journal.token(token.name) == nil)
        #expect(try journal.reserve(token, [], others: others, capacity: others + places + 1, unknownSince: Self.hourAgo))
        #expect(try journal.token(token.name) == token)
    }

    @Test func `an abandoned create counts while it may still land, to the moment`() throws {
        for (offset, isFree) in [(0.0, false), (0.001, true)] {
            try journal.record(JournalFixture.token("lost", nil, .abandoned, intendedAt: JournalFixture.noon), [])
            let since = JournalFixture.noon.addingTimeInterval(offset)
            #expect(try journal.reserve(JournalFixture.token("new"), [], others: 0, capacity: 1, unknownSince: since) == isFree)
        }
    }

    @Test func `another gateway's generations take no place, and without a capacity there is always room`() throws {
        var elsewhere = JournalFixture.token("elsewhere")
        elsewhere.gateway = GatewayName("other")
        try journal.record(elsewhere, [])
        #expect(try journal.reserve(JournalFixture.token("new"), [], others: 0, capacity: 1, unknownSince: Self.hourAgo))
        #expect(try journal.reserve(JournalFixture.token("newer"), [], others: 9000, capacity: nil, unknownSince: Self.hourAgo))
        #expect(try !journal.reserve(JournalFixture.token("newest"), [], others: 0, capacity: 0, unknownSince: Self.hourAgo))
    }

    @Test func `refused, it writes nothing; granted, the history is in the same transaction`() throws {
        let token = JournalFixture.token("new", nil, .intended)
        #expect(try !journal.reserve(token, [JournalFixture.entry("new")], others: 5, capacity: 5, unknownSince: Self.hourAgo))
        #expect(try journal.history(of: nil, after: 0, limit: 9).isEmpty)
        #expect(try journal.reserve(token, [JournalFixture.entry("new")], others: 4, capacity: 5, unknownSince: Self.hourAgo))
        #expect(try journal.history(of: nil, after: 0, limit: 9).count == 1)
    }

    @Test func `many at once over several connections get exactly the places there are`() throws {
        let journals = try (0..<4).map { _ in try SQLiteJournal(path: fixture.path) }
        let granted = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 40) { number in
            let token = JournalFixture.token("token-\(number)", nil, .intended)
            do {
                if try journals[number % 4].reserve(token, [], others: 3, capacity: 20, unknownSince: Self.hourAgo) {
                    granted.withLock { $0 += 1 }
                }
            } catch { Issue.record("\(error)") }
        }
        #expect(granted.withLock { $0 } == 17)
        #expect(try journal.ledger().count == 17)
    }
}
