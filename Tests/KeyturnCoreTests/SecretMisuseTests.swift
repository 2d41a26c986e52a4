import Foundation
import Testing

/// What the compiler has to refuse. Each line is a way in which a secret has leaked from somebody's program.
@Suite struct SecretMisuseTests {
    static let misuses = [
        "print(secret)", "debugPrint(secret)", "dump(secret)", "_ = \"\\(secret)\"", "_ = String(describing: secret)", "_ = [secret]",
        "_ = [\"key\": secret]",
        "let any: Any = secret; _ = any", "_ = secret == secret", "_ = secret.hashValue", "_ = secret as Encodable",
        "_ = secret.description", "_ = secret.storage",
        "let some: Secret? = secret; _ = [some]", "let copy = { secret }; _ = (copy(), copy())",
    ]

    static let compiler: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/swiftc" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    /// The lines of `body` that do not compile, with what the compiler says.
    static func refused(_ body: [String]) throws -> [Int: String] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("secret-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let snippet = folder.appendingPathComponent("snippet.swift")
        try body.map { "func misuse\(UUID().uuidString.filter(\.isLetter))(_ secret: borrowing Secret) { \($0) }" }.joined(separator: "\n")
            .write(to: snippet, atomically: true, encoding: .utf8)
        let secret = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../Sources/KeyturnCore/Secret.swift")

        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(compiler))
        process.arguments = ["-typecheck", "-swift-version", "6", "-package-name", "keyturn", secret.path, snippet.path]
        let output = Pipe()
        process.standardError = output
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        var refused: [Int: String] = [:]
        for line in text.split(separator: "\n") where line.contains(": error:") && line.hasPrefix("/") {
            let parts = line.split(separator: ":")
            guard parts.count > 2, parts[0].hasSuffix("snippet.swift"), let number = Int(parts[1]) else {
                Issue.record("\(line)")
                continue
            }
            refused[number - 1] = String(line)
        }
        return refused
    }

    @Test(.enabled(if: compiler != nil)) func `printing, interpolating, encoding, comparing or storing a secret does not compile`() throws {
        // The last line is what one may do, so that a compiler which refuses everything proves nothing.
        let lines = SecretMisuseTests.misuses + ["_ = secret.matches(secret.duplicate()); _ = secret.count"]
        let refused = try SecretMisuseTests.refused(lines)
        for (index, line) in SecretMisuseTests.misuses.enumerated() { #expect(refused[index] != nil, "it compiles: \(line)") }
        #expect(refused[lines.count - 1] == nil, "\(refused[lines.count - 1] ?? "")")
    }
}
