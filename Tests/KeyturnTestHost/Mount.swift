import Foundation
import Glibc

/// A small file system in memory, for as long as it lives; for who may mount.
package final class Mount: Sendable {
    private let path: String
    /// False where there is no right to mount.
    package let isMounted: Bool

    /// - Parameter size: as tmpfs(5) reads it, `256k`.
    package init(at path: String, size: String, isReadOnly: Bool = false) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let flags = isReadOnly ? UInt(MS_RDONLY) : 0
        isMounted = unsafe "size=\(size),mode=700".withCString { unsafe mount("tmpfs", path, "tmpfs", flags, $0) } == 0
    }

    deinit { end() }

    package func end() { if isMounted { unsafe umount2(path, Int32(MNT_DETACH)) } }

    package func remount(readOnly: Bool) -> Bool {
        unsafe mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT) | (readOnly ? UInt(MS_RDONLY) : 0), nil) == 0
    }

    package func remount(size: String) -> Bool {
        unsafe "size=\(size)".withCString { unsafe mount("tmpfs", path, "tmpfs", UInt(MS_REMOUNT), $0) } == 0
    }

    /// Takes all the room there is.
    package func fill() throws {
        let descriptor = unsafe open(path + "/filler", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Unexpected("cannot fill \(path)") }
        defer { close(descriptor) }
        let block = [UInt8](repeating: 1, count: 4096)
        while unsafe Glibc.write(descriptor, block, block.count) > 0 {}
        guard errno == ENOSPC else { throw Unexpected("cannot fill \(path)") }
    }

    package func makeRoom() { unsafe unlink(path + "/filler") }
}
