import CCurl
import Foundation
import Glibc
import Synchronization

/// One request on its way from a task to the loop's thread: the part that both may touch.
final class CurlCall: Sendable {
    let request: HTTPRequest
    let lines: HeaderLines
    // A flag and not a message: it may be raised before the loop has heard of the call, and after it has forgotten it.
    private let cancelled = Atomic(false)

    init(_ request: HTTPRequest, _ lines: consuming HeaderLines) {
        self.request = request
        self.lines = lines
    }

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    func cancel() {
        cancelled.store(true, ordering: .releasing)
    }
}

/// libcurl's event loop on a thread of its own. That thread alone touches the handles; everyone else leaves a call in the
/// inbox, or raises a call's flag, and wakes it.
@safe final class CurlLoop: Sendable {
    typealias Answer = Result<HTTPResponse, HTTPFailure>

    /// What a task waits for; resumed exactly once.
    struct Order: Sendable {
        let call: CurlCall
        let answer: CheckedContinuation<Answer, Never>
    }

    private enum Inbox {
        case open([Order])
        /// The thread is asked to end. No order enters any more.
        case closing([Order])
        /// The multi handle is gone: waking it would be a use after free.
        case closed
    }

    /// Once a process, before any thread uses libcurl; the result is read at each `init`.
    static let initialized = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
    /// Connections kept for reuse, all hosts together.
    private static let keptConnections = 16

    private let settings: CurlSettings
    private let inbox = Mutex(Inbox.open([]))
    private nonisolated(unsafe) let multi: UnsafeMutableRawPointer

    init(_ settings: CurlSettings) {
        guard CurlLoop.initialized, let multi = unsafe curl_multi_init() else { fatalError("libcurl does not start") }
        self.settings = settings
        unsafe self.multi = unsafe multi
        unsafe keyturn_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, CurlLoop.keptConnections)
        let thread = Thread { self.run() }
        thread.name = "keyturn-http"
        thread.start()
    }

    func perform(_ call: CurlCall) async throws(HTTPFailure) -> HTTPResponse {
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { submit(Order(call: call, answer: $0)) }
        } onCancel: {
            call.cancel()
            inbox.withLock { wake($0) }
        }
        return try answer.get()
    }

    func stop() {
        inbox.withLock { inbox in
            guard case .open(let orders) = inbox else { return }
            inbox = .closing(orders)
            wake(inbox)
        }
    }

    private func submit(_ order: Order) {
        let accepted = inbox.withLock { inbox in
            guard case .open(let orders) = inbox else { return false }
            inbox = .open(orders + [order])
            wake(inbox)
            return true
        }
        if !accepted { order.answer.resume(returning: .failure(.notSent("the HTTP client has been shut down"))) }
    }

    /// Only under the inbox's lock, which keeps the handle alive meanwhile.
    private func wake(_ inbox: Inbox) {
        if case .closed = inbox { return }
        unsafe curl_multi_wakeup(multi)
    }
}

// MARK: - On the thread

extension CurlLoop {
    private func run() {
        CurlLoop.blockSignals()
        var running: [ObjectIdentifier: CurlTransfer] = [:]
        var open = true
        while open {
            let arrived: [Order]
            (arrived, open) = takeOrders()
            for order in arrived { start(order, &running) }
            for transfer in running.values where !open || transfer.order.call.isCancelled {
                end(transfer, with: .failure(transfer.failure(nil)), &running)
            }
            var unfinished: Int32 = 0
            require(unsafe curl_multi_perform(multi, &unfinished))
            finish(&running)
            // libcurl shortens this wait to its own next deadline; without a transfer only a wake-up ends it.
            if open { require(unsafe curl_multi_poll(multi, nil, 0, Int32.max, nil)) }
        }
        inbox.withLock { $0 = .closed }
        unsafe curl_multi_cleanup(multi)
    }

    private func takeOrders() -> (orders: [Order], open: Bool) {
        inbox.withLock { inbox in
            switch inbox {
            case .open(let orders):
                inbox = .open([])
                return (orders, true)
            case .closing(let orders):
                inbox = .closing([])
                return (orders, false)
            case .closed:
                return ([], false)
            }
        }
    }

    private func start(_ order: Order, _ running: inout [ObjectIdentifier: CurlTransfer]) {
        let transfer = CurlTransfer(order, settings)
        guard transfer.refusal == nil, !order.call.isCancelled else {
            order.answer.resume(returning: .failure(.notSent(transfer.refusal ?? "cancelled before it was sent")))
            return
        }
        running[ObjectIdentifier(transfer)] = transfer
        require(unsafe curl_multi_add_handle(multi, transfer.easy))
    }

    private func finish(_ running: inout [ObjectIdentifier: CurlTransfer]) {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &left) {
            // The message dies with the handle's removal: read it first.
            guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
            let code = unsafe message.pointee.data.result
            let transfer = unsafe CurlTransfer.of(message.pointee.easy_handle)
            end(transfer, with: transfer.answer(code), &running)
        }
    }

    private func end(_ transfer: CurlTransfer, with answer: Answer, _ running: inout [ObjectIdentifier: CurlTransfer]) {
        require(unsafe curl_multi_remove_handle(multi, transfer.easy))
        running[ObjectIdentifier(transfer)] = nil
        transfer.order.answer.resume(returning: answer)
    }

    /// A loop that cannot go on holds requests forever. That is lack of memory or a mistake here, and a restart mends the former.
    private func require(_ code: CURLMcode) {
        guard code == CURLM_OK else { fatalError("libcurl: \(unsafe String(cString: curl_multi_strerror(code)))") }
    }

    /// Signals belong to the threads that wait for them. With CURLOPT_NOSIGNAL libcurl leaves SIGPIPE to its host: here it is
    /// blocked with the rest, also for the resolver's threads, which inherit it.
    static func blockSignals() {
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, nil)
    }
}
