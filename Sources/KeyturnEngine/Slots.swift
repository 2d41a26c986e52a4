import Synchronization

/// So many at once; the others wait, without polling, in the order in which they came.
final class Slots: Sendable {
    private struct State {
        var width: Int
        var taken = 0
        var next = 0
        var waiting: [(number: Int, continuation: CheckedContinuation<Bool, Never>)] = []

        /// Those whose turn it is now.
        mutating func admit() -> [CheckedContinuation<Bool, Never>] {
            let count = min(max(0, width - taken), waiting.count)
            defer { waiting.removeFirst(count) }
            taken += count
            return waiting.prefix(count).map(\.continuation)
        }
    }

    private let state: Mutex<State>

    init(_ width: Int) { state = Mutex(State(width: max(1, width))) }

    var waiting: Int { state.withLock { $0.waiting.count } }

    /// True with a slot, which `leave()` gives back; false without one, because the task was cancelled.
    func enter() async -> Bool {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer: Bool? = state.withLock { state in
                    // A cancel that came before this lock is seen here, one that comes after it finds the entry.
                    if Task.isCancelled { return false }
                    state.waiting.append((number, continuation))
                    guard state.waiting.count == 1, state.taken < state.width else { return nil }
                    _ = state.admit()
                    return true
                }
                if let answer { continuation.resume(returning: answer) }
            }
        } onCancel: {
            let gone = state.withLock { state in
                state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0).continuation }
            }
            gone?.resume(returning: false)
        }
    }

    func leave() { change { $0.taken -= 1 } }

    /// Those inside stay inside where it becomes fewer.
    func resize(_ width: Int) { change { $0.width = max(1, width) } }

    private func change(_ body: (inout State) -> Void) {
        let admitted = state.withLock { state in
            body(&state)
            return state.admit()
        }
        for continuation in admitted { continuation.resume(returning: true) }
    }
}
