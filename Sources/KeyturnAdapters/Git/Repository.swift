import Foundation
import Glibc

/// A git repository as it is found in the tree: a work tree's top, or a bare one.
struct Repository {
    /// The work tree's top, or the repository itself.
    let path: String
    let isBare: Bool

    /// What git is told by `--git-dir`; without it git would look further up, where a broken one lies.
    var folder: String { URL(filePath: isBare ? path : path + "/.git").standardizedFileURL.path }

    /// Nil for any other folder.
    init?(at descriptor: Int32, _ path: String) {
        func holds(_ name: String) -> Bool {
            var status = stat()
            return unsafe fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0
        }
        isBare = !holds(".git")
        guard !isBare || ["HEAD", "objects", "refs"].allSatisfy(holds) else { return nil }
        self.path = path
    }

    /// The nearest one that a folder lies in.
    init?(around path: String) {
        var folder = URL(filePath: path).standardizedFileURL.resolvingSymlinksInPath().path
        while folder != "/", !folder.isEmpty {
            folder = (folder as NSString).deletingLastPathComponent
            let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { return nil }
            defer { close(descriptor) }
            if let found = Repository(at: descriptor, folder) {
                self = found
                return
            }
        }
        return nil
    }
}
