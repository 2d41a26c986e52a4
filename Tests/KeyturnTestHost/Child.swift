import Foundation
package import Glibc
import Synchronization

/// A program that runs while its test does other things. Its output goes to files, so that no full pipe ever stops it, and it
/// leads a process group of its own, so that whatever it starts can be ended with it: when this value ends, or the tests do.
package final class Child: Sendable {
    package struct CannotStart: Error { package let errno: Int32 }

    package let process: pid_t
    private let words: [String]
    private let output: String
    private let errors: String
    private let end = Mutex<Int32?>(nil)

    /// - Parameters:
    ///   - words: the program's whole path and its arguments.
    ///   - environment: all of it; the tests' own where none is given.
    ///   - output: a path; `.out` and `.err` are appended. Nil: nobody reads it.
    package init(
        _ words: [String], environment: [String: String] = ProcessInfo.processInfo.environment, folder: String = "/", output: String? = nil
    ) throws(CannotStart) {
        self.words = words
        self.output = output.map { $0 + ".out" } ?? "/dev/null"
        errors = output.map { $0 + ".err" } ?? "/dev/null"
        process = try Spawn(output: self.output, errors: errors)
            .start(["/usr/bin/env", "-C", folder] + words, environment: environment.map { "\($0.key)=\($0.value)" })
        Guardian.shared.began(process)
    }

    deinit {
        guard status == nil else { return }
        kill(-process, SIGKILL)
        Guardian.shared.ends(process)
        waitpid(process, nil, 0)
    }

    /// Its exit status, or 128 and the signal that ended it, as shells count; nil while it runs.
    package var status: Int32? { status(waiting: false) }

    private func status(waiting: Bool) -> Int32? {
        end.withLock { end in
            if end != nil { return end }
            // Looked at first, and only then waited for: until that its number is nobody else's.
            var look = unsafe siginfo_t()
            let answer = unsafe waitid(P_PID, id_t(process), &look, WEXITED | WNOWAIT | (waiting ? 0 : WNOHANG))
            guard answer == 0, unsafe look.si_signo != 0 else { return nil }
            Guardian.shared.ends(process)
            var status: Int32 = 0
            guard unsafe waitpid(process, &status, 0) == process else { return nil }
            end = status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
            return end
        }
    }

    /// Under the lock of `status`, so that the signal never meets another process of the same number.
    package func send(_ signal: Int32) {
        end.withLock { end in
            if end == nil { kill(process, signal) }
        }
    }

    /// Its exit status, as soon as there is one.
    @discardableResult
    package func ended(within limit: Duration = patience) async throws -> Int32 {
        do { try await until("\(words.dropFirst().joined(separator: " ")) ends", within: limit) { self.status != nil } } catch {
            throw Unexpected("\(error)\n\(said)")
        }
        return status ?? -1
    }

    /// The same for a test that does nothing else meanwhile.
    package func waitForExit() -> Int32 { status(waiting: true) ?? -1 }

    package var written: String { Child.text(output) }
    package var complained: String { Child.text(errors) }
    package var said: String { written + complained }

    private static func text(_ path: String) -> String { (try? String(contentsOfFile: path, encoding: .utf8)) ?? "" }
}
