import Foundation
import Glibc

/// What lets one process drive: an open-file-description lock, which ends with its process however that ends.
///
/// The file also holds the driver's process number, so that a command can wake it.
package final class DriverLock: Sendable {
    private let descriptor: Int32

    /// Why it could not be had.
    package enum Failure: Error, CustomStringConvertible {
        case taken
        case unusable(String)

        package var description: String {
            switch self {
            case .taken: "another keyturn process is driving"
            case .unusable(let why): why
            }
        }
    }

    /// Linux's F_OFD_GETLK and F_OFD_SETLK (fcntl(2)), which the C library shows only with _GNU_SOURCE.
    private static let ofdGetLock: Int32 = 36
    private static let ofdSetLock: Int32 = 37

    package init(path: String) throws(Failure) {
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unusable("cannot open \(path): \(unsafe String(cString: strerror(errno)))") }
        var lock = DriverLock.wholeFile
        guard unsafe fcntl(descriptor, DriverLock.ofdSetLock, &lock) == 0 else {
            let isTaken = errno == EAGAIN || errno == EACCES
            let why = unsafe String(cString: strerror(errno))
            close(descriptor)
            throw isTaken ? .taken : .unusable("cannot lock \(path): \(why)")
        }
        self.descriptor = descriptor
        // The number of one that was killed: by now it may be anybody's.
        _ = ftruncate(descriptor, 0)
    }

    private static var wholeFile: flock {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        return lock
    }

    /// From now on the process answers to the wake signal: its handler must be in place, for the signal kills without one.
    package func announce() {
        let text = "\(getpid())\n"
        _ = ftruncate(descriptor, 0)
        _ = unsafe pwrite(descriptor, text, text.utf8.count, 0)
    }

    deinit {
        _ = ftruncate(descriptor, 0)
        close(descriptor)
    }

    package enum Wake: Sendable, Equatable {
        case woken
        /// Nobody has announced itself.
        case nobody
        /// It runs as a user whose processes we may not signal.
        case forbidden
    }

    /// Tells the driver to look now.
    package static func wake(path: String) -> Wake {
        guard isHeld(path), let text = try? String(contentsOfFile: path, encoding: .utf8),
            let process = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines)),
            process > 1
        else { return .nobody }
        guard kill(process, SIGUSR1) == 0 else { return errno == EPERM ? .forbidden : .nobody }
        return .woken
    }

    /// Does a living process drive? Without one the number in the file means nobody, whoever bears it now.
    package static func isHeld(_ path: String) -> Bool {
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var lock = wholeFile
        return unsafe fcntl(descriptor, ofdGetLock, &lock) == 0 && lock.l_type != Int16(F_UNLCK)
    }
}
