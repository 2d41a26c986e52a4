import Foundation
import KeyturnCore
import Testing

/// What a list says of a generation whose id nobody has told. `lost`: its create was never answered; `held`: its secret is ours.
@Suite struct SightingTests {
    static let name = "prod-webapp-api-2026-11"

    private func generation(
        _ state: Generation.State = .abandoned, foreign: [KeyID] = [], identity: Generation.Identity? = nil
    ) -> Generation {
        Generation(
            name: SightingTests.name, identity: identity, state: state, intendedAt: monday,
            fingerprint: state == .held ? "0123456789ab" : nil, signature: "", foreignIDs: foreign
        )
    }

    private func key(
        _ id: String?, _ status: ListedKey.Status = .notUsed, made: TimeInterval? = 5, usedAt: Date? = nil, doubt: TimeInterval = 0
    ) -> ListedKey {
        ListedKey(
            id: id.map(KeyID.init), name: SightingTests.name, status: status, createdAt: made.map { monday.addingTimeInterval($0) },
            lastUsedAt: usedAt, doubt: doubt
        )
    }

    private func sighting(
        _ keys: [ListedKey], of generation: Generation? = nil, fits: (ListedKey) -> Bool? = { _ in nil }
    ) -> Sighting {
        let now = monday.addingTimeInterval(60)
        return Listing(keys: keys, gatewayTime: now).sighting(of: generation ?? self.generation(), at: now, fits: fits)
    }

    @Test func `the one new key of its name that fits is taken for it`() {
        #expect(sighting([key("k1")]) == .alone(KeyID("k1")))
        #expect(sighting([]) == .none)
        #expect(sighting([key("k1", .revoked)]) == .none, "a dead one is nobody's trouble")
    }

    @Test func `of two new keys none is taken, whichever of them is alive`() {
        #expect(sighting([key("k1"), key("k2")]) == .unclear)
        #expect(sighting([key("k1"), key("k2", .revoked)]) == .unclear)
        #expect(sighting([key("k1", .revoked), key("k2")]) == .unclear)
        #expect(sighting([key("k1"), key("k2")], of: generation(.held)) == .unclear)
    }

    @Test func `what stood under the name before does not count`() {
        let later = generation(foreign: [KeyID("old")])
        #expect(sighting([key("old"), key("k1")], of: later) == .alone(KeyID("k1")))
        #expect(sighting([key("old")], of: later) == .none)
    }

    @Test func `once ambiguous it stays so, also when one key is left`() {
        #expect(sighting([key("k1")], of: generation(identity: .ambiguous)) == .unclear)
    }

    @Test func `a key without id, or of another time, is not taken`() {
        #expect(sighting([key(nil)]) == .unclear)
        #expect(sighting([key("k1", made: -400)]) == .unclear)
        #expect(sighting([key("k1", made: 4000)]) == .unclear)
        #expect(sighting([key("k1", made: -400, doubt: ListedKey.zoneless)]) == .alone(KeyID("k1")), "it may be of another zone")
        #expect(sighting([key("k1", made: nil)], of: generation(.held)) == .alone(KeyID("k1")))
    }

    @Test func `what is used is no lost create of ours, and may be ours where its secret is at hand`() {
        #expect(sighting([key("k1", .active, usedAt: monday.addingTimeInterval(30))]) == .unclear)
        #expect(sighting([key("k1", .active, usedAt: monday.addingTimeInterval(30))], of: generation(.held)) == .alone(KeyID("k1")))
    }

    @Test func `a masked key proves it among many, and excludes the others`() {
        let ours = KeyID("k2")
        #expect(sighting([key("k1"), key("k2")], of: generation(.held)) { $0.id == ours } == .proven(ours))
        #expect(sighting([key("k1"), key("k2", .revoked)], of: generation(.held)) { $0.id == ours } == .none)
        #expect(sighting([key("k1"), key("k2")], of: generation(.held)) { $0.id == ours ? nil : false } == .alone(ours))
    }
}
