package import Foundation
package import KeyturnCore
package import Logging

/// The daemon's loop: pass, tell, sleep, and the post beside it. It is the only code that sleeps, and it decides by the clock on every wake.
package struct KeeperService: Sendable {
    /// What may interrupt its sleep.
    package enum Wake: Sendable, Equatable {
        case look, reload, stop
        /// The loop's own nap is over.
        case tick
    }

    /// What the service says of itself to whoever started it.
    package struct Signs: Sendable {
        package var ready: @Sendable () -> Void
        package var status: @Sendable (String) -> Void
        package var reloading: @Sendable () -> Void
        package var stopping: @Sendable () -> Void
        package var beat: @Sendable () -> Void
        /// How often somebody waits for a beat; nil where nobody does.
        package var beatEvery: Duration?

        package init(
            ready: @escaping @Sendable () -> Void, status: @escaping @Sendable (String) -> Void, reloading: @escaping @Sendable () -> Void,
            stopping: @escaping @Sendable () -> Void, beat: @escaping @Sendable () -> Void, beatEvery: Duration?
        ) {
            self.ready = ready
            self.status = status
            self.reloading = reloading
            self.stopping = stopping
            self.beat = beat
            self.beatEvery = beatEvery
        }

        package static let none = Signs(ready: {}, status: { _ in }, reloading: {}, stopping: {}, beat: {}, beatEvery: nil)
    }

    private let keeper: @Sendable () throws -> Keeper
    private let now: @Sendable () -> Moment
    private let pulse: Pulse
    private let signs: Signs
    private let log: Logger

    /// `keeper` makes one from the configuration of the moment: called at start, where an error ends the service, and at
    /// every reload, where an error leaves the old one in charge.
    package init(
        keeper: @escaping @Sendable () throws -> Keeper, now: @escaping @Sendable () -> Moment, pulse: Pulse, signs: Signs, log: Logger
    ) {
        self.keeper = keeper
        self.now = now
        self.pulse = pulse
        self.signs = signs
        self.log = log
    }

    /// Runs until a `stop`. `wakes` ends only with the process.
    package func run(wakes: AsyncStream<Wake>, wake: AsyncStream<Wake>.Continuation) async throws {
        // Only the newest keeper counts where verifying takes longer than a pass.
        let (turns, turn) = AsyncStream<Keeper>.makeStream(bufferingPolicy: .bufferingNewest(1))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { for await keeper in turns { await keeper.verifyHistoryWhenDue() } }
            defer { group.cancelAll() }
            try await keepAndPost(wakes, wake, verify: { _ = turn.yield($0) })
        }
    }

    private func keepAndPost(
        _ wakes: AsyncStream<Wake>, _ wake: AsyncStream<Wake>.Continuation, verify: (Keeper) -> Void
    ) async throws {
        let keeper = try keeper()
        let rounds = PostRounds(keeper.post, now: now) { wake.yield(.tick) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await rounds.run() }
            // What is being handed over when it ends may come to its end: whoever stops us says for how long.
            defer { rounds.close() }
            try await keep(keeper, wakes, wake, rounds, verify: verify)
        }
    }

    /// - Parameter verify: has the history verified beside the passes, where that is due.
    private func keep(
        _ first: Keeper, _ wakes: AsyncStream<Wake>, _ wake: AsyncStream<Wake>.Continuation, _ rounds: PostRounds,
        verify: (Keeper) -> Void
    ) async throws {
        var keeper = first
        tell(nil, by: keeper)
        keeper.tellHistoryHead()
        defer { keeper.tellHistoryHead() }
        var nextWatch = now().wall
        var troubled = 0
        var isOutdated = false
        var events = wakes.makeAsyncIterator()
        signs.ready()
        while true {
            let started = now()
            let watches =
                started.wall >= nextWatch || nextWatch.timeIntervalSince(started.wall) > keeper.settings.watchEvery.approximateSeconds * 2
            if watches { nextWatch = keeper.settings.watchEvery.after(started.wall) }
            let current = keeper
            var next = nextWatch
            var retryAfter: TimeInterval = 0
            do {
                let outlook = try await watched { try await current.pass(watches: watches) }
                troubled = outlook.troubles.isEmpty ? 0 : troubled + 1
                if let look = outlook.nextLook { next = min(next, look) }
                retryAfter = outlook.troubles.values.compactMap(\.retryAfter).max() ?? 0
                signs.status(outlook.summary(at: now().wall) + (isOutdated ? "; the last reload was refused" : ""))
            } catch {
                // Where the journal cannot be written nothing else may happen, and ending would not mend it: say so and wait.
                troubled += 1
                log.error("this pass came to nothing: \(error)")
                signs.status("\(error)")
            }
            if keeper.isStopping() { break }
            verify(keeper)
            next = min(next, now().wall.addingTimeInterval(Keeper.verifiesHistoryEvery))
            rounds.lookAtAll()
            if troubled > 0 {
                let wait = max(Backoff.wait(after: troubled, of: "pass"), min(retryAfter, Backoff.longest))
                next = min(next, now().wall.addingTimeInterval(wait))
            }

            switch await sleep(until: next, &events, wake, rounds) {
            case .look, .tick: break
            case .stop: return signs.stopping()
            case .reload:
                let reloaded = reload(over: keeper)
                isOutdated = reloaded == nil
                if let reloaded {
                    keeper = reloaded
                    rounds.replace(reloaded.post)
                    nextWatch = now().wall
                }
            }
        }
        signs.stopping()
    }

    /// Nil where the old one stays in charge, which it tells.
    private func reload(over old: Keeper) -> Keeper? {
        signs.reloading()
        defer { signs.ready() }
        do {
            let reloaded = try keeper()
            log.notice("the settings and policies were read again")
            tell(nil, by: reloaded, urges: true)
            return reloaded
        } catch {
            log.error("the new settings or policies are refused and the old ones stay in force")
            for line in "\(error)".split(separator: "\n") { log.error("\(line)") }
            tell(error, by: old)
            return nil
        }
    }

    private func tell(_ refusal: (any Error)?, by keeper: Keeper, urges: Bool = false) {
        do {
            try keeper.post.open(urges: urges)
            try keeper.tell(refusedReload: refusal)
        } catch { log.error("\(error)") }
    }

    /// Sleeps until a moment, a wake or a stop, whichever is first, beating on the way.
    private func sleep(
        until date: Date, _ events: inout AsyncStream<Wake>.Iterator, _ wake: AsyncStream<Wake>.Continuation, _ rounds: PostRounds
    ) async -> Wake {
        let start = now()
        let length = date.timeIntervalSince(start.wall)
        while true {
            let moment = now()
            // A clock that was set back must not prolong the sleep.
            let left = min(date.timeIntervalSince(moment.wall), length - (moment.boot - start.boot))
            // Where nothing is left to wait one event is taken in all the same: work that is due at once, pass after pass, must not
            // keep a reload out. The tick stands behind whatever is there.
            if left <= 0 { wake.yield(.tick) }
            let post = rounds.next?.timeIntervalSince(moment.wall) ?? 60
            if post <= 0 { rounds.lookAtDue() }
            // Never longer than a minute at a time: a clock that is set meanwhile is noticed.
            let nap = min(left, 60, signs.beatEvery.map { $0.seconds / 2 } ?? 60, post <= 0 ? 1 : post)
            let event = await withTaskGroup(of: Void.self) { group in
                if left > 0 {
                    group.addTask {
                        guard (try? await Task.sleep(for: .seconds(nap))) != nil else { return }
                        wake.yield(.tick)
                    }
                }
                let event = await events.next() ?? .stop
                group.cancelAll()
                return event
            }
            pulse.progress()
            signs.beat()
            if event != .tick { return event }
            if left <= 0 { return .look }
        }
    }

    /// Runs a pass while beating as long as its steps make progress.
    private func watched(_ body: @escaping @Sendable () async throws -> Keeper.Outlook) async throws -> Keeper.Outlook {
        pulse.progress()
        guard let beatEvery = signs.beatEvery else { return try await body() }
        return try await withThrowingTaskGroup(of: Keeper.Outlook?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while (try? await Task.sleep(for: beatEvery / 2)) != nil {
                    if pulse.isHealthy { signs.beat() }
                }
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }
}

extension Duration {
    package var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

extension Keeper.Outlook {
    /// One line for `systemctl status`: `12 tokens, next prod-webapp-api in 3 d`.
    package func summary(at now: Date) -> String {
        // Not the verdicts, of which there are none while the keyring is unknown; and not what has ended and is over.
        let count = tokens.count { $0.ending == nil || $0.generations.contains(where: \.isLiving) }
        var parts = ["\(count) token\(count == 1 ? "" : "s")"]
        let rotating = tokens.count { $0.rotation?.isOpen == true }
        if rotating > 0 { parts.append("\(rotating) rotating") }
        if !findings.isEmpty { parts.append("\(findings.count) finding\(findings.count == 1 ? "" : "s")") }
        let next = verdicts.compactMap { name, verdict -> (Date, TokenName)? in
            switch verdict {
            case .waits(let until?, _), .rests(let until?, _): (until, name)
            default: nil
            }
        }.min { $0.0 < $1.0 }
        if let (date, name) = next { parts.append("next \(name) in \(Age.text(date.timeIntervalSince(now)))") }
        return parts.joined(separator: ", ")
    }
}

/// A length of time as a glance wants it: its largest unit only.
package enum Age {
    package static func text(_ seconds: TimeInterval) -> String {
        let seconds = max(0, seconds)
        let units: [(TimeInterval, String)] = [(86400 * 365.25, "y"), (86400, "d"), (3600, "h"), (60, "min")]
        for (size, unit) in units where seconds >= size * (unit == "y" ? 2 : 1) { return "\(Int(seconds / size)) \(unit)" }
        return "\(Int(seconds)) s"
    }
}
