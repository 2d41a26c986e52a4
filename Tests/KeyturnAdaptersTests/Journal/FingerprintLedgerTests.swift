import Foundation
import KeyturnCore
import KeyturnEngine
import Testing

@testable import KeyturnAdapters

struct FingerprintLedgerTests {
    @Test func `every secret that was ever held is known by its fingerprint, revoked ones too, and what never was is not`() throws {
        let fixture = try JournalFixture()
        var token = JournalFixture.token("t", "t-1", .held)
        token.generations[0].fingerprint = "0123456789ab"
        try fixture.journal.record(token, [])
        token.generations[0].state = .revoked
        var second = JournalFixture.token("t", "t-2", .held, intendedAt: JournalFixture.noon.addingTimeInterval(60)).generations[0]
        second.fingerprint = "ba9876543210"
        let third = JournalFixture.token("t", "t-3", .abandoned).generations[0]
        token.generations += [second, third]
        try fixture.journal.record(token, [])
        func entry(_ name: String, _ print: String, _ state: Generation.State) -> FingerprintedGeneration {
            FingerprintedGeneration(
                token: token.name, environment: "prod", gateway: token.gateway, name: name, fingerprint: print, state: state)
        }
        #expect(
            try fixture.journal.fingerprinted() == [entry("t-1", "0123456789ab", .revoked), entry("t-2", "ba9876543210", .held)])
    }
}
