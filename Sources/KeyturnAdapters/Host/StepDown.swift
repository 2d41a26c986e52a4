import Foundation
import Glibc

/// Root at the command line becomes the user that the state belongs to: what it then makes is the service's to read.
package enum StepDown {
    /// `meanwhile`: `back` leads back.
    static func toOwner(of folder: String, meanwhile: Bool = false) throws {
        guard geteuid() == 0 else { return }
        var status = stat()
        guard unsafe lstat(folder, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFLNK {
            // Only root's word may lead root elsewhere.
            guard status.st_uid == 0 else {
                throw House.Failure(
                    description: "\(folder) is a link of user \(status.st_uid)'s, whom root does not follow", isPermission: true)
            }
            guard unsafe stat(folder, &status) == 0 else { return }
        }
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid != 0 else { return }
        guard let entry = unsafe getpwuid(status.st_uid) else {
            throw House.Failure(description: "\(folder) belongs to user \(status.st_uid), whom this host does not know", isPermission: true)
        }
        let user = unsafe entry.pointee
        let (group, owner) = unsafe (user.pw_gid, user.pw_uid)
        let hasGroups = unsafe initgroups(user.pw_name, group) == 0
        let isOwner = meanwhile ? setegid(group) == 0 && seteuid(owner) == 0 : setgid(group) == 0 && setuid(owner) == 0
        guard hasGroups, isOwner else {
            throw House.Failure(description: "cannot become user \(status.st_uid), to whom \(folder) belongs", isPermission: true)
        }
    }
    /// Root again, where it stepped down meanwhile: for who then reads what is none of the service's. Nothing of the state may be open any more.
    package static func back() {
        guard geteuid() != 0, getuid() == 0, seteuid(0) == 0 else { return }
        _ = setegid(0)
        _ = unsafe initgroups("root", 0)
    }
}
