import Dispatch

/// Runs the parts of a pass that could run at once one after the other, in the order in which they became ready: what several
/// gateways do at once is then the same each time.
package final class OneAtATime: TaskExecutor {
    private let queue = DispatchQueue(label: "one at a time")

    package init() {}

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
