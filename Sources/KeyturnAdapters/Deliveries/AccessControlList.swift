import Glibc
import SystemPackage

/// A file's POSIX access ACL as the kernel hands it out, carried from the old file to the new one without being read.
///
/// Glibc's Swift module leaves `sys/xattr.h` out, so the three functions are looked up by name.
enum AccessControlList {
    private typealias Get = @convention(c) (Int32, UnsafePointer<CChar>, UnsafeMutableRawPointer?, Int) -> Int
    private typealias Set = @convention(c) (Int32, UnsafePointer<CChar>, UnsafeRawPointer?, Int, Int32) -> Int32
    private typealias Remove = @convention(c) (Int32, UnsafePointer<CChar>) -> Int32

    private static let name = "system.posix_acl_access"
    /// Of an attribute's value, in linux/limits.h `XATTR_SIZE_MAX`.
    private static let mostBytes = 65536

    /// nil where there is none, or where the file system knows none.
    static func read(_ file: borrowing OwnedDescriptor) throws(Errno) -> [UInt8]? {
        let get = unsafe unsafeBitCast(dlsym(nil, "fgetxattr"), to: Get.self)
        var value = [UInt8](repeating: 0, count: mostBytes)
        let count = unsafe get(file.descriptor.rawValue, name, &value, value.count)
        if count >= 0 { return Array(value[..<count]) }
        if isAbsence(.current) { return nil }
        throw Errno.current
    }

    /// Also takes away what a new file inherited from the default ACL of its folder, when `value` is nil.
    static func write(_ value: [UInt8]?, to file: borrowing OwnedDescriptor) throws(Errno) {
        guard let value else {
            let remove = unsafe unsafeBitCast(dlsym(nil, "fremovexattr"), to: Remove.self)
            if unsafe remove(file.descriptor.rawValue, name) < 0, !isAbsence(.current) { throw Errno.current }
            return
        }
        let set = unsafe unsafeBitCast(dlsym(nil, "fsetxattr"), to: Set.self)
        try Errno.check(unsafe set(file.descriptor.rawValue, name, value, value.count, 0))
    }

    private static func isAbsence(_ errno: Errno) -> Bool {
        errno.rawValue == ENODATA || errno == .notSupported
    }
}
