import Foundation
import Glibc
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import KeyturnTestHost
import Testing

/// What lies around targets, on a real file system and by a real git.
struct HostSurroundingsTests {
    private let keys: KeyringFixture
    private let keyring: KeyringFolder
    private let surroundings: HostSurroundings
    private var folder: TestFolder { keys.folder }

    init() throws {
        keys = try KeyringFixture()
        let keyring = try keys.founded()
        self.keyring = keyring
        surroundings = HostSurroundings { () throws(KeyringError) in try keyring.fingerprinter() }
        try FileManager.default.createDirectory(atPath: folder["tree/etc"], withIntermediateDirectories: true)
    }

    private static let secret = "sk-4fK2mQ9xTz7LpW1vB8nR5cY3hJ6dG0sA2eU4iO7qX9wE1tNk"

    private func write(_ text: String, to name: String, mode: mode_t = 0o600) throws {
        try Data(text.utf8).write(to: URL(filePath: folder[name]))
        unsafe chmod(folder[name], mode)
    }

    private func git(_ words: String...) throws {
        let child = try Child(
            ["/usr/bin/git"] + words, environment: ["PATH": "/usr/bin:/bin", "HOME": folder["keys"], "GIT_CONFIG_NOSYSTEM": "1"],
            folder: folder["tree"])
        try #require(child.waitForExit() == 0)
    }

    private func exposures(_ name: String = "tree/etc/key") -> [Exposure] {
        surroundings.exposures(of: TargetPolicy(file: folder[name], format: .raw))
    }

    @Test func `git's word is asked again when what it depends on has changed`() throws {
        #expect(exposures().isEmpty)
        try git("init", "-q", ".")
        #expect(exposures() == [.workTree(folder["tree"])])
        try write("key\n", to: "tree/.gitignore")
        #expect(exposures().isEmpty)
        try write("key", to: "tree/etc/key")
        #expect(exposures().isEmpty)
        // What git tracks it commits, ignored or not.
        try git("add", "-f", "etc/key")
        #expect(exposures() == [.workTree(folder["tree"])])
        try git("rm", "-q", "--cached", "etc/key")
        #expect(exposures().isEmpty)
        try write("!key\n", to: "tree/etc/.gitignore")
        #expect(exposures() == [.workTree(folder["tree"])])
    }

    @Test func `a pipe in the place of a list that git reads holds nobody up`() throws {
        try git("init", "-q", ".")
        unsafe mkfifo(folder["tree/.gitignore"], 0o600)
        #expect(exposures().isEmpty)
    }

    @Test func `the rights of what lies there`() throws {
        try write("key", to: "tree/etc/key", mode: 0o604)
        #expect(exposures() == [.everybody(policyMode: nil)])
        unsafe chmod(folder["tree/etc/key"], 0o600)
        #expect(exposures().isEmpty)
        guard Rights.isRoot else { return }
        unsafe chown(folder["tree/etc/key"], 0, 4711)
        unsafe chmod(folder["tree/etc/key"], 0o640)
        #expect(exposures() == [.group("4711", policyMode: nil)])
        unsafe chown(folder["tree/etc/key"], 0, 0)
        #expect(exposures().isEmpty)
    }

    @Test func `copies by the fingerprints of what may be secrets in them, read again when they change`() throws {
        let print = try keyring.fingerprint(Secret(Self.secret))
        let file = folder["tree/etc/key"]
        try write("KEY=\(Self.secret)\n", to: "tree/etc/key")
        try write("KEY=\(Self.secret)\n", to: "tree/etc/key~")
        try write("nothing\n", to: "tree/etc/key.bak")
        try write("KEY=\(Self.secret)\n", to: "tree/etc/other")
        unsafe mkfifo(folder["tree/etc/key.old"], 0o600)
        unsafe symlink(folder["tree/etc/other"], folder["tree/etc/key.orig"])
        try write(String(repeating: "x", count: 2 << 20) + Self.secret, to: "tree/etc/key.save")
        #expect(try surroundings.copies(beside: file) == [FileCopy(path: file + "~", fingerprints: [print])])
        try write("KEY=nothing any more, it was taken out\n", to: "tree/etc/key~")
        #expect(try surroundings.copies(beside: file).isEmpty)
        try write(Self.secret, to: "tree/etc/key.bak")
        #expect(try surroundings.copies(beside: file) == [FileCopy(path: file + ".bak", fingerprints: [print])])
    }

    @Test func `the journal's fingerprints are the ones that strings are compared by`() throws {
        let print = try keyring.fingerprint(Secret(Self.secret))
        let number = try keyring.fingerprinter().number(of: Array(Self.secret.utf8).span)
        #expect(UInt64(print, radix: 16) == number)
    }
}
