import Glibc
import KeyturnCore
import KeyturnEngine
import SystemPackage

/// Who owns a delivered file and who may read it: what the policy names, else what the existing file has, else 0600 of
/// the daemon's user.
struct FileAttributes {
    /// nil leaves what the kernel gave the new file: this user, and the group of this process or of a setgid folder.
    var owner: uid_t?
    var group: gid_t?
    var mode: mode_t
    var accessControlList: [UInt8]?

    init(wantedBy target: TargetPolicy, over existing: ExistingFile?) throws(DeliveryError) {
        owner = existing?.status.userID.rawValue
        group = existing?.status.groupID.rawValue
        if let name = target.owner { owner = try FileAttributes.user(name, for: target.file) }
        if let name = target.group { group = try FileAttributes.group(name, for: target.file) }
        mode = target.mode.map(mode_t.init) ?? existing?.status.permissionBits ?? 0o600
        // Who names the mode means it: rights that the file's maker gave to others beside it end.
        accessControlList = target.mode == nil ? existing?.accessControlList : nil
    }

    func describe(_ status: Stat) -> Bool {
        (owner ?? status.userID.rawValue) == status.userID.rawValue && (group ?? status.groupID.rawValue) == status.groupID.rawValue
            && mode == status.permissionBits
    }

    /// Owner first, mode last: at no moment is the file open to somebody whom the finished file shuts out.
    func apply(to file: borrowing OwnedDescriptor, path: String) throws(DeliveryError) {
        let descriptor = file.descriptor.rawValue
        do {
            try Errno.check(fchown(descriptor, owner ?? .max, group ?? .max))
        } catch {
            let owner = owner.map { "user \($0)" } ?? "its user"
            let group = group.map { "group \($0)" } ?? "its group"
            throw DeliveryError(path, "cannot be given to \(owner) and \(group)", error)
        }
        do {
            try AccessControlList.write(accessControlList, to: file)
            try Errno.check(fchmod(descriptor, mode))
        } catch {
            throw DeliveryError(path, "cannot be given the mode \(String(mode, radix: 8))", error)
        }
    }
}

extension FileAttributes {
    /// The number of a user given by name or number. -1 is no user: fchown(2) reads it as "leave as it is".
    private static func user(_ name: String, for path: String) throws(DeliveryError) -> uid_t {
        if let number = uid_t(name), number != .max { return number }
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        let answer = lookUp { buffer in unsafe getpwnam_r(name, &entry, &buffer, buffer.count, &found) }
        guard answer == 0, unsafe found != nil else { throw unknown("user", name, answer, path) }
        return unsafe entry.pw_uid
    }

    private static func group(_ name: String, for path: String) throws(DeliveryError) -> gid_t {
        if let number = gid_t(name), number != .max { return number }
        var entry = unsafe Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        let answer = lookUp { buffer in unsafe getgrnam_r(name, &entry, &buffer, buffer.count, &found) }
        guard answer == 0, unsafe found != nil else { throw unknown("group", name, answer, path) }
        return unsafe entry.gr_gid
    }

    /// Asks with a buffer that grows while the answer does not fit: groups may have thousands of members.
    private static func lookUp(_ ask: (inout [CChar]) -> Int32) -> Int32 {
        var answer = ERANGE
        var size = 4096
        while answer == EINTR || (answer == ERANGE && size <= 1 << 22) {
            if answer == ERANGE { size *= 4 }
            var buffer = [CChar](repeating: 0, count: size)
            answer = ask(&buffer)
        }
        return answer
    }

    private static func unknown(_ kind: String, _ name: String, _ answer: Int32, _ path: String) -> DeliveryError {
        // Some sources of names say "no such entry" with an error of their own, see getpwnam(3).
        let reason = [0, ENOENT, ESRCH].contains(answer) ? "" : " (\(Errno(rawValue: answer)))"
        return DeliveryError(
            "\(path): no \(kind) '\(name)' is known on this host\(reason); create it, or correct the target's \(kind == "user" ? "owner" : "group")"
        )
    }
}
