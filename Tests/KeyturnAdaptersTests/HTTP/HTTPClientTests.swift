import Foundation
import KeyturnAdapters
import KeyturnCore
import Testing

@Suite(.timeLimit(.minutes(1)))
struct HTTPClientTests {
    private static let allKept: WireServer.Script = { connection in
        while connection.next() != nil { connection.answer("200 OK", headers: ["Date: Sun, 06 Nov 1994 08:49:37 GMT"], "hello") }
    }

    // MARK: Answers

    @Test func `an answer has its status, its headers under any case, its body and the server's date`() async throws {
        let server = WireServer { connection in
            _ = connection.next()
            connection.answer(
                "418 I'm a teapot",
                headers: ["X-Thing:  one ", "x-thing: two", "Date: Sun, 06 Nov 1994 08:49:37 GMT"],
                "short and stout"
            )
        }
        let response = try await HTTPClient().send(HTTPRequest(.get, server.url("/pot?a=b")))
        #expect(response.status == 418)
        #expect(response.header("X-THING") == "one")
        #expect(response.headers.map(\.name) == ["x-thing", "x-thing", "date", "content-length"])
        #expect(response.header("absent") == nil)
        #expect(String(decoding: response.body, as: UTF8.self) == "short and stout")
        #expect(response.date == Date(timeIntervalSince1970: 784_111_777))
        #expect(await server.requests().first?.head.hasPrefix("GET /pot?a=b HTTP/1.1\r\n") == true)
    }

    @Test(arguments: ["yesterday", "", "Sun, 99 Nov 1994 08:49:37 GMT"]) func `a date that is none is nil`(_ text: String) {
        #expect(HTTPResponse(status: 200, headers: [.init(name: "date", value: text)], body: []).date == nil)
    }

    @Test func `a wiped response has no body`() {
        var response = HTTPResponse(status: 200, headers: [], body: [1, 2, 3])
        response.wipe()
        #expect(response.body.isEmpty)
    }

    @Test func `interim answers are not the answer`() async throws {
        let server = WireServer { connection in
            _ = connection.next()
            connection.write("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n\r\n")
            connection.answer("201 Created", headers: ["X-Late: yes"])
        }
        let response = try await HTTPClient().send(HTTPRequest(.get, server.url()))
        #expect(response.status == 201)
        #expect(response.header("x-early") == nil)
        #expect(response.header("x-late") == "yes")
    }

    @Test func `a compressed body arrives as it was before`() async throws {
        let zipped = try shell("printf hello | gzip")
        let server = WireServer { connection in
            _ = connection.next()
            connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(zipped.count)\r\n\r\n")
            connection.write(zipped)
        }
        let response = try await HTTPClient().send(HTTPRequest(.get, server.url()))
        #expect(String(decoding: response.body, as: UTF8.self) == "hello")
    }

    // MARK: Requests

    @Test(arguments: [HTTPRequest.Method.get, .post, .delete], [nil, "", "{\"a\":\"\u{e9}\"}"])
    func `method, headers and body arrive as given and no guess of libcurl's with them`(_ method: HTTPRequest.Method, _ body: String?)
        async throws
    {
        let server = WireServer(HTTPClientTests.allKept)
        let client = HTTPClient()
        let headers = ["X-One": "a b\tc", "X-Empty": "", "X-Blank": " "]
        _ = try await client.send(HTTPRequest(method, server.url(), headers: headers, body: body.map { Array($0.utf8) }))
        client.shutdown()
        let request = try #require(await server.requests().first)
        #expect(request.method == method.rawValue)
        #expect(request.header("X-One") == "a b\tc")
        #expect(request.header("X-Empty") == "")
        #expect(request.header("X-Blank") == "")
        #expect(request.header("User-Agent") == "keyturn")
        #expect(request.header("Content-Type") == nil)
        #expect(request.header("Expect") == nil)
        #expect(request.header("Authorization") == nil)
        #expect(request.body == Array((body ?? "").utf8))
        let saysLength = body != nil || method == .post
        #expect(request.header("Content-Length") == (saysLength ? "\(body?.utf8.count ?? 0)" : nil))
    }

    @Test func `the bearer arrives in one header line`() async throws {
        let server = WireServer(HTTPClientTests.allKept)
        let client = HTTPClient()
        _ = try await client.send(HTTPRequest(.get, server.url()), bearer: Secret("sk-~!0"))
        client.shutdown()
        #expect(await server.requests().map { $0.header("Authorization") } == ["Bearer sk-~!0"])
    }

    @Test(arguments: ["", "a\n", "a\r\nX: y", "a b", "a\0b", "\u{7f}", "\u{e9}"])
    func `a bearer that is no token is refused before anything is sent`(_ token: String) async {
        let server = WireServer(HTTPClientTests.allKept)
        let failure = await failure { () async throws(HTTPFailure) in
            try await HTTPClient().send(HTTPRequest(.get, server.url()), bearer: Secret(token))
        }
        #expect(failure == .notSent("the token is empty or has a character that no token has"))
        #expect(await server.requests().isEmpty && server.connections == 0)
    }

    @Test(
        arguments: [
            ("X", "a\r\nY: b"), ("X", "a\nb"), ("X", "a\r"), ("X", "\0"), ("X", "\u{7f}"), ("X: a\r\nY", "b"), ("", "a"), ("X ", "a"),
            ("X:", "a"),
            ("\u{e9}", "a"), ("Content-Length", "0"), ("transfer-ENCODING", "chunked"), ("Host", "elsewhere"), ("Expect", "100-continue"),
            ("Connection", "keep-alive"), ("Upgrade", "h2c"),
        ]
    ) func `a header that could be read as anything but one header is refused before anything is sent`(_ name: String, _ value: String)
        async
    {
        let server = WireServer(HTTPClientTests.allKept)
        #expect(await isNotSent(HTTPClient(), HTTPRequest(.get, server.url(), headers: [name: value])))
        #expect(await server.requests().isEmpty && server.connections == 0)
    }

    @Test func `a second authorization is refused`() async {
        let server = WireServer(HTTPClientTests.allKept)
        let failure = await failure { () async throws(HTTPFailure) in
            try await HTTPClient().send(HTTPRequest(.get, server.url(), headers: ["authorization": "Basic eA=="]), bearer: Secret("x"))
        }
        #expect(failure == .notSent("a request with a token may not bring an Authorization of its own"))
        #expect(await server.requests().isEmpty && server.connections == 0)
    }

    @Test(arguments: [
        "", "127.0.0.1:1/", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http://127.0.0.1:1/a b", "http://127.0.0.1/\r\nX: y",
        "http://a:b@127.0.0.1:1/",
    ])
    func `a URL that is not plain http or https is refused`(_ url: String) async {
        #expect(await isNotSent(HTTPClient(), HTTPRequest(.get, url)))
    }

    // MARK: Failures

    @Test(arguments: [true, false]) func `a refused connection means not sent`(_ isolated: Bool) async {
        let port = closedPort()
        #expect(await isNotSent(HTTPClient(), HTTPRequest(.post, "http://127.0.0.1:\(port)/", body: [1], isolated: isolated)))
    }

    @Test func `an unknown host means not sent`() async {
        #expect(await isNotSent(HTTPClient(), HTTPRequest(.get, "http://keyturn.invalid/")))
    }

    @Test func `a TLS handshake that hangs means not sent, within the request's time`() async {
        let server = WireServer { $0.waitForClose() }
        let started = ContinuousClock.now
        #expect(await isNotSent(HTTPClient(), HTTPRequest(.post, server.url(scheme: "https"), timeout: .milliseconds(200))))
        #expect(ContinuousClock.now - started < .seconds(20))
    }

    @Test func `a connect time-out is shorter than the request's`() async {
        let server = WireServer { $0.waitForClose() }
        let client = HTTPClient(connectTimeout: .milliseconds(200))
        #expect(await isNotSent(client, HTTPRequest(.post, server.url(scheme: "https"), timeout: .seconds(3600))))
    }

    @Test func `a server that speaks no TLS gets nothing`() async {
        let server = WireServer { connection in
            _ = connection.read()
            connection.write("HTTP/1.1 400 Bad Request\r\n\r\n")
        }
        #expect(await isNotSent(HTTPClient(), HTTPRequest(.post, server.url(scheme: "https"))))
    }

    @Test func `an endless body is lost and not read to its end`() async {
        let server = WireServer { connection in
            _ = connection.next()
            connection.write("HTTP/1.1 200 OK\r\n\r\n")
            // Ends by the client's hanging up, or not at all.
            while connection.write([UInt8](repeating: 0x20, count: 65536)) {}
        }
        let request = HTTPRequest(.get, server.url(), maximumBody: 100_000)
        #expect(await failure(HTTPClient(), request) == .lost("the answer's body is larger than 100000 bytes"))
        #expect(await server.requests().count == 1)
    }

    @Test(arguments: [(4, false), (5, true), (6, true)]) func `a body may be as large as the limit`(_ limit: Int, _ fits: Bool) async {
        let server = WireServer(HTTPClientTests.allKept)
        let failure = await failure(HTTPClient(), HTTPRequest(.get, server.url(), maximumBody: limit))
        #expect((failure == nil) == fits)
    }

    @Test func `a gzip bomb goes off within the limit`() async throws {
        let bomb = try shell("head -c 67108864 /dev/zero | gzip")
        #expect(bomb.count < 100_000)
        let server = WireServer { connection in
            _ = connection.next()
            connection.write("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(bomb.count)\r\n\r\n")
            connection.write(bomb)
        }
        #expect(await failure(HTTPClient(), HTTPRequest(.get, server.url())) == .lost("the answer's body is larger than 4194304 bytes"))
    }

    @Test(arguments: [("X-More: ", 1), ("X-Long: ", 60000), ("\r\nHTTP/1.1 100 ", 1)])
    func `an endless header is lost`(_ start: String, _ length: Int) async {
        let piece = start + String(repeating: "x", count: length) + "\r\n"
        let server = WireServer { connection in
            _ = connection.next()
            connection.write("HTTP/1.1 100 Continue\r\n")
            while connection.write(piece) {}
        }
        let failure = await failure(HTTPClient(), HTTPRequest(.get, server.url()))
        #expect(failure == .lost("the answer's header is larger than 65536 bytes"))
        #expect(await server.requests().count == 1)
    }

    @Test(arguments: ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"])
    func `a redirect is an answer and the bearer goes nowhere else`(_ status: String) async throws {
        let elsewhere = WireServer(HTTPClientTests.allKept)
        let target = elsewhere.url()
        let server = WireServer { connection in
            _ = connection.next()
            connection.answer(status, headers: ["Location: \(target)"])
        }
        let client = HTTPClient()
        let response = try await client.send(HTTPRequest(.post, server.url(), body: [1]), bearer: Secret("sk-secret"))
        client.shutdown()
        #expect(response.status == Int(status.prefix(3)))
        #expect(response.header("location") == target)
        #expect(await elsewhere.requests().isEmpty && elsewhere.connections == 0)
        #expect(await server.requests().count == 1)
    }

    // MARK: Connections

    @Test func `two thousand requests in a row share one connection`() async throws {
        let server = WireServer(HTTPClientTests.allKept)
        let client = HTTPClient()
        for _ in 1...2000 { #expect(try await client.send(HTTPRequest(.get, server.url())).status == 200) }
        client.shutdown()
        #expect(await server.requests().count == 2000)
        #expect(server.connections == 1)
    }

    @Test func `isolated requests share none, neither with each other nor with those after them`() async throws {
        let server = WireServer(HTTPClientTests.allKept)
        let client = HTTPClient()
        for isolated in [true, false, true, true, false, false] {
            _ = try await client.send(HTTPRequest(.get, server.url(), isolated: isolated))
        }
        client.shutdown()
        #expect(await server.requests().map(\.connection) == [1, 2, 3, 4, 2, 2])
    }

    @Test func `two hundred requests at once are answered each with its own`() async throws {
        let server = WireServer { connection in
            while let request = connection.next() { connection.answer(request.header("X-Number")!) }
        }
        let client = HTTPClient()
        let right = await withTaskGroup { group in
            for number in 200..<400 {
                group.addTask {
                    try? await client.send(HTTPRequest(.get, server.url(), headers: ["X-Number": "\(number)"])).status == number
                }
            }
            return await group.reduce(0) { $0 + ($1 == true ? 1 : 0) }
        }
        #expect(right == 200)
    }

    @Test func `neither descriptors nor threads are left behind`() async {
        // In a process of its own, where nothing else opens any.
        await #expect(processExitsWith: .success) {
            let server = WireServer(HTTPClientTests.allKept)
            func open() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
            // Its connection is kept to the end: only the client's own can close it.
            do {
                let client = HTTPClient()
                _ = try await client.send(HTTPRequest(.get, server.url()))
                #expect(socketsThatCommandsInherit(connectedTo: server.port).isEmpty)
                let before = try open()
                for number in 1...300 { _ = try await client.send(HTTPRequest(.get, server.url(), isolated: number % 2 == 0)) }
                for _ in 1...49 { _ = try? await client.send(HTTPRequest(.get, server.url(), maximumBody: 1)) }
                _ = try await client.send(HTTPRequest(.get, server.url()))
                // The last requests' connections may still be closing at the server's end.
                #expect(try open() <= before + 4)
            }
            // Each connection has ended, or this would not return.
            #expect(await server.requests().count == 351)
        }
    }

    // MARK: Cancellation

    @Test func `a request cancelled in flight is lost, one cancelled in the handshake or before is not sent`() async {
        func cancel(when event: WireServer.Event?, scheme: String) async -> HTTPFailure? {
            let server = WireServer { connection in
                if scheme == "http" { _ = connection.next() }
                connection.waitForClose()
            }
            let client = HTTPClient()
            return await withTaskGroup(of: HTTPFailure?.self) { group in
                if event == nil { group.cancelAll() }
                group.addTask { await failure(client, HTTPRequest(.post, server.url(scheme: scheme), body: [1], timeout: .seconds(3600))) }
                if let event { _ = await server.events.first { $0 == event } }
                group.cancelAll()
                return await group.next()!
            }
        }
        #expect(await cancel(when: .requested, scheme: "http") == .lost("cancelled in flight"))
        #expect(await cancel(when: .connected, scheme: "https") == .notSent("cancelled before it was sent"))
        #expect(await cancel(when: nil, scheme: "http") == .notSent("cancelled before it was sent"))
    }

    @Test func `shutting down ends what is in flight and refuses what comes after`() async {
        let server = WireServer { connection in
            _ = connection.next()
            connection.waitForClose()
        }
        let client = HTTPClient()
        async let hanging = failure(client, HTTPRequest(.post, server.url(), timeout: .seconds(3600)))
        _ = await server.events.first { $0 == .requested }
        client.shutdown()
        client.shutdown()
        #expect(await hanging == .lost("cancelled in flight"))
        #expect(await failure(client, HTTPRequest(.get, server.url())) == .notSent("the HTTP client has been shut down"))
    }

    // MARK: Proxies

    @Test func `loopback is asked directly and the rest through the environment's proxy, which sees no bearer in CONNECT`() async {
        // In a process of its own: the environment is everyone's.
        await #expect(processExitsWith: .success) {
            let proxy = WireServer { connection in
                _ = connection.next()
                connection.answer("403 Forbidden")
            }
            let server = WireServer(HTTPClientTests.allKept)
            unsafe setenv("https_proxy", proxy.url(), 1)
            unsafe setenv("http_proxy", proxy.url(), 1)
            unsafe setenv("no_proxy", "excepted.invalid", 1)
            let client = HTTPClient()
            for host in ["127.0.0.1", "localhost"] {
                let response = try await client.send(HTTPRequest(.get, server.url(host: host)))
                #expect(response.status == 200)
            }
            #expect(await isNotSent(client, HTTPRequest(.get, "http://excepted.invalid/")))
            let failure = await failure { () async throws(HTTPFailure) in
                try await client.send(HTTPRequest(.get, "https://keyturn.invalid/"), bearer: Secret("sk-secret"))
            }
            #expect(failure?.isLost == true)
            client.shutdown()
            let seen = await proxy.requests()
            #expect(seen.map(\.method) == ["CONNECT"] && seen[0].header("Authorization") == nil)
        }
    }
}
