import Foundation

/// One run of `logprobe`, alone or under another program.
struct LogProbeRun {
    let output: String
    let errors: String
    let status: Int32

    /// The executable lies beside the one that runs the tests.
    static var executable: String {
        get throws {
            let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return URL(filePath: tests).deletingLastPathComponent().appending(path: "logprobe").path
        }
    }

    /// - Parameters:
    ///   - wrapper: the command that runs the probe, with its arguments.
    ///   - environment: all of the child's environment but PATH.
    init(_ arguments: String..., under wrapper: [String] = [], environment: [String: String] = [:]) throws {
        let command = try wrapper + [Self.executable] + arguments
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        process.environment = environment.merging(["PATH": "/usr/bin:/bin"]) { given, _ in given }
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // One after the other: the probe writes far less to either than a pipe holds.
        self.errors = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        status = process.terminationStatus
    }
}

/// Runs `body` with an empty directory and removes it. The path is short: a socket's may have 107 bytes.
func withScratchDirectory<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let directory = URL(filePath: "/tmp/keyturn-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try body(directory)
}
