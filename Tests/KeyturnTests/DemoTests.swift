import Foundation
import Testing

struct DemoTests {
    @Test func `the demonstration rotates everything twice, fails no call and leaves nothing behind`() async throws {
        let host = try Host(url: "http://127.0.0.1:9")
        defer { host.end() }
        try FileManager.default.createDirectory(atPath: host.path("tmp"), withIntermediateDirectories: false)
        let demo = try await host.run("demo", environment: ["TMPDIR": host.path("tmp")], within: .seconds(60))
        #expect(demo.code == 0, "\(demo)")
        let verdict = demo.output.firstMatch(of: /\n0 of ([0-9]+) calls failed/)
        #expect((verdict.flatMap { Int($0.output.1) } ?? 0) > 100, "\(demo)")
        #expect(demo.errors == "")
        #expect(try FileManager.default.contentsOfDirectory(atPath: host.path("tmp")) == [])
    }
}
