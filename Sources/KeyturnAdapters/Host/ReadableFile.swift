import Foundation
import Glibc
import SystemPackage

/// A file for everybody to read, replaced in one step; for what is no secret and of no more use after a crash.
package enum ReadableFile {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Under a name that begins with a dot first: collectors that read a folder pass it over.
    package static func replace(_ path: String, with text: String) throws(Failure) {
        let (folder, name) = ((path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent)
        let new = (folder as NSString).appendingPathComponent(".\(name).\(UUID().uuidString)")
        do throws(Errno) {
            let raw = unsafe Glibc.open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
            try Errno.check(raw)
            let file = OwnedDescriptor(FileDescriptor(rawValue: raw))
            do throws(Errno) {
                do { _ = try file.descriptor.writeAll(text.utf8) } catch { throw Errno(caught: error) }
                try Errno.check(fchmod(raw, 0o644))
                try Errno.check(unsafe rename(new, path))
            } catch {
                unsafe unlink(new)
                throw error
            }
        } catch {
            throw Failure(
                description: "cannot write \(path): \(error); the user that the state belongs to must be able to write in its folder")
        }
    }
}
