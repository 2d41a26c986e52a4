import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Synchronization
import Testing

@Suite struct ServiceTests {
    @Test func `a reload is heard while every pass leaves work that is due at once`() async throws {
        let (world, _) = try await issued()
        let ports = world.ports()
        let (policies, settings) = ([TokenPolicy.sample()], Machine(world, [.sample()]).settings)
        let reads = Mutex(0)
        let start = world.look { $0.reads["ledger"] ?? 0 }
        let (wakes, wake) = AsyncStream<KeeperService.Wake>.makeStream()
        let service = KeeperService(
            keeper: {
                reads.withLock { $0 += 1 }
                return Keeper(
                    ports: ports, policies: policies, settings: settings, log: world.logger(),
                    // A bound for a service that never hears it.
                    isStopping: { world.look { ($0.reads["ledger"] ?? 0) - start >= 20 } }
                )
            },
            // Years ahead of the world, whose next look is always past for it.
            now: {
                var moment = world.moment
                moment.wall += .days(4000)
                return moment
            }, pulse: Pulse(now: { world.moment }), signs: .none, log: world.logger()
        )
        wake.yield(.reload)
        try await service.run(wakes: wakes, wake: wake)
        #expect(reads.withLock { $0 } == 2)
    }

    @Test func `tokens are counted though the keyring is unknown, and those that are over are not`() async throws {
        var (world, machine) = try await issued()
        world.with { $0.script[.checkKeyring] = [.fails("input/output error")] }
        await machine.pass()
        #expect(machine.outlook?.summary(at: world.moment.wall) == "1 token, 1 finding")
        world.ask(.revoke, .webapp)
        machine.policies = []
        await machine.run(for: .hours(1))
        #expect(machine.outlook?.summary(at: world.moment.wall) == "0 tokens")
        world.isWell()
    }
}
