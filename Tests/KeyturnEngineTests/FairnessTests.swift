import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct FairnessTests {
    @Test func `a gateway that does not answer holds up nobody but its own tokens`() async throws {
        let other = GatewayName("other")
        let world = World(gateways: [.main, other])
        var ports = world.ports()
        let stalled = StalledGateway(try #require(ports.gateways[.main]))
        ports.gateways[.main] = stalled
        // More tokens at the one that stalls than may be under way at once, and all of them first by name.
        let policies = ["api", "app", "bot"].map { TokenPolicy.sample($0) } + [.sample("worker", gateway: other)]
        let keeper = Keeper(ports: ports, policies: policies, settings: Machine(world, policies).settings, log: world.logger())
        let pass = Task { try await keeper.pass(watches: true) }
        while world.published(.worker) == nil { await Task.yield() }
        #expect(world.published(.worker) == "prod-worker-api-2026-01")
        stalled.letGo()
        let outlook = try await pass.value
        #expect(outlook.findings.isEmpty)
        #expect(world.alive.count == 3)
        world.isWell()
    }

    @Test func `tokens that all meet one pause come back once it is over, and no sooner`() async throws {
        let world = World()
        var ports = world.ports()
        let limit = GatewayLimit(of: .main, concurrent: 4, now: ports.now)
        ports.gateways[.main] = LimitedGateway(try #require(ports.gateways[.main]), limit)
        let policies = (0..<12).map { TokenPolicy.sample("app\($0)") }
        let keeper = Keeper(ports: ports, policies: policies, settings: Machine(world, policies).settings, log: world.logger())
        world.with { $0.script[.create] = [nil, nil, .tooMany(retryAfter: 600)] }
        _ = try await keeper.pass(watches: true)
        #expect(world.calls(.create) == 3)
        let calls = PortCall.atGateway.map { world.calls($0) }
        for _ in 0..<9 {
            world.advance(by: 60)
            let outlook = try await keeper.pass(watches: true)
            #expect(outlook.troubles[.main]?.retryAfter ?? 0 > 0)
        }
        #expect(PortCall.atGateway.map { world.calls($0) } == calls)
        world.advance(by: 61)
        // Each token's own patience lasts as long as the pause, and a little longer by the spread of its name.
        for _ in 0..<10 {
            _ = try await keeper.pass(watches: true)
            world.advance(by: 60)
        }
        #expect(world.alive.count == 12)
        world.isWell()
    }
}

extension PortCall {
    fileprivate static let atGateway: [PortCall] = [.create, .list, .revoke, .probe, .usage]
}

/// Takes its time for every create, until it is let go.
private final class StalledGateway: Gateway {
    private let gateway: any Gateway
    private let state = Mutex((isStalled: true, waiting: [CheckedContinuation<Void, Never>]()))

    init(_ gateway: any Gateway) { self.gateway = gateway }

    func letGo() {
        let waiting = state.withLock { state in
            state.isStalled = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func create(_ order: CreateOrder) async -> CreateOutcome {
        await withCheckedContinuation { continuation in
            let isStalled = state.withLock { state in
                if state.isStalled { state.waiting.append(continuation) }
                return state.isStalled
            }
            if !isStalled { continuation.resume() }
        }
        return await gateway.create(order)
    }

    func list() async throws(GatewayError) -> Listing { try await gateway.list() }
    func revoke(_ id: KeyID) async throws(GatewayError) { try await gateway.revoke(id) }
    func probe(_ secret: borrowing Secret) async throws(GatewayError) -> ProbeOutcome { try await gateway.probe(secret) }
    func usage(_ secret: borrowing Secret) async throws(GatewayError) -> Reading { try await gateway.usage(secret) }
}
