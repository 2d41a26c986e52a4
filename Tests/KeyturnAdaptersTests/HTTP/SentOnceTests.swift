import KeyturnAdapters
import Testing

/// The promise a create rests on: whatever the server does and whatever the client did before, an isolated POST is on the
/// wire exactly once. Counted at raw sockets.
@Suite(.timeLimit(.minutes(1)))
struct SentOnceTests {
    /// What the client's connections went through before the POST.
    enum Past: CaseIterable, Sendable { case nothing, keptAlive, keptAliveAndThenClosed, closedAtOnce, http10 }

    /// What the server does instead of answering the POST as it should, or when it should.
    enum Mischief: CaseIterable, Sendable {
        case answered, dropped, reset, halfAStatusLine, halfAHeader, shortBody, brokenChunk, garbage, hangs
        case expectationFailed, unauthorized, timedOut, misdirected, unavailable, continues, hints, switches, bareStatus

        /// Else it is an answer, of whatever status.
        var isLost: Bool {
            switch self {
            case .dropped, .reset, .halfAStatusLine, .halfAHeader, .shortBody, .brokenChunk, .garbage, .hangs, .continues, .hints,
                .switches, .bareStatus:
                true
            case .answered, .expectationFailed, .unauthorized, .timedOut, .misdirected, .unavailable: false
            }
        }

        func play(_ connection: WireConnection) {
            switch self {
            case .answered: connection.answer()
            case .dropped: break
            case .reset: connection.reset()
            case .halfAStatusLine: connection.write("HTTP/1.")
            case .halfAHeader: connection.write("HTTP/1.1 200 OK\r\nContent-Le")
            case .shortBody: connection.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")
            case .brokenChunk: connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nshort")
            case .garbage: connection.write("\0\u{1}SSH-2.0\r\n\r\n")
            case .hangs: connection.waitForClose()
            case .expectationFailed: connection.answer("417 Expectation Failed")
            case .unauthorized: connection.answer("401 Unauthorized", headers: ["WWW-Authenticate: Negotiate", "WWW-Authenticate: Basic"])
            case .timedOut: connection.answer("408 Request Timeout", headers: ["Connection: close"])
            case .misdirected: connection.answer("421 Misdirected Request")
            case .unavailable: connection.answer("503 Service Unavailable", headers: ["Retry-After: 0"])
            case .continues: connection.write("HTTP/1.1 100 Continue\r\n\r\n")
            case .hints: connection.write("HTTP/1.1 103 Early Hints\r\n\r\n")
            case .switches: connection.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n")
            case .bareStatus: connection.write("HTTP/1.1 200 OK\r\n")
            }
        }
    }

    @Test(arguments: Past.allCases, Mischief.allCases)
    func `an isolated POST is sent exactly once`(_ past: Past, _ mischief: Mischief) async throws {
        let seen = try await run(
            past,
            mischief,
            HTTPRequest(.post, "", body: [1, 2, 3], timeout: .milliseconds(mischief == .hangs ? 200 : 20000))
        )
        #expect(seen.failure == mischief.isLost)
        let posts = seen.requests.filter { $0.method == "POST" }
        #expect(posts.count == 1)
        #expect(posts.first?.body == [1, 2, 3])
        #expect(!seen.requests.contains { $0.method == "GET" && $0.connection == posts.first?.connection })
    }

    @Test(arguments: [Mischief.dropped, .expectationFailed]) func `nor twice when its body is large`(_ mischief: Mischief) async throws {
        let seen = try await run(.keptAlive, mischief, HTTPRequest(.post, "", body: [UInt8](repeating: 7, count: 3 << 20)))
        let posts = seen.requests.filter { $0.method == "POST" }
        #expect(posts.map(\.body.count) == [3 << 20])
        #expect(posts.first?.header("Expect") == nil)
    }

    /// The control: without isolation libcurl does repeat it, and these tests would notice.
    @Test func `a POST on a shared connection is sent again when the connection dies`() async throws {
        let seen = try await run(.keptAlive, .dropped, HTTPRequest(.post, "", isolated: false))
        #expect(seen.requests.filter { $0.method == "POST" }.count == 2)
    }

    @Test func `a repeated request that then fails to connect is lost, not unsent`() async throws {
        let server = WireServer { connection in
            _ = connection.next()
            connection.answer()
            _ = connection.next()
            connection.refuseOthers()
        }
        let client = HTTPClient()
        _ = try await client.send(HTTPRequest(.get, server.url()))
        #expect(await isLost(client, HTTPRequest(.post, server.url(), isolated: false)))
    }

    /// `request` without its URL, sent once to a server that plays `mischief` on every POST.
    private func run(_ past: Past, _ mischief: Mischief, _ request: HTTPRequest) async throws -> (failure: Bool, requests: [WireRequest]) {
        let server = WireServer { connection in
            while let request = connection.next() {
                if request.method == "POST" { return mischief.play(connection) }
                switch past {
                case .nothing, .keptAlive: connection.answer()
                case .keptAliveAndThenClosed: return connection.answer()
                case .closedAtOnce: return connection.answer(headers: ["Connection: close"])
                case .http10: return _ = connection.write("HTTP/1.0 200 OK\r\n\r\nuntil the end")
                }
            }
        }
        let client = HTTPClient()
        if past != .nothing { _ = try await client.send(HTTPRequest(.get, server.url())) }
        var request = request
        request.url = server.url()
        let failed = await failure(client, request) != nil
        client.shutdown()
        return (failed, await server.requests())
    }
}
