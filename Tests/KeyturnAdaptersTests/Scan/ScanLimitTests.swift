import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import KeyturnTestHost
import Testing

/// What a scan counts, and where it stops.
struct ScanLimitTests {
    private let keys: KeyringFixture
    private let matcher: SecretMatcher
    private static let secret = "sk-4fK2mQ9xTz7LpW1vB8nR5cY3hJ6dG0sA2eU4iO7qX9wE1tNk"

    init() throws {
        keys = try KeyringFixture()
        let keyring = try keys.founded()
        let generation = FingerprintedGeneration(
            token: TokenName("t"), environment: "test", gateway: KeyringFixture.gateway, name: "t-1",
            fingerprint: try keyring.fingerprint(Secret(Self.secret)), state: .held)
        matcher = SecretMatcher([generation], try keyring.fingerprinter())
    }

    private func scan(_ path: String, limits: ScanLimits = ScanLimits()) -> ScanReport {
        let scan = Scan(matcher, expected: ExpectedPlaces(keyring: keys.path, tokens: [], policies: [:]), limits: limits)
        scan.look(at: path)
        return scan.finish()
    }

    @Test func `a history of 2,000 commits, in which one commit holds a secret`() throws {
        let script = Repository.path("Tests/tools/make-history")
        let leak = keys.folder["leak"]
        try Data("K=\(Self.secret)\n".utf8).write(to: URL(filePath: leak))
        let child = try Child(
            [script, keys.folder["many.git"], "2000", leak], environment: ["PATH": "/usr/bin:/bin", "HOME": keys.path],
            folder: keys.folder.path)
        try #require(child.waitForExit() == 0)
        let report = scan(keys.folder["many.git"])
        #expect(report.finds.map(\.place.object?.path) == ["etc/leak.env"])
        #expect(report.finds.first?.place.object?.commit?.count == 40)
        // Commits, and a file for each; trees are passed over.
        #expect(report.objects == 2000 + 2000 + 1)
        #expect(report.troubles.isEmpty)
    }

    @Test func `an archive ends at the limits that it meets`() throws {
        let tree = keys.folder["tree"]
        try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: true)
        for number in 0..<5 { try Data(repeating: 0x20, count: 100_000).write(to: URL(filePath: "\(tree)/\(number)")) }
        let child = try Child(["/usr/bin/tar", "-czf", keys.folder["a.tar.gz"], "tree"], folder: keys.folder.path)
        try #require(child.waitForExit() == 0)
        let path = keys.folder["a.tar.gz"]
        #expect(scan(path).troubles.isEmpty)
        #expect(
            scan(path, limits: ScanLimits(members: 3)).troubles == ["\(path): looked into as far as it goes: it has more than 3 members"])
        #expect(scan(path, limits: ScanLimits(expanded: 200_000)).troubleCount == 1)
        #expect(scan(path, limits: ScanLimits(ratio: 10, free: 1000)).troubleCount == 1)
        let deep = keys.folder["tree"] + String(repeating: "/d", count: 6)
        try FileManager.default.createDirectory(atPath: deep, withIntermediateDirectories: true)
        #expect(scan(tree, limits: ScanLimits(depth: 4)).troubles.count == 1)
    }
}
