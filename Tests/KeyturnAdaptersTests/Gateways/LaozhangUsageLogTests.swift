import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Testing

/// What a usage log says, and what is made of one that says nothing or too much.
struct LaozhangUsageLogTests {
    private let end = Date(timeIntervalSince1970: 1_796_040_000)
    private var start: Date { end.addingTimeInterval(-14 * 86400) }

    private func log(_ body: String, _ status: String = "200 OK") async throws -> (lines: [UsageLine], isPart: Bool) {
        let http = HTTPClient()
        defer { http.shutdown() }
        let server = WireServer { connection in
            while connection.next() != nil { connection.answer(status, headers: [], body) }
        }
        return try await laozhang(port: server.port, http: http).usageLog(Secret("sk-one"), from: start, to: end)
    }

    @Test func `a call's time and cost are read exactly, a broken one is left out or has no cost`() async throws {
        let at = end.addingTimeInterval(-60).formatted(.iso8601)
        let (lines, isPart) = try await log(
            """
            {"data":[{"timestamp":"\(at)","model":"gpt-4","tokens":2,"cost":0.1},{"timestamp":"\(at)","cost":"1e-7"},
            {"timestamp":"\(at)","cost":-5},{"timestamp":"yesterday","cost":9},{"timestamp":"1999-01-01T00:00:00Z","cost":9},{"cost":9},7]}
            """)
        #expect(!isPart)
        #expect(lines.map(\.cost) == [Decimal(string: "0.1"), Decimal(string: "0.0000001"), nil])
    }

    @Test func `what is no list, and a gateway without such a log, are errors`() async throws {
        for (body, status) in [("{}", "200 OK"), ("[", "200 OK"), ("no", "404 Not Found"), ("", "500 Oops"), (#"{"data":7}"#, "200 OK")] {
            await #expect(throws: GatewayError.self) { try await log(body, status) }
        }
    }

    @Test func `a log that fills its limit is a part`() async throws {
        let at = end.addingTimeInterval(-60).formatted(.iso8601)
        let line = #"{"timestamp":"\#(at)","cost":1}"#
        let (lines, isPart) = try await log(#"{"data":["# + Array(repeating: line, count: 1500).joined(separator: ",") + "]}")
        #expect(isPart)
        #expect(lines.count == 1000)
    }
}
