import Glibc
import SystemPackage

/// Opens what must be a regular file, and reads no more of it than is sensible.
enum RegularFile {
    /// Why it cannot be used; the text continues "found ..., expected ...".
    struct Unusable: Error {
        let found: String
        /// It is there, and this user may not read it.
        var isPermission = false

        init(found: String) { self.found = found }

        /// What an error of the system says.
        init(_ error: any Error) {
            self.init(found: RegularFile.sentence(error))
            isPermission = RegularFile.isPermission(error)
        }
    }

    /// Settings and policies are written by hand: a mebibyte is far beyond any.
    static let limit = 1 << 20

    static func read(_ path: String) throws(Unusable) -> [UInt8] {
        try opened(path) { file, size throws(Unusable) in
            guard size <= limit else { throw Unusable(found: "a file of \(size) bytes") }
            var bytes: [UInt8] = []
            // A file that grows while it is read is held to the limit as well.
            while bytes.count <= limit {
                let chunk = try chunk(of: file)
                if chunk.isEmpty { return bytes }
                bytes += chunk
            }
            throw Unusable(found: "a file that grows beyond \(limit) bytes")
        }
    }

    /// Can it be opened for reading? Its size in bytes; the content is not looked at.
    static func size(_ path: String) throws(Unusable) -> Int64 {
        try opened(path) { _, size in size }
    }

    private static func opened<Result>(
        _ path: String,
        _ body: (FileDescriptor, Int64) throws(Unusable) -> Result
    ) throws(Unusable) -> Result {
        do {
            // Non-blocking, so that a named pipe is refused below instead of waited for.
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
            defer { try? file.close() }
            let stat = try file.stat()
            guard stat.type == .regular else {
                throw Unusable(found: stat.type == .directory ? "a folder" : "something that is no regular file")
            }
            return try body(file, stat.size)
        } catch let error as Unusable {
            throw error
        } catch {
            throw Unusable(error)
        }
    }

    private static func chunk(of file: FileDescriptor) throws(Unusable) -> [UInt8] {
        do {
            return try unsafe [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
                count = unsafe try file.read(into: UnsafeMutableRawBufferPointer(buffer))
            }
        } catch {
            throw Unusable(error)
        }
    }

    /// What an error of the system means to the person who named the path.
    static func sentence(_ error: any Error) -> String {
        switch error as? Errno {
        case .noSuchFileOrDirectory: "no such file"
        // Root at the command line may have become the user that the state belongs to.
        case .permissionDenied, .notPermitted: "a file that user \(geteuid()) may not read (permission denied)"
        case .notDirectory: "a path that leads through a file"
        case .tooManySymbolicLinkLevels: "a circle of symbolic links"
        case let errno: "a file that cannot be read (\(errno.map(String.init(describing:)) ?? "\(error)"))"
        }
    }
    /// Is it the rights of this user that lack?
    static func isPermission(_ error: any Error) -> Bool {
        let errno = error as? Errno
        return errno == .permissionDenied || errno == .notPermitted
    }
}
