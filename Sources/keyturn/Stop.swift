import Synchronization
import UnixSignals

/// Set once, by a signal.
final class StopFlag: Sendable {
    private let flag = Mutex(false)
    var isSet: Bool { flag.withLock { $0 } }
    func set() { flag.withLock { $0 = true } }
}

/// How long what is under way may go on after it was told to stop: long enough for an answer that is on its way, short
/// enough for a host that goes down. What is cancelled then is found and continued by the next process.
private let patience = Duration.seconds(3)

/// Runs a body while SIGTERM and SIGINT set a flag instead of ending the process, and cancels it where that is not enough.
/// SIGUSR1, which only wakes, and the signals of `also` do nothing but to be heard.
func withStop<Result: Sendable>(
    _ stop: StopFlag, also: [UnixSignal] = [], heard: @escaping @Sendable (UnixSignal) -> Void = { _ in },
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    let signals = await UnixSignalsSequence(trapping: [.sigterm, .sigint, .sigusr1] + also)
    return try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask {
            for await signal in signals {
                let ends = signal == .sigterm || signal == .sigint
                if ends { stop.set() }
                heard(signal)
                if ends { break }
            }
            try? await Task.sleep(for: patience)
            return nil
        }
        group.addTask { try await body() }
        defer { group.cancelAll() }
        while let end = try await group.next() {
            if let end { return end }
            group.cancelAll()
        }
        throw CancellationError()
    }
}
