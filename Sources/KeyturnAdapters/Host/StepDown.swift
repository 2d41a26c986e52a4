import Foundation
import Glibc

/// Root at the command line becomes the user that the state belongs to: what it then makes is the service's to read.
enum StepDown {
    static func toOwner(of folder: String) throws {
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
        guard unsafe initgroups(user.pw_name, user.pw_gid) == 0, unsafe setgid(user.pw_gid) == 0, unsafe setuid(user.pw_uid) == 0 else {
            throw House.Failure(description: "cannot become user \(status.st_uid), to whom \(folder) belongs", isPermission: true)
        }
    }
}
