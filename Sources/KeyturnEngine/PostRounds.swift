import Foundation
import KeyturnCore
import Synchronization

/// Delivers beside the passes: every courier in a task of its own, so that one that hangs delays neither a pass nor another courier.
final class PostRounds: Sendable {
    private struct State {
        var post: Post
        /// When each courier is to be looked after; those that are under way apart.
        var due: [String: Date] = [:]
        var busy: Set<String> = []
        /// Of those that are under way: something may have changed since they looked.
        var again: Set<String> = []
    }

    private let state: Mutex<State>
    private let now: @Sendable () -> Moment
    private let looks: AsyncStream<Void>
    private let look: AsyncStream<Void>.Continuation
    /// Called when a courier has come to rest: what is due next is another moment now.
    private let rested: @Sendable () -> Void

    init(_ post: Post, now: @escaping @Sendable () -> Moment, rested: @escaping @Sendable () -> Void) {
        state = Mutex(State(post: post))
        self.now = now
        self.rested = rested
        (looks, look) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The settings were read again. What is under way goes on.
    func replace(_ post: Post) {
        state.withLock { state in
            let names = Set(post.couriers.map(\.name))
            state.post = post
            state.due = state.due.filter { names.contains($0.key) }
        }
    }

    /// When the next courier is due; nil: when a finding changes.
    var next: Date? { state.withLock { $0.due.values.min() } }

    /// Findings may have changed: every courier is looked after now.
    func lookAtAll() {
        let moment = now().wall
        state.withLock { state in
            for courier in state.post.couriers {
                if state.busy.contains(courier.name) { state.again.insert(courier.name) } else { state.due[courier.name] = moment }
            }
        }
        look.yield()
    }

    /// Has those begin that are due.
    func lookAtDue() { look.yield() }

    /// Nobody is looked after any more; who is under way comes to an end.
    func close() { look.finish() }

    func run() async {
        await withDiscardingTaskGroup { group in
            for await _ in looks {
                for (post, courier) in takeDue() {
                    group.addTask {
                        self.end(courier.name, await post.deliver(by: courier))
                    }
                }
            }
        }
    }

    private func takeDue() -> [(Post, any Courier)] {
        let moment = now().wall
        return state.withLock { state in
            let due = state.post.couriers.filter { state.due[$0.name].map { $0 <= moment } ?? false && !state.busy.contains($0.name) }
            for courier in due {
                state.busy.insert(courier.name)
                state.due[courier.name] = nil
            }
            return due.map { (state.post, $0) }
        }
    }

    private func end(_ name: String, _ rest: Post.Rest) {
        let moment = now().wall
        state.withLock { state in
            state.busy.remove(name)
            let isAgain = state.again.remove(name) != nil
            // The settings may name it no longer.
            let isKnown = state.post.couriers.contains { $0.name == name }
            state.due[name] = !isKnown ? nil : isAgain ? moment : rest.until
        }
        if rest.hasTold { lookAtAll() }
        rested()
    }
}
