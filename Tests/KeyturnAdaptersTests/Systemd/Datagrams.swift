import Foundation
import Glibc

/// A datagram socket that a test reads: every message arrives as it was sent, with its bounds.
final class Datagrams {
    private let reader: Int32
    /// The other end of a pair; -1 for a socket with a path.
    let writer: Int32
    private let path: String?

    /// Two connected sockets: what is written to `writer` in one write(2) arrives as one message.
    init() throws {
        var ends: [Int32] = [-1, -1]
        guard unsafe socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &ends) == 0 else { throw Failure(call: "socketpair") }
        (reader, writer, path) = (ends[0], ends[1], nil)
    }

    /// A socket at `path`, as the service manager offers it in `$NOTIFY_SOCKET`.
    init(at path: String) throws {
        reader = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        (writer, self.path) = (-1, path)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let bound = unsafe withUnsafeBytes(of: &address) { bytes in
            unsafe bind(reader, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t(bytes.count))
        }
        guard bound == 0 else { throw Failure(call: "bind") }
    }

    deinit {
        close(reader)
        if writer >= 0 { close(writer) }
        if let path { unsafe unlink(path) }
    }

    /// Every message that has arrived by now, in order.
    func received() -> [String] {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe recv(reader, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count < 0 { return messages }
            messages.append(String(decoding: buffer.prefix(count), as: UTF8.self))
        }
    }

    struct Failure: Error {
        let call: String
        let code = errno
    }
}
