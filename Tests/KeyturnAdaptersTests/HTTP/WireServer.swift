import Foundation
import Glibc
import Synchronization
import Testing

/// A server of raw sockets on loopback: it sees every byte on the wire, counts what arrives, and can be as rude as a test needs.
///
/// Each connection runs the script on a thread of its own, blocking; it is closed when the script returns.
final class WireServer: Sendable {
    typealias Script = @Sendable (WireConnection) -> Void

    let port: Int
    /// One element a connection or a complete request, as they come in.
    let events: AsyncStream<Event>
    private let ending: Int32
    private let book = Book()

    enum Event: Sendable, Equatable { case connected, requested }

    /// What the threads write down; it outlives the server if they do.
    final class Book: Sendable {
        let requests = Mutex<[WireRequest]>([])
        let connections = Atomic(0)
        let refuses = Atomic(false)
        let threads = DispatchGroup()
        let events = AsyncStream.makeStream(of: Event.self)
    }

    init(_ script: @escaping Script) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                precondition(unsafe bind(listener, $0, size) == 0 && listen(listener, 512) == 0 && getsockname(listener, $0, &size) == 0)
            }
        }
        port = Int(UInt16(bigEndian: address.sin_port))
        var pipes: [Int32] = [0, 0]
        unsafe precondition(pipe(&pipes) == 0)
        ending = pipes[1]
        events = book.events.stream
        let (end, book) = (pipes[0], book)
        book.threads.enter()
        Thread {
            WireServer.accept(listener, until: end, book, script)
            book.threads.leave()
        }.start()
    }

    deinit { close(ending) }

    func url(_ path: String = "/", scheme: String = "http", host: String = "127.0.0.1") -> String { "\(scheme)://\(host):\(port)\(path)" }

    var connections: Int { book.connections.load(ordering: .acquiring) }

    /// Everything that ever arrives. Call it when the client is shut down: it takes what still waits to be accepted, then
    /// reads each connection to its end.
    func requests() async -> [WireRequest] {
        var byte: UInt8 = 0
        unsafe precondition(write(ending, &byte, 1) == 1)
        await withCheckedContinuation { done in book.threads.notify(queue: .global()) { done.resume() } }
        return book.requests.withLock { $0 }
    }

    /// A connect that has returned at the client is in the queue here: on the end, empty the queue without blocking and no
    /// connection is missed.
    private static func accept(_ listener: Int32, until end: Int32, _ book: Book, _ script: @escaping Script) {
        var ended = false
        while !ended {
            let watched = book.refuses.load(ordering: .acquiring) ? -1 : listener
            var polled = [pollfd(fd: end, events: Int16(POLLIN), revents: 0), pollfd(fd: watched, events: Int16(POLLIN), revents: 0)]
            unsafe poll(&polled, 2, -1)
            ended = polled[0].revents != 0
            while case let descriptor = Glibc.accept(listener, nil, nil), descriptor >= 0 {
                let number = book.connections.add(1, ordering: .acquiringAndReleasing).newValue
                let connection = WireConnection(descriptor, number: number, listener: listener, book)
                book.events.continuation.yield(.connected)
                book.threads.enter()
                Thread {
                    script(connection)
                    connection.close()
                    book.threads.leave()
                }.start()
            }
        }
        close(listener)
        close(end)
    }
}

struct WireRequest: Sendable {
    /// From 1, in the order accepted.
    let connection: Int
    let head: String
    let body: [UInt8]

    var method: String { String(head.prefix { $0 != " " }) }

    func header(_ name: String) -> String? {
        let lines = head.components(separatedBy: "\r\n").dropFirst()
        let line = lines.first { $0.lowercased().hasPrefix(name.lowercased() + ":") }
        return line.map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }
}

/// Used by the thread of its script alone.
final class WireConnection: Sendable {
    let number: Int
    private let descriptor: Int32
    private let listener: Int32
    private let book: WireServer.Book
    private let state = Mutex((pending: [UInt8](), closed: false))

    init(_ descriptor: Int32, number: Int, listener: Int32, _ book: WireServer.Book) {
        self.descriptor = descriptor
        self.listener = listener
        self.number = number
        self.book = book
        // No test waits this long: what ends so is a client that forgot its connection.
        var patience = timeval(tv_sec: 120, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    /// The next request, whole; nil when the client has closed.
    func next() -> WireRequest? {
        var bytes = state.withLock { $0.pending }
        let separator = Array("\r\n\r\n".utf8)
        while bytes.firstRange(of: separator) == nil {
            guard let more = read() else { return nil }
            bytes += more
        }
        let end = bytes.firstRange(of: separator)!
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
        let length = WireRequest(connection: number, head: head, body: []).header("Content-Length").flatMap { Int($0) } ?? 0
        while bytes.count < end.upperBound + length {
            guard let more = read() else { return nil }
            bytes += more
        }
        let request = WireRequest(connection: number, head: head, body: Array(bytes[end.upperBound..<end.upperBound + length]))
        state.withLock { $0.pending = Array(bytes[(end.upperBound + length)...]) }
        book.requests.withLock { $0.append(request) }
        book.events.continuation.yield(.requested)
        return request
    }

    /// nil at the end of the stream, and after a reset.
    func read() -> [UInt8]? {
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 65536) { buffer, count in
            unsafe count = max(-1, recv(descriptor, buffer.baseAddress, buffer.count, 0))
            if count < 0 {
                if errno == EAGAIN { Issue.record("the client neither speaks nor hangs up") }
                count = 0
            }
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// Everything the client says, until it closes.
    func waitForClose() {
        while read() != nil {}
    }

    /// False once the client no longer listens.
    @discardableResult func write(_ bytes: some Sequence<UInt8>) -> Bool {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let sent = unsafe rest.withUnsafeBytes { unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    @discardableResult func write(_ text: String) -> Bool { write(text.utf8) }

    func answer(_ status: String = "200 OK", headers: [String] = [], _ body: String = "") {
        write("HTTP/1.1 \(status)\r\n" + (headers + ["Content-Length: \(body.utf8.count)"]).map { $0 + "\r\n" }.joined() + "\r\n\(body)")
    }

    func close() {
        state.withLock { state in
            guard !state.closed else { return }
            state.closed = true
            Glibc.close(descriptor)
        }
    }

    /// From now on the server's port refuses connections.
    func refuseOthers() {
        book.refuses.store(true, ordering: .releasing)
        shutdown(listener, Int32(SHUT_RDWR))
    }

    /// RST instead of FIN.
    func reset() {
        var hard = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
        close()
    }
}
