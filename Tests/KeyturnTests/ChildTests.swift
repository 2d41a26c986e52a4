import Foundation
import Glibc
import KeyturnTestHost
import Testing

/// Nothing that tests start outlives them.
struct ChildTests {
    @Test func `what a test has started ends with the tests, when they are killed too`() async throws {
        let file = "/tmp/keyturn-\(UUID().uuidString.prefix(8))"
        defer { unsafe unlink(file) }
        await #expect(processExitsWith: .signal(SIGKILL)) { [file = file as String] in
            let child = try Child(["/bin/sleep", "1000"])
            try Data("\(child.process)".utf8).write(to: URL(filePath: file))
            kill(getpid(), SIGKILL)
        }
        let process = try #require(pid_t(try String(contentsOfFile: file, encoding: .utf8)))
        try await until("process \(process) is gone") {
            // Whoever takes it over may take its time to wait for it.
            let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
            return status?.contains("(sleep) ") != true || status?.contains(") Z ") == true
        }
    }
}
