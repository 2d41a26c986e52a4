import Glibc
import SystemPackage

/// The opened folder of a target. Everything is done relative to it, so that a folder on the way which is swapped later
/// redirects nothing. All methods take plain names, never paths.
struct Folder: ~Copyable {
    private let owned: OwnedDescriptor

    /// Linux's `O_PATH`, which Glibc's module leaves out: a place in the tree, without the right to read it.
    private static let pathOnly: Int32 = 0o10_000_000
    private static let mostLinks = 40

    /// Walks to an absolute path, one component at a time.
    ///
    /// A symbolic link on the way is followed only where root or this user made it. Whoever owns a folder on the way could
    /// otherwise turn it into a link to `/etc` and have the daemon write there with its own rights.
    init(at path: String) throws(Errno) {
        var here = try Folder.open("/", in: AT_FDCWD, Folder.pathOnly | O_DIRECTORY)
        var ahead = Array(path.split(separator: "/").map(String.init).reversed())
        var links = 0
        while let name = ahead.popLast() {
            let next = try Folder.open(name, in: here.descriptor.rawValue, Folder.pathOnly | O_NOFOLLOW)
            let status = try next.status()
            switch status.type {
            case .directory: here = next
            case .symbolicLink:
                links += 1
                guard links <= Folder.mostLinks else { throw .tooManySymbolicLinkLevels }
                guard status.isTrusted else { throw .tooManySymbolicLinkLevels }
                let text = try Folder.linkText("", in: next.descriptor.rawValue)
                if text.hasPrefix("/") { here = try Folder.open("/", in: AT_FDCWD, Folder.pathOnly | O_DIRECTORY) }
                ahead += text.split(separator: "/").map(String.init).reversed()
            default: throw .notDirectory
            }
        }
        owned = try Folder.open(".", in: here.descriptor.rawValue, O_RDONLY | O_DIRECTORY)
    }

    func status() throws(Errno) -> Stat { try owned.status() }

    /// The file itself, a link included; nil when there is none.
    func status(of name: String) throws(Errno) -> Stat? {
        do {
            return try Stat(FilePath(name), relativeTo: owned.descriptor, flags: [.symlinkNoFollow])
        } catch {
            let errno = Errno(caught: error)
            if errno == .noSuchFileOrDirectory { return nil }
            throw errno
        }
    }

    /// Where a symbolic link points, nil when `name` is something else or nothing.
    func link(_ name: String) throws(Errno) -> String? {
        guard try status(of: name)?.type == .symbolicLink else { return nil }
        return try Folder.linkText(name, in: raw)
    }

    /// Neither follows a link nor waits for a writer of a fifo.
    func openToRead(_ name: String) throws(Errno) -> OwnedDescriptor {
        try Folder.open(name, in: raw, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
    }

    /// A new file that nobody may open, not even its owner, until its mode is set.
    func create(_ name: String) throws(Errno) -> OwnedDescriptor {
        try Folder.open(name, in: raw, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
    }

    /// Puts `name` in the place of `other` in one step.
    func rename(_ name: String, over other: String) throws(Errno) {
        try Errno.check(unsafe renameat(raw, name, raw, other))
    }

    func unlink(_ name: String) throws(Errno) {
        try Errno.check(unsafe unlinkat(raw, name, 0))
    }

    /// Makes names that were added, replaced and removed outlive a loss of power.
    func sync() throws(Errno) { try Errno.check(fsync(raw)) }

    /// The plain names in it that begin with `prefix`.
    func names(beginningWith prefix: String) throws(Errno) -> [String] {
        let copy = try Folder.open(".", in: raw, O_RDONLY | O_DIRECTORY)
        // The stream owns its descriptor, so it gets one of its own.
        let own = dup(copy.descriptor.rawValue)
        guard own >= 0 else { throw Errno.current }
        guard let stream = unsafe fdopendir(own) else {
            _ = close(own)
            throw Errno.current
        }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            if name.hasPrefix(prefix) { names.append(name) }
        }
        return names
    }

    private var raw: Int32 { owned.descriptor.rawValue }

    private static func open(_ name: String, in folder: Int32, _ flags: Int32) throws(Errno) -> OwnedDescriptor {
        let raw = unsafe openat(folder, name, flags | O_CLOEXEC, 0)
        guard raw >= 0 else { throw Errno.current }
        return OwnedDescriptor(FileDescriptor(rawValue: raw))
    }

    private static func linkText(_ name: String, in folder: Int32) throws(Errno) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlinkat(folder, name, &buffer, buffer.count)
        guard count >= 0 else { throw Errno.current }
        return String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension Stat {
    /// Made by root or by this user.
    var isTrusted: Bool { userID.rawValue == 0 || userID.rawValue == geteuid() }

    /// Everyone may add names to this folder.
    var isOpenToAll: Bool { rawValue.st_mode & S_IWOTH != 0 }

    /// Only its owner may rename or remove a file in this folder.
    var isSticky: Bool { rawValue.st_mode & S_ISVTX != 0 }

    /// The twelve permission bits.
    var permissionBits: mode_t { rawValue.st_mode & 0o7777 }

    /// Is this still the very file with the very content and attributes?
    func isUnchanged(since before: Stat) -> Bool {
        inode == before.inode && deviceID == before.deviceID && size == before.size
            && rawValue.st_ctim.tv_sec == before.rawValue.st_ctim.tv_sec
            && rawValue.st_ctim.tv_nsec == before.rawValue.st_ctim.tv_nsec
    }
}
