import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct FairnessTests {
    @Test(arguments: [PortCall.create, .list])
    func `a gateway that does not answer holds up nobody but its own tokens`(to call: PortCall) async throws {
        let other = GatewayName("other")
        let world = World(gateways: [.main, other])
        var ports = world.ports()
        let stalled = StalledGateway(try #require(ports.gateways[.main]), at: call)
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

    @Test func `a consumer that takes its time holds up no revocation that only needs a list`() async throws {
        let (world, keeper) = try await issuedMany(4, concurrent: 2)
        let stalled = StalledConsumer()
        var ports = world.ports()
        let consumer = ports.consumer
        ports.consumer = { $0.file == "/etc/slow/token" ? stalled : consumer($0) }
        let policies = keeper.policies + [.sample("slow", targets: [.sample("/etc/slow/token", then: true)])]
        let next = Keeper(ports: ports, policies: policies, settings: keeper.settings, log: world.logger())
        for policy in keeper.policies { world.ask(.revoke, policy.name) }
        let pass = Task { try await next.pass(watches: true) }
        while world.codes.count(where: { $0 == "revoked" }) < 4 { await Task.yield() }
        #expect(world.published(TargetID(file: "/etc/slow/token", key: nil)) == "prod-slow-api-2026-01")
        stalled.letGo()
        _ = try await pass.value
        #expect(world.token(TokenName("prod-slow-api"))?.rotation == nil)
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

/// Takes its time for every call of one kind, until it is let go.
private final class StalledGateway: Gateway {
    private let gateway: any Gateway
    private let call: PortCall
    private let state = Mutex((isStalled: true, waiting: [CheckedContinuation<Void, Never>]()))

    init(_ gateway: any Gateway, at call: PortCall) { (self.gateway, self.call) = (gateway, call) }

    func letGo() {
        let waiting = state.withLock { state in
            state.isStalled = false
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    private func stall(at call: PortCall) async {
        guard call == self.call else { return }
        await withCheckedContinuation { continuation in
            let isStalled = state.withLock { state in
                if state.isStalled { state.waiting.append(continuation) }
                return state.isStalled
            }
            if !isStalled { continuation.resume() }
        }
    }

    func create(_ order: CreateOrder) async -> CreateOutcome {
        await stall(at: .create)
        return await gateway.create(order)
    }

    func list() async throws(GatewayError) -> Listing {
        await stall(at: .list)
        return try await gateway.list()
    }

    func revoke(_ id: KeyID) async throws(GatewayError) { try await gateway.revoke(id) }
    func probe(_ secret: borrowing Secret) async throws(GatewayError) -> ProbeOutcome { try await gateway.probe(secret) }
    func usage(_ secret: borrowing Secret) async throws(GatewayError) -> Reading { try await gateway.usage(secret) }
}

/// Takes its time to take a secret up, until it is let go.
private final class StalledConsumer: Consumer {
    private let stall = AsyncStream<Void>.makeStream()

    func letGo() { stall.continuation.finish() }
    func preflight() {}
    func take() async { for await _ in stall.stream {} }
    func confirm() async {}
}
