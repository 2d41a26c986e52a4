import Foundation
import Glibc
import KeyturnEngine

/// The few file operations of the keyring: created for the owner alone, durable before they return, overwritten before
/// they go.
enum SecretFile {
    /// A record is a few hundred bytes; what is larger was not written by us.
    private static let largest = 65536

    static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

    static func makeFolder(_ path: String) throws(KeyringError) {
        if unsafe mkdir(path, 0o700) != 0, errno != EEXIST { throw failure("make", path) }
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { throw failure("look at", path) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw KeyringError("\(path) is not a folder") }
        guard status.st_uid == geteuid() else {
            throw KeyringError("\(path) belongs to user \(status.st_uid), not to the one keyturn runs as (\(geteuid()))")
        }
        guard status.st_mode & 0o077 == 0 else { throw KeyringError("\(path) is open to others: chmod 0700 it") }
        try sync(folderOf: path)
    }

    /// Nil where there is none.
    static func read(_ path: String) throws(KeyringError) -> [UInt8]? {
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("read", path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("read", path) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size <= largest else {
            throw KeyringError("\(path) is no record of the keyring")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            guard count > 0 else { throw KeyringError("keyring: \(path) became shorter while it was read") }
            done += count
        }
        return bytes
    }

    /// Room on the disk for a file to come.
    static func reserve(_ path: String, bytes: Int) throws(KeyringError) {
        try overwriteAndRemove(path)
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("make", path) }
        defer { close(descriptor) }
        let result = posix_fallocate(descriptor, 0, off_t(bytes))
        guard result == 0 else {
            errno = result
            let failure = failure("make room for", path)
            unsafe unlink(path)
            throw failure
        }
        guard fsync(descriptor) == 0 else { throw failure("make room for", path) }
        try sync(folderOf: path)
    }

    /// Over the reservation where there is one, then in place in one step.
    static func write(_ bytes: [UInt8], to path: String) throws(KeyringError) {
        let temporary = path + ".new"
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("write", temporary) }
        defer { close(descriptor) }
        try writeAll(bytes, descriptor, temporary)
        guard ftruncate(descriptor, off_t(bytes.count)) == 0, fsync(descriptor) == 0 else { throw failure("write", temporary) }
        guard unsafe rename(temporary, path) == 0 else { throw failure("write", path) }
        try sync(folderOf: path)
    }

    /// As `write`, but what is there stays: whoever is first at it wins.
    static func writeFirst(_ bytes: [UInt8], to path: String) throws(KeyringError) {
        let temporary = "\(path).\(UUID().uuidString)"
        try write(bytes, to: temporary)
        let result = unsafe link(temporary, path)
        let failure = result == 0 || errno == EEXIST ? nil : failure("write", path)
        try remove(temporary)
        if let failure { throw failure }
        try sync(folderOf: path)
    }

    private static func remove(_ path: String) throws(KeyringError) {
        if unsafe unlink(path) != 0, errno != ENOENT { throw failure("remove", path) }
    }

    static func overwriteAndRemove(_ path: String) throws(KeyringError) {
        let descriptor = unsafe open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return }
            throw failure("wipe", path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("wipe", path) }
        try writeAll([UInt8](repeating: 0, count: min(Int(status.st_size), largest)), descriptor, path)
        guard fsync(descriptor) == 0 else { throw failure("wipe", path) }
        try remove(path)
        try sync(folderOf: path)
    }

    static func list(_ path: String) throws(KeyringError) -> [String] {
        do { return try FileManager.default.contentsOfDirectory(atPath: path) } catch {
            throw KeyringError("the keyring \(path) cannot be listed: \(error)")
        }
    }

    static func wipe(_ bytes: inout [UInt8]) {
        unsafe bytes.withUnsafeMutableBytes { if let base = $0.baseAddress { unsafe explicit_bzero(base, $0.count) } }
    }

    private static func writeAll(_ bytes: [UInt8], _ descriptor: Int32, _ path: String) throws(KeyringError) {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            done += count
        }
    }

    private static func sync(folderOf path: String) throws(KeyringError) {
        let folder = (path as NSString).deletingLastPathComponent
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", folder) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("sync", folder) }
    }

    private static func failure(_ verb: String, _ path: String) -> KeyringError {
        let help =
            switch errno {
            case ENOSPC, EDQUOT: ": make room on the disk"
            case EROFS: ": its file system is read-only"
            case EACCES, EPERM: ": keyturn must own it"
            default: ""
            }
        return KeyringError("keyring: cannot \(verb) \(path): \(unsafe String(cString: strerror(errno)))\(help)")
    }
}
