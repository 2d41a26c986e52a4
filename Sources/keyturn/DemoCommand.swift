import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import KeyturnSandbox
import Logging

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Sandbox, policies with seconds for months and consumers that call all the time, in a temporary folder.",
        discussion:
            "Shows each step as it happens and ends when both tokens were rotated twice: half a minute. Nothing outside the folder is touched."
    )

    @Flag(help: "Keep the folder, to look at what is in it.") var keep = false

    func run() async throws {
        CommandLog.bootstrap()
        let folder = try DemoFolder()
        defer { if !keep { folder.remove() } }
        var sandbox = SandboxConfiguration(adminToken: folder.adminToken)
        sandbox.capacity = 10
        let gateway = try SandboxGateway(sandbox)
        let stop = StopFlag()
        let passed = try await withStop(stop) {
            try await withThrowingTaskGroup(of: Bool?.self) { group in
                let (ports, port) = AsyncStream<Int>.makeStream()
                group.addTask {
                    try await gateway.run { port.yield($0) }
                    return nil
                }
                group.addTask {
                    for await number in ports { return try await Demo(folder, port: number, gateway, stop).run() }
                    return false
                }
                defer { group.cancelAll() }
                while let result = try await group.next() { if let result { return result } }
                return false
            }
        }
        if keep { Terminal.print("kept: \(folder.path)") }
        if !passed { throw ExitCode(Exit.failed.rawValue) }
    }
}

/// The demonstration on a running sandbox.
private struct Demo {
    let folder: DemoFolder
    let gateway: SandboxGateway
    let stop: StopFlag
    let url: String

    init(_ folder: DemoFolder, port: Int, _ gateway: SandboxGateway, _ stop: StopFlag) {
        self.folder = folder
        self.gateway = gateway
        self.stop = stop
        url = "http://127.0.0.1:\(port)"
    }

    /// True when both tokens were rotated twice, the old generations are revoked and no call failed.
    func run() async throws -> Bool {
        try folder.writePolicies(url: url)
        let environment: [String: String] = [:]
        let configuration = try Configuration.load(
            settingsFile: folder.settings, environment: environment, gatewayKinds: House.gatewayKinds)
        let site = Site(configuration, house: try House(configuration.settings, environment: environment))
        Terminal.print("keyturn demo: a sandbox gateway at \(url), 2 tokens, rotated every 8 s with 3 s of overlap\n")

        let started = Date()
        let counts = CallCounts()
        let http = HTTPClient()
        defer { http.shutdown() }
        let (wakes, wake) = AsyncStream<KeeperService.Wake>.makeStream()
        let pulse = Pulse(now: HostClock.now)
        let service = KeeperService(
            keeper: { try site.keeper(http: http, log: Logger(label: "demo"), pulse: pulse) }, now: HostClock.now, pulse: pulse,
            signs: .none,
            log: Logger(label: "demo")
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run(wakes: wakes, wake: wake) }
            for consumer in folder.consumers(url: url, http: http, counts: counts) { group.addTask { await consumer.run() } }
            try await watch(site, started, counts)
            wake.yield(.stop)
            counts.stop()
            try await group.waitForAll()
        }
        return try judge(site, started, counts)
    }

    /// Tells the history as it grows, until the goal is reached or a minute is over.
    private func watch(_ site: Site, _ started: Date, _ counts: CallCounts) async throws {
        var last: Int64 = 0
        while !stop.isSet, Date().timeIntervalSince(started) < 55 {
            for entry in try site.house.journal.history(of: nil, after: last, limit: 1000) {
                last = entry.number
                let seconds = String(format: "%5.1f s", entry.at.timeIntervalSince(started))
                let calls = "\(counts.made) calls, \(counts.failed) failed".padding(24)
                Terminal.print("\(seconds)  \(calls)  \(entry.token.text.padding(18))  \(entry.sentence.oneLine)")
            }
            if try isThrough(site) { return }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    /// Three generations each, of which only the last is alive.
    private func isThrough(_ site: Site) throws -> Bool {
        let tokens = try site.house.journal.ledger()
        return tokens.count == 2 && tokens.allSatisfy { $0.serial >= 3 && $0.rotation == nil && $0.generations.count == 1 }
    }

    private func judge(_ site: Site, _ started: Date, _ counts: CallCounts) throws -> Bool {
        let seconds = Date().timeIntervalSince(started)
        let alive = gateway.snapshot().filter { $0.status != .revoked }
        Terminal.print("\nat the gateway:")
        for token in gateway.snapshot() { Terminal.print("  \(token.name.padding(28))  \(token.status.rawValue)") }
        let isThrough = try isThrough(site)
        let rate = Int(Double(counts.made) / max(1, seconds))
        Terminal.print("\n\(counts.failed) of \(counts.made) calls failed (\(rate) a second for \(Int(seconds)) s)")
        if !isThrough { Terminal.print("the demonstration did not come to its end") }
        return isThrough && counts.failed == 0 && counts.made > 0 && alive.count == 2
    }
}
