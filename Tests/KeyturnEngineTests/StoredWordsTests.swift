import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

/// What stands in journals, and in what people have written down to search for: code may rename, these stay.
struct StoredWordsTests {
    @Test func `the words of states, phases, causes and endings stay as journals have them`() {
        #expect(
            Generation.State.allCases.map(\.rawValue) == ["unmade", "intended", "abandoned", "held", "retiring", "revoking", "revoked"])
        #expect(Generation.Identity.allCases.map(\.rawValue) == ["told", "alone", "ambiguous"])
        #expect(
            Rotation.Phase.allCases.map(\.rawValue)
                == ["minting", "verifying", "publishing", "applying", "withdrawing", "finished", "abandoned"])
        #expect(
            Rotation.Cause.allCases.map(\.rawValue) == [
                "first", "scheduled", "expiring", "requested", "changed", "dead", "adopted", "leaked",
            ])
        #expect([Token.Ending.requested, .expired, .leftPolicies].map(\.rawValue) == ["requested", "expired", "removed"])
    }

    @Test func `an event that code calls otherwise keeps its word in the history`() {
        #expect(Event.heldBack(why: "503", needsPerson: false, retryAfter: nil).code == "held")
        #expect(Event.left.code == "left-policies")
        #expect(Event.seenRefused("g1").code == "revoked")
    }

    @Test func `a line of the log names the step that was done, and none where nothing was`() async throws {
        let world = World()
        world.with { $0.keepsLog = true }
        var machine = Machine(world, [.sample()])
        await machine.pass()
        let log = world.with { $0.log }
        #expect(log.contains { $0.contains("code=minted") && $0.contains("step=mint") }, "\(log)")
        #expect(log.contains { $0.contains("code=accepted") && $0.contains("step=verify") })
        #expect(log.contains { $0.contains("code=started") && !$0.contains("step=") })
    }
}
