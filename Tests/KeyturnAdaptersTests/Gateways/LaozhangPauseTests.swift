import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import KeyturnSandbox
import Synchronization
import Testing

/// "Too many", over the wire: nothing is on it until the pause is over.
struct `A gateway that asks for a pause is left alone` {
    /// Moves only when a test says so.
    private final class Clock: Sendable {
        private let seconds = Mutex(0.0)
        func advance(_ more: TimeInterval) { seconds.withLock { $0 += more } }
        func moment() -> Moment {
            let seconds = seconds.withLock { $0 }
            return Moment(wall: Date(timeIntervalSince1970: 1_769_860_800 + seconds), boot: 1000 + seconds, bootID: "boot")
        }
    }

    /// Every call several times and all at once; how many of them were told to wait, and for how long at least.
    private func everyCall(of gateway: some Gateway) async -> (count: Int, least: TimeInterval) {
        await withTaskGroup(of: TimeInterval?.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    if case .notCreated(let error) = await gateway.create(sampleOrder) { error.retryAfter } else { nil }
                }
                group.addTask { await gateway.listError()?.retryAfter }
                group.addTask { await gateway.revokeError("key_1")?.retryAfter }
                group.addTask { await gateway.probeError()?.retryAfter }
                group.addTask { await gateway.usageError()?.retryAfter }
            }
            var rests: [TimeInterval] = []
            for await case let rest? in group { rests.append(rest) }
            return (rests.count, rests.min() ?? 0)
        }
    }

    @Test(arguments: ["create", "list", "revoke"])
    func `during a pause of the account not one request is on the wire`(operation: String) async throws {
        try await withSandbox(faults: ["429=7:\(operation)"]) { sandbox in
            let clock = Clock()
            let token = sandbox.gateway.addForeign(name: "there")
            let limit = GatewayLimit(of: GatewayName("laozhang"), concurrent: 4, now: { clock.moment() })
            let gateway = LimitedGateway(laozhang(port: sandbox.port), limit)
            switch operation {
            case "create": _ = await gateway.createMessage()
            case "list": _ = await gateway.listError()
            default: _ = await gateway.revokeError(token.id)
            }
            sandbox.gateway.setFaults([])
            let before = sandbox.gateway.statistics()
            #expect(await everyCall(of: gateway) == (50, 7))
            clock.advance(6)
            #expect(await everyCall(of: gateway) == (50, 1))
            #expect(sandbox.gateway.statistics() == before)
            clock.advance(1)
            #expect(await everyCall(of: gateway).count == 0)
            #expect(sandbox.gateway.statistics().created == 10)
        }
    }

    @Test(
        arguments: [
            (["Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Sun, 06 Nov 1994 08:51:37 GMT"], 120...120),
            (["Retry-After: 90"], 90...90), (["Retry-After: 99999999999999999999"], Backoff.longest...Backoff.longest), ([], 2...2.4),
            (["Retry-After: soon"], 2...2.4), (["Retry-After: 0"], 2...2.4), (["Retry-After: -7"], 2...2.4),
            (["Retry-After: 0x7f"], 2...2.4),
            (["Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Sun, 06 Nov 1994 08:00:00 GMT"], 2...2.4),
            (["Retry-After: \(String(repeating: "9", count: 10_000))"], 2...2.4),
        ] as [([String], ClosedRange<TimeInterval>)])
    func `in seconds, as a date by the gateway's clock, or for as long as our table says`(
        headers: [String], rest: ClosedRange<TimeInterval>
    ) async {
        let (server, wired, http) = answering("429 Too Many Requests", headers: headers, "")
        let clock = Clock()
        let gateway = LimitedGateway(wired, GatewayLimit(of: GatewayName("laozhang"), concurrent: 4, now: { clock.moment() }))
        _ = await gateway.listError()
        let (count, least) = await everyCall(of: gateway)
        #expect(count == 50 && rest.contains(least), "\(least)")
        http.shutdown()
        #expect(await server.requests().count == 1)
    }

    @Test func `no more requests are on the wire at once than the settings allow`() async {
        let arrived = Mutex(0)
        let gate = DispatchSemaphore(value: 0)
        let wired = WiredGateway { connection in
            while connection.next() != nil {
                arrived.withLock { $0 += 1 }
                gate.wait()
                connection.answer("503 Ill")
            }
        }
        let limit = GatewayLimit(of: GatewayName("laozhang"), concurrent: 3, now: HostClock.now)
        let gateway = LimitedGateway(wired, limit)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<60 { group.addTask { _ = await gateway.listError() } }
            while arrived.withLock({ $0 }) < 3 || limit.waiting < 57 { await Task.yield() }
            // Nobody has an answer yet, so nobody else may have come.
            #expect(arrived.withLock { $0 } == 3)
            for _ in 0..<60 { gate.signal() }
        }
        #expect(arrived.withLock { $0 } == 60)
    }

    @Test func `the house's gateways keep to one limit, after a reload, too`() async throws {
        try await withSandbox(faults: ["429=3600:list"]) { sandbox in
            let folder = FileManager.default.temporaryDirectory.appending(path: "keyturn-\(UUID())").path
            defer { try? FileManager.default.removeItem(atPath: folder) }
            let name = GatewayName("laozhang")
            let settings = Settings(
                file: folder + "/keyturn.yaml",
                gateways: [
                    name: GatewaySettings(
                        kind: LaozhangGateway.kind, url: "http://127.0.0.1:\(sandbox.port)", adminToken: .environment("ADMIN"))
                ], stateFolder: folder + "/state", policyFolder: folder
            )
            let environment = ["ADMIN": "admin-token"]
            let house = try House(settings, environment: environment)
            let first = try #require(try house.gateways(environment: environment, http: HTTPClient())[name])
            #expect(await first.listError()?.retryAfter == 3600)
            sandbox.gateway.setFaults([])
            let reloaded = try #require(try house.with(settings).gateways(environment: environment, http: HTTPClient())[name])
            #expect(await reloaded.listError()?.retryAfter ?? 0 > 3000)
            let trial = try #require(try house.gatewayForTrials(name, http: HTTPClient()))
            #expect(await trial.probeError()?.retryAfter ?? 0 > 3000)
            #expect(sandbox.gateway.statistics().lists == 1 && sandbox.gateway.statistics().modelsCalls == 0)
        }
    }
}
