import FoundationEssentials
import Glibc

/// Where a sandbox keeps its table between two lives: one JSON file, readable by its owner alone.
struct StateFile: Sendable {
    let path: String

    /// nil when there is no file yet.
    func load() throws -> TokenTable? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try JSONDecoder().decode(TokenTable.self, from: Data(contentsOf: URL(filePath: path)))
        } catch {
            throw StateFileError(path: path, what: "cannot be read: \(error)")
        }
    }

    /// Replaces the file as a whole. It is private before the first secret is in it.
    func save(_ table: TokenTable) throws {
        let next = path + ".next"
        guard FileManager.default.createFile(atPath: next, contents: nil, attributes: [.posixPermissions: 0o600]) else {
            throw StateFileError(path: path, what: "cannot be written")
        }
        try JSONEncoder().encode(table).write(to: URL(filePath: next))
        guard unsafe rename(next, path) == 0 else { throw StateFileError(path: path, what: "cannot be replaced") }
    }
}

/// A state file that does not serve, and what to do about it.
struct StateFileError: Error, CustomStringConvertible {
    let path: String
    let what: String

    var description: String { "the sandbox's state file \(path) \(what); name another one or remove it" }
}
