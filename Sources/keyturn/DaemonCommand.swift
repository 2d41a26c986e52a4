import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Logging
import Synchronization
import UnixSignals

struct DaemonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "daemon", abstract: "Run the service; with --once one pass: everything that can be done now."
    )

    @OptionGroup var site: SiteOptions
    @Flag(help: "One pass, then exit; for cron and timers.") var once = false
    @Flag(name: .shortAndLong, help: "Log every step.") var verbose = false

    func run() async throws {
        Logs.bootstrap(level: verbose ? .debug : .info)
        let log = Logger(label: "keyturn")
        do {
            let configuration = try site.load(triesSecrets: true)
            for warning in configuration.warnings { log.warning("\(warning)") }
            if once { try await Once(configuration, log).run().leave() } else { try await Daemon(site: site, configuration, log).run() }
        } catch let errors as ConfigurationErrors {
            // One entry each, so that the host's journal shows every error of a bad configuration.
            for problem in errors.problems { log.error("\(problem)") }
            throw ExitCode(Exit(of: errors).rawValue)
        }
    }
}

/// One pass, or a nudge for the process that drives already.
private struct Once {
    let configuration: Configuration
    let log: Logger

    init(_ configuration: Configuration, _ log: Logger) {
        self.configuration = configuration
        self.log = log
    }

    func run() async throws -> Exit {
        let house = try House(configuration.settings, environment: ProcessInfo.processInfo.environment)
        let path = House.lockPath(configuration.settings)
        let lock: DriverLock
        do throws(DriverLock.Failure) { lock = try DriverLock(path: path) } catch {
            guard case .taken = error else { throw Refusal(.permission, error.description) }
            _ = DriverLock.wake(path: path)
            log.notice("another keyturn process is driving; it was told to look now")
            return .done
        }
        let stop = StopFlag()
        return try await withStop(stop) {
            lock.announce()
            let site = Site(configuration, house: house)
            let http = HTTPClient()
            defer { http.shutdown() }
            let keeper = try site.keeper(http: http, log: log, isStopping: { stop.isSet })
            try keeper.post.open()
            try keeper.tell(refusedReload: nil)
            // The pass tells what opens; whoever reads this run's output has not seen what was open before.
            let known = try house.journal.openFindings().filter { $0.finding.severity == .error }
            let outlook = try await keeper.pass(watches: true)
            await keeper.verifyHistoryWhenDue()
            let open = Set(try house.journal.openFindings().map(\.finding.key))
            for old in known where open.contains(old.finding.key) {
                log.error("still so: \(old.finding.sentence); \(old.finding.help)", metadata: old.finding.fields)
            }
            await deliver(keeper.post)
            return Exit(of: outlook)
        }
    }

    /// What is to be told is handed over, as far as that goes in this time; the rest is told by the next run.
    private func deliver(_ post: Post) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await post.round() }
            group.addTask { try? await Task.sleep(for: .seconds(45)) }
            await group.next()
            group.cancelAll()
        }
    }
}

extension Exit {
    /// What a pass leaves behind, in one number.
    init(of outlook: Keeper.Outlook) {
        let isStuck = outlook.findings.contains { $0.code == .tokenStuck || $0.code == .keyringUnknown || $0.code == .adminTokenRefused }
        if outlook.troubles.values.contains(where: \.isUnreachable) {
            self = .unreachable
        } else if isStuck {
            self = .stuck
        } else if !outlook.troubles.isEmpty {
            self = .unreachable
        } else {
            let isWaiting = outlook.tokens.contains { token in
                if token.rotation?.isOpen == true { return true }
                if case .waits = outlook.verdicts[token.name] { return true }
                return token.generations.contains { $0.state == .retiring || $0.state == .revoking }
            }
            self = isWaiting ? .waits : .done
        }
    }
}

/// The service: waits for the lock, then keeps until it is told to stop.
private struct Daemon {
    let options: SiteOptions
    let first: Configuration
    let log: Logger

    init(site: SiteOptions, _ configuration: Configuration, _ log: Logger) {
        options = site
        first = configuration
        self.log = log
    }

    func run() async throws {
        let manager = ServiceManager()
        let house = try House(first.settings, environment: ProcessInfo.processInfo.environment)
        let stop = StopFlag()
        let pulse = Pulse(now: HostClock.now)
        let http = HTTPClient()
        defer { http.shutdown() }
        let (wakes, wake) = AsyncStream<KeeperService.Wake>.makeStream(bufferingPolicy: .unbounded)
        let heard: @Sendable (UnixSignal) -> Void = { signal in
            switch signal {
            case .sighup: wake.yield(.reload)
            case .sigusr1: wake.yield(.look)
            default: wake.yield(.stop)
            }
        }
        try await withStop(stop, also: [.sighup], heard: heard) {
            let configurations = Configurations(first, options)
            // A bad start must not look like a good one: settings and admin tokens are read before READY.
            _ = try Site(first, house: house).keeper(http: http, log: log)
            guard let lock = try await waitForLock(House.lockPath(first.settings), manager, stop) else { return }
            lock.announce()
            let service = KeeperService(
                keeper: {
                    let configuration = try configurations.next(stateFolder: house.settings.stateFolder)
                    return try Site(configuration, house: house.with(configuration.settings))
                        .keeper(http: http, log: log, pulse: pulse, isStopping: { stop.isSet })
                },
                now: HostClock.now, pulse: pulse,
                signs: KeeperService.Signs(
                    ready: manager.ready, status: manager.status, reloading: manager.reloading, stopping: manager.stopping,
                    beat: manager.watchdog,
                    beatEvery: manager.watchdogInterval
                ),
                log: log
            )
            log.notice("keyturn is ready; tokens: \(first.tokens.count), policies: \(first.policies.count)")
            try await service.run(wakes: wakes, wake: wake)
            log.notice("keyturn has stopped")
        }
    }

    /// Nil when it was told to stop meanwhile.
    private func waitForLock(_ path: String, _ manager: ServiceManager, _ stop: StopFlag) async throws -> DriverLock? {
        var hasSaid = false
        while !stop.isSet {
            do throws(DriverLock.Failure) { return try DriverLock(path: path) } catch {
                guard case .taken = error else { throw Refusal(.permission, error.description) }
                if !hasSaid {
                    log.notice("another keyturn process is driving; this one waits for it to end")
                    manager.ready()
                    manager.status("waiting for another keyturn process to end")
                    hasSaid = true
                }
                try await Task.sleep(for: .milliseconds(500))
                manager.watchdog()
            }
        }
        return nil
    }
}

/// The configuration read at start, then a new one at each reload.
private final class Configurations: Sendable {
    private let first: Mutex<Configuration?>
    private let options: SiteOptions

    init(_ configuration: Configuration, _ options: SiteOptions) {
        first = Mutex(configuration)
        self.options = options
    }

    func next(stateFolder: String) throws -> Configuration {
        let start = first.withLock { configuration in
            defer { configuration = nil }
            return configuration
        }
        if let start { return start }
        let configuration = try options.load()
        guard configuration.settings.stateFolder == stateFolder else {
            throw Refusal(.configuration, "the state folder cannot change while the daemon runs: restart it")
        }
        return configuration
    }
}
