package import KeyturnCore
import Synchronization

/// Knows whether the work makes progress: what the watchdog is told. A step may take as long as its own limit; between
/// steps something has to begin or end at least every ten minutes.
package final class Pulse: Sendable {
    private struct State {
        var next = 0
        var deadlines: [Int: Double] = [:]
        var progressed: Double
    }

    private static let patience: Double = 600

    private let state: Mutex<State>
    private let now: @Sendable () -> Moment

    package init(now: @escaping @Sendable () -> Moment) {
        self.now = now
        state = Mutex(State(progressed: now().boot))
    }

    /// By the boot clock.
    package var isHealthy: Bool {
        let boot = now().boot
        return state.withLock { state in
            guard let deadline = state.deadlines.values.max() else { return boot <= state.progressed + Pulse.patience }
            return boot <= max(deadline, state.progressed + Pulse.patience) && state.deadlines.values.allSatisfy { boot <= $0 }
        }
    }

    /// A pass begins, or a sleep went well.
    func progress() {
        let boot = now().boot
        state.withLock { $0.progressed = boot }
    }

    func during<Result>(limit: TimeSpan, _ body: () async throws -> Result) async rethrows -> Result {
        let number = begin(limit: limit)
        defer { end(number) }
        return try await body()
    }

    /// For what cannot be put into a closure; `end` takes the number.
    func begin(limit: TimeSpan) -> Int {
        let boot = now().boot
        return state.withLock { state in
            state.next += 1
            state.deadlines[state.next] = boot + limit.approximateSeconds
            return state.next
        }
    }

    func end(_ number: Int) {
        let boot = now().boot
        state.withLock { state in
            state.deadlines[number] = nil
            state.progressed = boot
        }
    }
}
