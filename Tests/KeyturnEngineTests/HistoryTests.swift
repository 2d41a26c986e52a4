import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Synchronization
import Testing

/// When whoever drives has the history prove itself, and what comes of it.
@Suite("Whoever drives verifies the history once a day") struct HistoryTests {
    private func keeper(_ world: World) -> Keeper {
        Keeper(ports: world.ports(), policies: [.sample()], settings: Machine(world, [.sample()]).settings, log: world.logger())
    }

    private func verifications(_ world: World) -> Int { world.look(\.historyProof.verifications) }

    @Test func `at the first pass, then once a day, over restarts, and also after the clock was set back`() async throws {
        let (world, _) = try await issued()
        await keeper(world).verifyHistoryWhenDue()
        #expect(verifications(world) == 1)
        for (hours, count) in [(0.0, 1), (23.9, 1), (0.2, 2), (1, 2), (-24 * 30.0, 3), (1, 3), (24, 4)] {
            world.with { $0.clock.error += hours * 3600 }
            await keeper(world).verifyHistoryWhenDue()
            #expect(verifications(world) == count, "\(hours)")
        }
    }

    @Test func `what is broken is a finding that a sound verification does not close, nor a pass`() async throws {
        var (world, machine) = try await issued()
        world.with { $0.historyProof.breaks = [HistoryBreak(number: 3, kind: .changed), HistoryBreak(number: 5, kind: .changed)] }
        await keeper(world).verifyHistoryWhenDue()
        #expect(world.findings == [.historyBroken])
        #expect(
            world.sentences == [
                "the history is not what keyturn wrote: row 3 was changed, or was not written by keyturn; and 1 more"
            ])
        world.with {
            $0.historyProof.breaks = []
            $0.clock.advance(by: 86400)
        }
        await keeper(world).verifyHistoryWhenDue()
        machine.restart()
        await machine.run(for: .hours(1))
        #expect(verifications(world) == 2)
        #expect(world.findings == [.historyBroken])
        world.isWell()
    }

    @Test func `a checkpoint that knows more than the journal is not waited a day for, and told once`() async throws {
        let (world, _) = try await issued()
        await keeper(world).verifyHistoryWhenDue()
        world.with {
            $0.historyProof.isBehindCheckpoint = true
            $0.historyProof.breaks = [HistoryBreak(number: 3, kind: .missing(through: 4))]
        }
        for _ in 1...3 { await keeper(world).verifyHistoryWhenDue() }
        #expect(verifications(world) == 2)
        #expect(world.findings == [.historyBroken])
    }

    @Test func `without its key nothing is created or revoked, and one finding says so until it is back`() async throws {
        var (world, machine) = try await issued()
        world.with { $0.historyProof.missingKey = "history.key is missing: restore it" }
        let (creates, revokes) = (world.calls(.create), world.calls(.revoke))
        machine.restart()
        await machine.run(for: .days(100))
        #expect(world.findings == [.keyringUnknown])
        #expect(world.sentences[0].hasPrefix("history.key is missing: restore it; nothing is created or revoked"))
        #expect(world.calls(.create) == creates && world.calls(.revoke) == revokes)
        world.with { $0.historyProof.missingKey = nil }
        await machine.run(for: .hours(1))
        #expect(world.findings.isEmpty)
        #expect(world.calls(.create) == creates + 1)
        world.isWell()
    }
}
