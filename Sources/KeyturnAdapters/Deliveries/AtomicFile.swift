import Glibc
package import KeyturnCore
package import KeyturnEngine
import Synchronization
import SystemPackage

/// A file whose content is computed from its old content and replaced in one step: whoever opens it reads the old one or
/// the new one, whole, whatever dies and whenever.
///
/// The new content goes into a file of its own beside it, which gets owner and mode before the first byte, reaches the
/// disk and is renamed over the old one. Extended attributes other than the access ACL are not carried over.
package struct AtomicFile: Sendable {
    /// What the file becomes; nil in is "there is none", nil out is "there shall be none".
    package typealias Change = (_ old: [UInt8]?) throws(DeliveryError) -> [UInt8]?

    package let target: TargetPolicy
    package var path: String { target.file }

    /// Far above any file of settings.
    package static let mostBytes = 16 << 20
    /// What must be free beside the new content, for other targets in the same file system.
    private static let spare = 64 << 10
    private static let mostAttempts = 3

    /// Two targets may lie in one file, and the second must see what the first has written. One process drives, so a lock
    /// of this process is enough; one for all files, because none of them takes longer than a disk's fsync.
    private static let oneAtATime = Mutex(())

    package init(_ target: TargetPolicy) { self.target = target }

    /// The content now, nil when there is no file.
    package func read() throws(DeliveryError) -> [UInt8]? {
        guard let place = try Place.find(target) else { return nil }
        return try place.existing()?.content
    }

    package func rewrite(_ change: Change) throws(DeliveryError) {
        try AtomicFile.oneAtATime.withLock { _ throws(DeliveryError) in
            for _ in 1...AtomicFile.mostAttempts where try replaceOnce(change) { return }
            throw DeliveryError(
                "\(path): somebody else changed it each time it was about to be replaced; end the other writer and try again")
        }
    }

    /// Everything `rewrite` does short of the content and the rename: finds the position, makes the new file with its owner
    /// and mode, has the file system set the room aside, and removes it again.
    package func rehearse(_ change: Change) throws(DeliveryError) {
        try AtomicFile.oneAtATime.withLock { _ throws(DeliveryError) in
            guard let place = try Place.find(target) else { throw absentFolder }
            let existing = try place.existing()
            let content = try change(existing?.content) ?? []
            let attributes = try FileAttributes(wantedBy: target, over: existing)
            try place.withTemporary { (file, _) throws(DeliveryError) in
                try attributes.apply(to: file, path: path)
                // A real reservation: unlike statvfs(3) it also meets quotas.
                let answer = posix_fallocate(file.descriptor.rawValue, 0, content.count + AtomicFile.spare)
                if answer != 0 { throw DeliveryError(path, "has no room for its new content", Errno(rawValue: answer)) }
            }
        }
    }

    private var absentFolder: DeliveryError { DeliveryError(path, "its folder cannot be opened", .noSuchFileOrDirectory) }

    /// False when the file changed under its hands and nothing was done.
    private func replaceOnce(_ change: Change) throws(DeliveryError) -> Bool {
        guard let place = try Place.find(target) else {
            // No folder: right when the file shall not exist.
            guard try change(nil) != nil else { return true }
            throw absentFolder
        }
        let existing = try place.existing()
        guard let content = try change(existing?.content) else {
            if existing != nil { try place.remove() }
            return true
        }
        let attributes = try FileAttributes(wantedBy: target, over: existing)
        if let existing, existing.content == content, attributes.describe(existing.status) {
            // An earlier attempt may have died between its rename and this, or, with another secret, before its rename.
            place.removeLeftovers()
            try place.sync()
            return true
        }
        let replaced = try place.withTemporary { (file, name) throws(DeliveryError) in
            try attributes.apply(to: file, path: path)
            do {
                try file.descriptor.writeAll(content)
                try Errno.check(fsync(file.descriptor.rawValue))
            } catch {
                throw DeliveryError(path, "its new content cannot be written", Errno(caught: error))
            }
            return try place.replace(by: name, if: existing)
        }
        if replaced { try place.sync() }
        return replaced
    }
}
