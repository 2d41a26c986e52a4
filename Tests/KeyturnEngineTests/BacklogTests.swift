import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Synchronization
import Testing

/// A host that was off for a month comes back, and everything is due at once.
@Suite(.timeLimit(.minutes(1))) struct BacklogTests {
    /// Five hundred, of which neighbours by name have different causes: forty dead, as many as are believed at once.
    private let causes: [TokenName: Rotation.Cause]
    private let before: [TokenPolicy]
    private let after: [TokenPolicy]

    init() {
        let shares: [Rotation.Cause] =
            Array(repeating: .scheduled, count: 10) + Array(repeating: .changed, count: 3) + Array(repeating: .first, count: 3)
            + Array(repeating: .requested, count: 3) + Array(repeating: .expiring, count: 4) + Array(repeating: .dead, count: 2)
        var (causes, before, after) = ([TokenName: Rotation.Cause](), [TokenPolicy](), [TokenPolicy]())
        for number in 0..<500 {
            let cause = shares[number * 7 % shares.count]
            func policy(_ attributes: Attributes) -> TokenPolicy {
                .sample(
                    "app\(1000 + number)", rotate: .every(.months(1), window: nil, jitter: .zero), attributes: attributes,
                    expires: cause == .expiring ? .after(.days(63)) : .never)
            }
            let old = policy(Attributes())
            causes[old.name] = cause
            if cause != .first { before.append(old) }
            after.append(cause == .changed ? policy(Attributes(models: .only(["gpt-4"]))) : old)
        }
        (self.causes, self.before, self.after) = (causes, before, after)
    }

    @Test func `five hundred overdue tokens go by urgency, so many at once, and no further than the gateway lets them`() async throws {
        let world = World()
        world.with { $0.checksEachCall = false }
        let processor = OneAtATime()
        func keeper(_ policies: [TokenPolicy], _ ports: Ports) -> Keeper {
            var settings = Machine(world, policies).settings
            settings.gateways[.main]?.concurrent = 4
            return Keeper(ports: ports, policies: policies, settings: settings, log: world.logger())
        }
        let first = keeper(before, world.ports())
        _ = try await withTaskExecutorPreference(processor) { try await first.pass(watches: false) }
        try #require(world.alive.count == 440)

        world.advance(by: .days(62))
        for policy in before {
            switch causes[policy.name] {
            case .dead: world.kill(policy.name.text + "-2026-01")
            case .requested: world.ask(.rotate, policy.name)
            default: break
            }
        }
        var ports = world.ports()
        let counted = CountedGateway(try #require(ports.gateways[.main]))
        ports.gateways[.main] = LimitedGateway(counted, GatewayLimit(of: .main, concurrent: 4, now: ports.now))
        // In the midst of those that expire, so that others of theirs are left for after the pause.
        world.with { $0.script[.create] = Array(repeating: nil, count: 70) + [.tooMany(retryAfter: 600)] }
        let second = keeper(after, ports)
        func pass(watches: Bool) async throws {
            _ = try await withTaskExecutorPreference(processor) { try await second.pass(watches: watches) }
        }
        try await pass(watches: true)
        #expect(counted.created.count < 75)
        let atPause = counted.calls
        for _ in 1...9 {
            world.advance(by: 60)
            try await pass(watches: false)
        }
        #expect(counted.calls == atPause, "nothing is sent while the pause lasts")
        // Each one's patience is a little longer than the pause, by the spread of its name.
        world.advance(by: 240)
        try await pass(watches: false)
        #expect(counted.created.count == 500)

        let names = Dictionary(uniqueKeysWithValues: causes.keys.map { ($0.text, $0) })
        let tokens = counted.created.compactMap { names[String($0.prefix("prod-app1000-api".count))] }
        #expect(Set(tokens).count == 500 && tokens.count == 500, "each once")
        let urgencies = tokens.compactMap { causes[$0] }.map(Plan.urgency)
        // Those that are under way together may overtake each other.
        for (place, urgency) in urgencies.enumerated() {
            #expect((urgencies.dropFirst(place + counted.most).min() ?? .max) >= urgency, "\(tokens[place]) is early")
        }
        for (token, cause) in causes { #expect(world.token(token)?.rotation == nil, "\(token), \(cause)") }
        #expect(counted.most == 4, "as many at once as may be, and no more")
        #expect(counted.lists <= 6)
        world.isWell()
    }
}

/// Counts what a gateway is asked for, and lets those who may ask at once do so.
private final class CountedGateway: Gateway {
    private struct State {
        var calls = 0
        var lists = 0
        var creating = 0
        var most = 0
        var created: [String] = []
    }

    private let gateway: any Gateway
    private let state = Mutex(State())

    init(_ gateway: any Gateway) { self.gateway = gateway }

    /// Of all kinds.
    var calls: Int { state.withLock { $0.calls } }
    var lists: Int { state.withLock { $0.lists } }
    /// Creates under way at once, at most.
    var most: Int { state.withLock { $0.most } }
    /// The names of what was created, in the order in which it was asked for.
    var created: [String] { state.withLock { $0.created } }

    private func count() { state.withLock { $0.calls += 1 } }

    func create(_ order: CreateOrder) async -> CreateOutcome {
        state.withLock { state in
            state.calls += 1
            state.creating += 1
            state.most = max(state.most, state.creating)
        }
        for _ in 0..<8 { await Task.yield() }
        defer { state.withLock { $0.creating -= 1 } }
        switch await gateway.create(order) {
        case .created(let id, let secret):
            state.withLock { $0.created.append(order.name) }
            return .created(id, secret)
        case .notCreated(let error): return .notCreated(error)
        case .unknown(let why): return .unknown(why)
        }
    }

    func list() async throws(GatewayError) -> Listing {
        count()
        state.withLock { $0.lists += 1 }
        return try await gateway.list()
    }

    func revoke(_ id: KeyID) async throws(GatewayError) {
        count()
        try await gateway.revoke(id)
    }

    func probe(_ secret: borrowing Secret) async throws(GatewayError) -> ProbeOutcome {
        count()
        return try await gateway.probe(secret)
    }

    func usage(_ secret: borrowing Secret) async throws(GatewayError) -> Reading {
        count()
        return try await gateway.usage(secret)
    }
}
