import Foundation
import Glibc
import Synchronization

/// A program that runs while its test does other things. Its output goes to two files, so that no full pipe ever stops it,
/// and it leads a process group of its own, so that whatever it starts can be ended with it.
final class Child: Sendable {
    struct CannotStart: Error { let errno: Int32 }

    let process: pid_t
    let words: [String]
    private let output: String
    private let errors: String
    private let end = Mutex<Int32?>(nil)

    /// - Parameters:
    ///   - words: the program's whole path and its arguments.
    ///   - environment: all of it.
    ///   - output: a path; `.out` and `.err` are appended.
    init(_ words: [String], environment: [String: String], folder: String, output: String) throws(CannotStart) {
        self.words = words
        self.output = output + ".out"
        errors = output + ".err"
        process = try Child.spawn(
            ["/usr/bin/env", "-C", folder] + words, environment.map { "\($0.key)=\($0.value)" }, (self.output, errors))
    }

    deinit {
        guard status == nil else { return }
        kill(-process, SIGKILL)
        waitpid(process, nil, 0)
    }

    private static func spawn(
        _ words: [String], _ environment: [String], _ files: (output: String, errors: String)
    ) throws(CannotStart) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, files.output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, files.errors, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        // What the threads of the tests block or ignore is none of the child's business.
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        var variables = unsafe environment.map { unsafe strdup($0) } + [nil]
        defer {
            unsafe (arguments + variables).forEach { unsafe free($0) }
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        var process: pid_t = 0
        let failure = unsafe posix_spawn(&process, words[0], &actions, &attributes, &arguments, &variables)
        guard failure == 0 else { throw CannotStart(errno: failure) }
        return process
    }

    /// Its exit status, or 128 and the signal that ended it, as shells count; nil while it runs.
    var status: Int32? {
        end.withLock { end in
            if end != nil { return end }
            var status: Int32 = 0
            guard unsafe waitpid(process, &status, WNOHANG) == process else { return nil }
            end = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
            return end
        }
    }

    /// Under the lock of `status`, so that the signal never meets another process of the same number.
    func send(_ signal: Int32) {
        guard status == nil else { return }
        kill(process, signal)
    }

    /// Its exit status, as soon as there is one.
    @discardableResult
    func ended(within limit: Duration = .seconds(10)) async throws -> Int32 {
        do { try await until("\(words.dropFirst().joined(separator: " ")) ends", within: limit) { self.status != nil } } catch {
            throw Unexpected("\(error)\n\(said)")
        }
        return status ?? -1
    }

    var written: String { Child.text(output) }
    var complained: String { Child.text(errors) }
    var said: String { written + complained }

    private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}

/// What ends a test that cannot go on: a sentence.
struct Unexpected: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Looks again and again until a condition holds: the condition decides, and never the time between two looks.
func until(_ sentence: String, within limit: Duration = .seconds(15), _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw Unexpected("within \(limit) it never came to pass: \(sentence)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}
