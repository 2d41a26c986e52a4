import Foundation

/// The git work tree that a file lies in, asked whether it would commit the file. Without git on the host nothing is known.
struct GitWorkTree {
    let root: String

    init?(around file: String) {
        var path = (file as NSString).deletingLastPathComponent
        while !path.isEmpty, path != "/" {
            if FileManager.default.fileExists(atPath: path + "/.git") {
                root = path
                return
            }
            path = (path as NSString).deletingLastPathComponent
        }
        return nil
    }

    /// The files that the answer depends on: what git tracks, what it ignores, and its settings.
    func sources(for file: String) -> [String] {
        var sources = ["index", "info/exclude", "config", "HEAD"].map { "\(root)/.git/\($0)" }
        var folder = (file as NSString).deletingLastPathComponent
        while folder.hasPrefix(root) {
            sources.append(folder + "/.gitignore")
            guard folder != root else { break }
            folder = (folder as NSString).deletingLastPathComponent
        }
        return sources
    }

    /// True also where git cannot be asked: a warning needs a reason.
    func ignores(_ file: String) -> Bool {
        guard let git = try? GitProgram(folder: root + "/.git", workTree: root, ["check-ignore", "--quiet", "--", file]) else {
            return true
        }
        // 0 ignored, 1 not, anything else: git could not tell.
        return git.end(within: .seconds(10)) != 1
    }
}
