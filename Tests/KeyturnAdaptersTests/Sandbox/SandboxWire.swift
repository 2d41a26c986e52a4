import Foundation
import Glibc
import KeyturnSandbox

/// One HTTP exchange over a bare socket: what a client library would hide (no byte at all, a reset, a short body) is seen here.
enum SandboxWire {
    /// Sends `text` and reads until the server ends the connection. On a thread of its own, since it blocks.
    /// - Parameter leaving: closes the sending side at once, as a client that goes away.
    static func exchange(_ text: String, port: Int, host: String = "127.0.0.1", leaving: Bool = false) async -> SandboxReply {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(returning: blockingExchange(Array(text.utf8), port: port, host: host, leaving: leaving))
            }
        }
    }

    private static func blockingExchange(_ request: [UInt8], port: Int, host: String, leaving: Bool) -> SandboxReply {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        unsafe inet_pton(AF_INET, host, &address.sin_addr)
        let connected = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe connect(socket, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { return SandboxReply(ending: .refused) }
        _ = unsafe request.withUnsafeBytes { unsafe send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        if leaving { shutdown(socket, Int32(SHUT_WR)) }
        return drain(socket)
    }

    private static func drain(_ socket: Int32) -> SandboxReply {
        var reply = SandboxReply(ending: .closed)
        var buffer = [UInt8](repeating: 0, count: 256 * 1024)
        while true {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, 0) }
            guard count > 0 else {
                if count < 0 { reply.ending = .reset }
                return reply
            }
            reply.bytes += buffer[..<count]
        }
    }
}

/// Everything a server sent on one connection, and how it ended.
struct SandboxReply: Sendable {
    enum Ending { case closed, reset, refused }

    var bytes: [UInt8] = []
    var ending: Ending

    private var parts: (head: String, body: ArraySlice<UInt8>) {
        guard let blank = Data(bytes).range(of: Data("\r\n\r\n".utf8)) else { return (String(decoding: bytes, as: UTF8.self), []) }
        return (String(decoding: bytes[..<blank.lowerBound], as: UTF8.self), bytes[blank.upperBound...])
    }

    var status: Int? { parts.head.split(separator: " ").dropFirst().first.flatMap { Int($0) } }
    var body: [UInt8] { Array(parts.body) }
    var json: SandboxJSON? { try? JSONDecoder().decode(SandboxJSON.self, from: Data(body)) }
    var message: String? { json?["error"]?["message"]?.text }

    func header(_ name: String) -> String? {
        for line in parts.head.split(separator: "\r\n").dropFirst() {
            let halves = line.split(separator: ":", maxSplits: 1)
            if halves.first?.lowercased() == name { return halves.last.map { $0.trimmingCharacters(in: .whitespaces) } }
        }
        return nil
    }
}
