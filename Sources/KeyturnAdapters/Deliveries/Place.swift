import Glibc
import KeyturnCore
import KeyturnEngine
import SystemPackage

/// A target's file as it was found.
struct ExistingFile {
    var content: [UInt8]
    var status: Stat
    var accessControlList: [UInt8]?
}

/// Where a target's file lies: an opened folder and the file's real name in it, links inside the folder followed.
struct Place: ~Copyable {
    private let folder: Folder
    private let name: String
    private let target: TargetPolicy
    private let isOpenToAll: Bool

    private static let mostLinks = 8

    private init(folder: consuming Folder, name: String, target: TargetPolicy, isOpenToAll: Bool) {
        self.folder = folder
        self.name = name
        self.target = target
        self.isOpenToAll = isOpenToAll
    }

    /// Opens the target's folder; nil when the folder is absent.
    static func find(_ target: TargetPolicy) throws(DeliveryError) -> Place? {
        let path = target.file
        guard path.hasPrefix("/"), !path.utf8.contains(0), let slash = path.lastIndex(of: "/") else {
            throw DeliveryError("\(path): a target is named by its whole path, beginning with /")
        }
        let name = String(path[path.index(after: slash)...])
        guard !name.isEmpty, name != ".", name != ".." else { throw DeliveryError("\(path): names no file") }
        do {
            let folder = try Folder(at: String(path[..<slash]))
            let status = try folder.status()
            guard !status.isOpenToAll || status.isSticky else {
                throw DeliveryError("\(path): everyone may rename files in its folder; chmod o-w the folder, or deliver to another")
            }
            let realName = try realName(of: name, in: folder, at: String(path[..<slash]), path)
            return Place(folder: folder, name: realName, target: target, isOpenToAll: status.isOpenToAll)
        } catch let error as DeliveryError {
            throw error
        } catch {
            let errno = Errno(caught: error)
            if errno == .noSuchFileOrDirectory { return nil }
            throw DeliveryError(path, "its folder cannot be opened", errno)
        }
    }

    /// What lies there; nil when nothing does. Refuses what cannot be replaced without harm.
    func existing() throws(DeliveryError) -> ExistingFile? {
        do {
            guard let seen = try folder.status(of: name) else { return nil }
            // Before it is opened: opening a device can do things.
            guard seen.type == .regular else { throw DeliveryError("\(path): is no regular file; deliver to another path") }
            let file = try folder.openToRead(name)
            let status = try file.status()
            guard status.type == .regular else { throw DeliveryError("\(path): is no regular file; deliver to another path") }
            guard status.linkCount <= 1 else {
                throw DeliveryError(
                    "\(path): has \(status.linkCount) hard links, and replacing this one would leave the old secret under the others; "
                        + "remove them, or make them symbolic links in the same folder"
                )
            }
            guard !isOpenToAll || status.isTrusted || status.userID.rawValue == namedOwner else {
                throw DeliveryError("\(path): everyone may put files into its folder, and user \(status.userID.rawValue) did; remove it")
            }
            guard let content = try file.readAll(upTo: AtomicFile.mostBytes) else {
                throw DeliveryError("\(path): is larger than \(AtomicFile.mostBytes >> 20) MiB; deliver to a file of its own")
            }
            return ExistingFile(content: content, status: status, accessControlList: try AccessControlList.read(file))
        } catch let error as DeliveryError {
            throw error
        } catch {
            throw DeliveryError(path, "cannot be read", Errno(caught: error))
        }
    }

    /// Makes a file beside the target for `body`, and removes it unless `body` has renamed it.
    func withTemporary<Result>(
        _ body: (borrowing OwnedDescriptor, _ name: String) throws(DeliveryError) -> Result
    ) throws(DeliveryError) -> Result {
        removeLeftovers()
        let temporary = leftoverPrefix + hexadecimal(UInt32.random(in: 0 ... .max))
        let file: OwnedDescriptor
        do { file = try folder.create(temporary) } catch { throw DeliveryError(path, "no file can be made beside it", error) }
        defer { try? folder.unlink(temporary) }
        return try body(file, temporary)
    }

    /// False when what lies there is no longer what `existing` saw.
    func replace(by temporary: String, if existing: ExistingFile?) throws(DeliveryError) -> Bool {
        do {
            let now = try folder.status(of: name)
            guard existing.map({ now?.isUnchanged(since: $0.status) ?? false }) ?? (now == nil) else { return false }
            try folder.rename(temporary, over: name)
            return true
        } catch {
            throw DeliveryError(path, "cannot be replaced", error)
        }
    }

    func remove() throws(DeliveryError) {
        do {
            try folder.unlink(name)
            try folder.sync()
        } catch {
            throw DeliveryError(path, "cannot be removed", error)
        }
    }

    func sync() throws(DeliveryError) {
        do { try folder.sync() } catch { throw DeliveryError(path, "its folder cannot be brought to the disk", error) }
    }

    private var path: String { target.file }
    private var leftoverPrefix: String { ".\(name).keyturn-" }
    private var namedOwner: uid_t? { (try? FileAttributes(wantedBy: target, over: nil))?.owner }

    /// What a killed process left of this target: files of this user under the very names that it gives.
    func removeLeftovers() {
        let names = (try? folder.names(beginningWith: leftoverPrefix)) ?? []
        for leftover in names where leftover.utf8.count == leftoverPrefix.utf8.count + 8 {
            guard let status = try? folder.status(of: leftover), status.type == .regular, status.userID.rawValue == geteuid() else {
                continue
            }
            try? folder.unlink(leftover)
        }
    }

    private func hexadecimal(_ number: UInt32) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// Follows links from name to name inside the folder. One that leads out is refused: who owns the folder could make the
    /// daemon replace any file of the host.
    private static func realName(
        of name: String, in folder: borrowing Folder, at folderPath: String, _ path: String
    ) throws -> String {
        var name = name
        for _ in 0...mostLinks {
            guard var text = try folder.link(name) else { return name }
            for prefix in ["\(folderPath)/", "./"] where text.hasPrefix(prefix) { text.removeFirst(prefix.count) }
            guard !text.isEmpty, !text.contains("/"), text != ".", text != ".." else {
                throw DeliveryError("\(path): is a symbolic link out of its folder; name the real file as the target")
            }
            name = text
        }
        throw DeliveryError("\(path): is a chain of more than \(mostLinks) symbolic links; name the real file as the target")
    }
}
