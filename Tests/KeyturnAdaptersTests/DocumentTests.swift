import Foundation
import KeyturnTestKit
import Testing

@Suite("What the documents say of the tests is so") struct DocumentTests {
    private static func text(_ path: String) throws -> String {
        try String(contentsOf: Repository.root.appending(path: path), encoding: .utf8)
    }

    private static func sources() throws -> String {
        let tests = Repository.root.appending(path: "Tests")
        let files = FileManager.default.enumerator(at: tests, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        return try files.filter { $0.pathExtension == "swift" }.map { try String(contentsOf: $0, encoding: .utf8) }.joined()
    }

    @Test func `the place of every mutant is found in the sources exactly once`() throws {
        let check = Process()
        check.executableURL = URL(filePath: "/usr/bin/env")
        check.arguments = ["python3", "-B", Repository.path("Tests/mutants/mutants.py"), "--check"]
        let output = Pipe()
        check.standardError = output
        try check.run()
        let said = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        check.waitUntilExit()
        #expect(check.terminationStatus == 0, "\(said)")
    }

    @Test func `no place is left to be filled in`() throws {
        let text = try DocumentTests.text("docs/reliability.md")
        #expect(!text.contains(/(?m)^[A-Z]+$/))
    }

    @Test func `every failure of the catalogue is there, with tests that exist`() throws {
        let sources = try DocumentTests.sources()
        let promises = Set(GatewayContract.allCases.map(\.rawValue))
        let rows = try DocumentTests.text("docs/reliability.md").split(separator: "\n").filter { $0.contains(/^\| F[0-9]+ \|/) }
        #expect(rows.map { $0.split(separator: " ")[1] } == (1...40).map { "F\($0)" })
        for row in rows {
            let parts = row.split(separator: "`", omittingEmptySubsequences: false)
            // What stands in backquotes and is more than a word.
            for (index, name) in parts.enumerated() where index % 2 == 1 && name.contains(" ") {
                #expect(sources.contains("`\(name)`") || promises.contains(String(name)), "there is no test `\(name)`")
            }
        }
    }
}
