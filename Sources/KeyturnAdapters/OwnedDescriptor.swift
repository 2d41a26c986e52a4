import Glibc
import SystemPackage

/// A file descriptor with one owner, closed when the owner ends.
struct OwnedDescriptor: ~Copyable {
    let descriptor: FileDescriptor

    init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

    deinit { try? descriptor.close() }

    func status() throws(Errno) -> Stat {
        do { return try descriptor.stat() } catch { throw Errno(caught: error) }
    }

    /// Everything up to the end, nil when that is more than `limit` bytes, whatever size the file claims to have.
    func readAll(upTo limit: Int) throws(Errno) -> [UInt8]? {
        var content: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count: Int
            do {
                count = try unsafe chunk.withUnsafeMutableBytes { try unsafe descriptor.read(into: $0) }
            } catch {
                throw Errno(caught: error)
            }
            if count == 0 { return content }
            content += chunk[..<count]
            if content.count > limit { return nil }
        }
    }
}

extension OwnedDescriptor {
    /// A small file of an administrator's, a template or a process number, read whole. Never blocks on a fifo or a
    /// terminal. Symbolic links are followed: the path is the administrator's own.
    static func open(toRead path: String) throws(Errno) -> OwnedDescriptor {
        let raw = unsafe Glibc.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard raw >= 0 else { throw Errno.current }
        return OwnedDescriptor(FileDescriptor(rawValue: raw))
    }
}

extension Errno {
    /// What the last system call on this thread said.
    static var current: Errno { Errno(rawValue: Glibc.errno) }

    /// swift-system's file operations throw nothing but `Errno`, though their signatures do not say so.
    init(caught error: any Error) { self = error as? Errno ?? .ioError }

    /// The last system call's answer as an error, for calls that say -1.
    static func check(_ answer: Int32) throws(Errno) {
        if answer < 0 { throw Errno.current }
    }
}
