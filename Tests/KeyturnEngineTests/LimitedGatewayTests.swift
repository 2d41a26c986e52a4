import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct LimitedGatewayTests {
    // MARK: So many at once

    @Test(arguments: [1, 3, 8]) func `no more calls at once than the limit allows, over all who hold it`(width: Int) async {
        let fake = FakeGateway()
        let limit = GatewayLimit(of: .main, concurrent: width, now: Clock().moment)
        // Two passes, or a pass and a command.
        let gateways = [LimitedGateway(fake, limit), LimitedGateway(fake, limit)]
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<200 { group.addTask { await call(number, of: gateways[number % 2]) } }
        }
        #expect(fake.calls == 200)
        #expect(fake.most <= width)
    }

    @Test func `who waits is served in the order of coming`() async {
        let fake = FakeGateway(holds: true)
        let limit = GatewayLimit(of: .main, concurrent: 1, now: Clock().moment)
        let gateway = LimitedGateway(fake, limit)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { _ = try? await gateway.list() }
            await until { fake.calls == 1 }
            for number in 0..<20 {
                group.addTask { try? await gateway.revoke(KeyID("key_\(number)")) }
                await until { limit.waiting == number + 1 }
            }
            fake.letGo()
        }
        #expect(fake.revoked == (0..<20).map { KeyID("key_\($0)") })
    }

    @Test func `who is cancelled while waiting sends nothing, and those behind move up`() async {
        let fake = FakeGateway(holds: true)
        let limit = GatewayLimit(of: .main, concurrent: 1, now: Clock().moment)
        let gateway = LimitedGateway(fake, limit)
        let first = Task { try await gateway.list() }
        await until { fake.calls == 1 }
        let second = Task { await word(of: gateway) }
        await until { limit.waiting == 1 }
        let third = Task { try await gateway.revoke(KeyID("key_3")) }
        await until { limit.waiting == 2 }
        second.cancel()
        #expect(await second.value == "not created: it was cancelled before its turn came; nothing was sent")
        #expect(limit.waiting == 1 && fake.calls == 1)
        fake.letGo()
        _ = try? await first.value
        try? await third.value
        #expect(fake.revoked == [KeyID("key_3")] && fake.calls == 2)
    }

    @Test func `no slot is lost to those who are cancelled at any moment`() async {
        let fake = FakeGateway()
        let limit = GatewayLimit(of: .main, concurrent: 3, now: Clock().moment)
        let gateway = LimitedGateway(fake, limit)
        for round in 0..<40 {
            let tasks = (0..<25).map { number in Task { await call(number, of: gateway) } }
            for (number, task) in tasks.enumerated() where (number + round) % 3 != 0 { task.cancel() }
            for task in tasks { await task.value }
        }
        #expect(limit.waiting == 0 && fake.most <= 3)
        // All three are there again.
        let held = FakeGateway(holds: true)
        let again = LimitedGateway(held, limit)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<4 { group.addTask { await call(number, of: again) } }
            await until { held.calls == 3 && limit.waiting == 1 }
            held.letGo()
        }
        #expect(held.most == 3)
    }

    @Test func `a limit that is raised lets those who wait in, and one that is lowered throws nobody out`() async {
        let fake = FakeGateway(holds: true)
        let limit = GatewayLimit(of: .main, concurrent: 1, now: Clock().moment)
        let gateway = LimitedGateway(fake, limit)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<10 { group.addTask { await call(number, of: gateway) } }
            await until { limit.waiting == 9 }
            limit.resize(4)
            await until { fake.calls == 4 && limit.waiting == 6 }
            limit.resize(2)
            #expect(fake.under == 4)
            fake.letGo()
        }
        #expect(fake.calls == 10 && fake.most == 4)
    }

    // MARK: The pause

    @Test func `after too many with a time nothing is sent before that time, whoever asks`() async throws {
        let (fake, clock) = (FakeGateway(), Clock())
        let limit = GatewayLimit(of: .main, concurrent: 8, now: clock.moment)
        let (one, other) = (LimitedGateway(fake, limit), LimitedGateway(fake, limit))
        fake.answer(.tooMany(7))
        #expect(await error(of: 1, at: one) == .inconclusive("it answered 429", retryAfter: 7))
        fake.answer(.well)
        clock.advance(2)
        for number in 1..<5 {
            let expected = GatewayError.inconclusive("the gateway main asked for a pause until 2026-01-05T10:00:07Z", retryAfter: 5)
            #expect(await error(of: number, at: other) == expected)
        }
        #expect(await word(of: other) == "not created: the gateway main asked for a pause until 2026-01-05T10:00:07Z")
        clock.advance(4.75)
        #expect(await error(of: 1, at: one)?.retryAfter == 0.25)
        #expect(fake.calls == 1)
        clock.advance(0.25)
        for number in 0..<5 { #expect(await error(of: number, at: one) == nil) }
        #expect(fake.calls == 6)
    }

    @Test(arguments: 0..<5) func `any call may hear that there are too many`(number: Int) async {
        let (fake, clock) = (FakeGateway(), Clock())
        let gateway = LimitedGateway(fake, GatewayLimit(of: .main, concurrent: 8, now: clock.moment))
        fake.answer(.tooMany(60))
        await call(number, of: gateway)
        fake.answer(.well)
        #expect(await error(of: 3, at: gateway)?.retryAfter == 60)
        #expect(fake.calls == 1)
    }

    @Test(arguments: [3, 4]) func `too many for one token's secret never holds up a revocation`(number: Int) async {
        let (fake, clock) = (FakeGateway(), Clock())
        let gateway = LimitedGateway(fake, GatewayLimit(of: .main, concurrent: 8, now: clock.moment))
        fake.answer(.tooMany(60))
        await call(number, of: gateway)
        fake.answer(.well)
        for admin in 0...2 { #expect(await error(of: admin, at: gateway) == nil) }
        #expect(fake.calls == 4)
    }

    @Test func `those who were waiting for their turn are not sent either`() async {
        let (fake, clock) = (FakeGateway(holds: true), Clock())
        let limit = GatewayLimit(of: .main, concurrent: 1, now: clock.moment)
        let gateway = LimitedGateway(fake, limit)
        fake.answer(.tooMany(60))
        let errors = await withTaskGroup(of: GatewayError?.self) { group in
            for number in 1...9 { group.addTask { await error(of: 1 + number % 2, at: gateway) } }
            await until { fake.calls == 1 && limit.waiting == 8 }
            fake.letGo()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(errors.allSatisfy { $0?.retryAfter == 60 })
        #expect(fake.calls == 1)
    }

    @Test func `too many without a time is asked again ever more rarely, until it answers`() async {
        let (fake, clock) = (FakeGateway(), Clock())
        let gateway = LimitedGateway(fake, GatewayLimit(of: .main, concurrent: 8, now: clock.moment))
        fake.answer(.tooMany(0))
        // Four calls every ten seconds, for a day.
        for _ in 0..<86_400 / 10 {
            for number in 0..<4 { await call(number, of: gateway) }
            clock.advance(10)
        }
        // The table's beginning, then every 20 to 24 minutes.
        #expect((60...80).contains(fake.calls))
        fake.answer(.well)
        clock.advance(1440)
        #expect(await error(of: 1, at: gateway) == nil)
        fake.answer(.tooMany(0))
        #expect(await error(of: 1, at: gateway)?.retryAfter == 0)
        #expect((2...2.4).contains(await error(of: 1, at: gateway)?.retryAfter ?? 0))
    }

    @Test(arguments: [1e18, Double.infinity]) func `a hostile pause ends`(seconds: TimeInterval) async {
        let (fake, clock) = (FakeGateway(), Clock())
        let gateway = LimitedGateway(fake, GatewayLimit(of: .main, concurrent: 8, now: clock.moment))
        fake.answer(.tooMany(seconds))
        await call(1, of: gateway)
        fake.answer(.well)
        #expect(await error(of: 1, at: gateway)?.retryAfter == Backoff.longest)
        clock.advance(Backoff.longest)
        #expect(await error(of: 1, at: gateway) == nil)
    }

    @Test func `what says nothing about too many begins no pause`() async {
        let (fake, clock) = (FakeGateway(), Clock())
        let gateway = LimitedGateway(fake, GatewayLimit(of: .main, concurrent: 8, now: clock.moment))
        for answer in [
            FakeGateway.Answer.fails(.unreachable("no")), .fails(.inconclusive("502", retryAfter: nil)), .fails(.rejected("no")),
        ] {
            fake.answer(answer)
            for number in 0..<5 { await call(number, of: gateway) }
        }
        #expect(fake.calls == 15)
    }

    @Test func `a pause outlives a reload, and is the gateway's own`() async {
        let clock = Clock()
        let limits = GatewayLimits(now: clock.moment)
        let settings = GatewaySettings(kind: "fake", url: "https://one.example", adminToken: .file("admin"), concurrent: 2)
        let fake = FakeGateway()
        fake.answer(.tooMany(60))
        await call(1, of: LimitedGateway(fake, limits.limit(of: .main, settings)))
        fake.answer(.well)
        #expect(await error(of: 1, at: LimitedGateway(fake, limits.limit(of: .main, settings)))?.retryAfter == 60)
        #expect(await error(of: 1, at: LimitedGateway(fake, limits.limit(of: GatewayName("other"), settings))) == nil)
        var moved = settings
        moved.url = "https://two.example"
        #expect(await error(of: 1, at: LimitedGateway(fake, limits.limit(of: .main, moved))) == nil)
    }
}

// MARK: Calls

private func call(_ number: Int, of gateway: LimitedGateway) async {
    if number % 5 == 0 { _ = await word(of: gateway) } else { _ = await error(of: number % 5, at: gateway) }
}

/// What becomes of a create.
private func word(of gateway: LimitedGateway) async -> String {
    switch await gateway.create(CreateOrder(name: "prod-webapp-api-2026-01", attributes: Attributes(), expiresAt: nil)) {
    case .created: "created"
    case .notCreated(let error): "not created: \(error)"
    case .unknown: "unknown"
    }
}

/// The error of one of the other four calls; 0 is create, and tells whether something was not created.
private func error(of number: Int, at gateway: LimitedGateway) async -> GatewayError? {
    do throws(GatewayError) {
        switch number {
        case 0:
            if case .notCreated(let error) = await gateway.create(CreateOrder(name: "a", attributes: Attributes(), expiresAt: nil)) {
                return error
            }
        case 1: _ = try await gateway.list()
        case 2: try await gateway.revoke(KeyID("key_1"))
        case 3: _ = try await gateway.probe(Secret("sk-one"))
        default: _ = try await gateway.usage(Secret("sk-one"))
        }
        return nil
    } catch { return error }
}

/// Lets other tasks run until it is so, or the test's time is up.
private func until(_ isSo: () -> Bool) async {
    while !isSo(), !Task.isCancelled { await Task.yield() }
}

/// Virtual time: both clocks.
private final class Clock: Sendable {
    private let seconds = Mutex(0.0)
    func advance(_ more: TimeInterval) { seconds.withLock { $0 += more } }
    var moment: @Sendable () -> Moment {
        { [self] in
            let seconds = seconds.withLock { $0 }
            return Moment(wall: Date(timeIntervalSince1970: 1_767_607_200 + seconds), boot: 1000 + seconds, bootID: "boot")
        }
    }
}

/// Answers what it is told to, and counts what arrives. `holds`: no call is answered before `letGo()`.
private final class FakeGateway: Gateway {
    enum Answer: Sendable {
        case well
        case tooMany(TimeInterval)
        case fails(GatewayError)
    }

    private struct State {
        var answer = Answer.well
        var calls = 0
        var under = 0
        var most = 0
        var holds: Bool
        var held: [CheckedContinuation<Void, Never>] = []
        var revoked: [KeyID] = []
    }

    private let state: Mutex<State>

    init(holds: Bool = false) { state = Mutex(State(holds: holds)) }

    var calls: Int { state.withLock { $0.calls } }
    var under: Int { state.withLock { $0.under } }
    var most: Int { state.withLock { $0.most } }
    var revoked: [KeyID] { state.withLock { $0.revoked } }
    func answer(_ answer: Answer) { state.withLock { $0.answer = answer } }

    func letGo() {
        let held = state.withLock { state in
            state.holds = false
            defer { state.held = [] }
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    private func answered() async throws(GatewayError) {
        state.withLock { state in
            state.calls += 1
            state.under += 1
            state.most = max(state.most, state.under)
        }
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                if state.holds { state.held.append(continuation) }
                return state.holds
            }
            if !isHeld { continuation.resume() }
        }
        // Gives the others a chance to be too many.
        for _ in 0..<3 { await Task.yield() }
        let answer = state.withLock { state in
            state.under -= 1
            return state.answer
        }
        switch answer {
        case .well: return
        case .tooMany(let seconds): throw .inconclusive("it answered 429", retryAfter: seconds)
        case .fails(let error): throw error
        }
    }

    func create(_ order: CreateOrder) async -> CreateOutcome {
        do throws(GatewayError) { try await answered() } catch { return .notCreated(error) }
        return .created(nil, Secret("sk-new"))
    }

    func list() async throws(GatewayError) -> Listing {
        try await answered()
        return Listing(keys: [], gatewayTime: nil)
    }

    func revoke(_ id: KeyID) async throws(GatewayError) {
        try await answered()
        state.withLock { $0.revoked.append(id) }
    }

    func probe(_ secret: borrowing Secret) async throws(GatewayError) -> ProbeOutcome {
        try await answered()
        return .accepted(models: [])
    }

    func usage(_ secret: borrowing Secret) async throws(GatewayError) -> Reading {
        try await answered()
        return Reading(today: 0, month: 0, lastUsedAt: nil)
    }
}
