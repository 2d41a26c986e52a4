import Foundation

/// The git work tree around a folder, asked whether it would commit a file. Without git on the host nothing is known.
struct GitWorkTree {
    let root: String

    init?(around folder: String) {
        var path = folder
        while !path.isEmpty, path != "/" {
            if FileManager.default.fileExists(atPath: path + "/.git") {
                root = path
                return
            }
            path = (path as NSString).deletingLastPathComponent
        }
        return nil
    }

    /// True also where git cannot be asked: a warning needs a reason.
    func ignores(_ file: String) -> Bool {
        let git = Process()
        git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // Another user's work tree is asked too, and none of its settings may run a program.
        git.arguments = [
            "git", "-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-C", root, "check-ignore", "--quiet", "--", file,
        ]
        // An admin token may lie in our own environment.
        git.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"]
        git.standardOutput = FileHandle.nullDevice
        git.standardError = FileHandle.nullDevice
        git.standardInput = FileHandle.nullDevice
        guard (try? git.run()) != nil else { return true }
        git.waitUntilExit()
        // 0 ignored, 1 not, anything else: git could not tell.
        return git.terminationStatus != 1
    }
}
