import Foundation
import Glibc

/// What a process leaves that dies while it makes a file of the state under another name first: `journal.db.UUID` with
/// what SQLite puts beside it, `host.key.UUID`.
enum Leftovers {
    /// Removes them, whatever they are by now: a name only, where the file was linked to its place already. Nobody may be
    /// making one meanwhile. One that stays does no harm.
    static func clear(beside path: String) {
        let (folder, name) = ((path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent)
        for other in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] where other.hasPrefix(name + ".") {
            guard UUID(uuidString: String(other.dropFirst(name.count + 1).prefix(36))) != nil else { continue }
            unsafe unlink("\(folder)/\(other)")
        }
    }
}
