import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnSandbox
import Synchronization
import Testing

@testable import KeyturnAdapters

/// The list of tokens: whole or an error, never a part.
struct `The laozhang gateway lists all tokens or none` {
    /// Answers each path with its own body and writes down what was asked.
    private final class Pages: Sendable {
        let gateway: LaozhangGateway
        private let server: WireServer
        private let book = Book()

        private final class Book: Sendable {
            let asked = Mutex<[String]>([])
            let port = Mutex(0)
        }

        var paths: [String] { book.asked.withLock { $0 } }

        /// `links`: the `Link` header by path.
        init(_ pages: [String: String], links: [String: String] = [:], path: String = "") {
            server = WireServer { [book] connection in
                while let request = connection.next() {
                    let path = String(request.head.split(separator: " ")[1])
                    book.asked.withLock { $0.append(path) }
                    let body = pages[path]?.replacing("PORT", with: book.port.withLock { "\($0)" })
                    connection.answer(
                        body == nil ? "404 Not Found" : "200 OK", headers: links[path].map { ["Link: \($0)"] } ?? [], body ?? "")
                }
            }
            book.port.withLock { [port = server.port] in $0 = port }
            gateway = laozhang(port: server.port, path: path)
        }
    }

    private static let first = "/v1/api-keys"

    private func row(_ name: String) -> String { #"{"id":"id-\#(name)","name":"\#(name)","status":"Active"}"# }
    private func body(_ names: [String], _ marks: String = "") -> String {
        #"{"data":[\#(names.map(row).joined(separator: ","))]\#(marks.isEmpty ? "" : "," + marks)}"#
    }

    @Test(arguments: [
        (#""page":1,"has_more":true"#, "?page=2", #""page":2,"has_more":false"#),
        (#""page":0,"has_more":true"#, "?page=1", #""page":1,"has_more":false"#),
        (#""has_more":true"#, "?page=2", #""has_more":false"#),
        (#""has_more":true,"last_id":"id.b""#, "?after=id%2Eb", #""has_more":false,"last_id":"id-c""#),
        (#""total":3"#, "?page=2", #""total":3"#),
        (#""total_count":"3","page":1"#, "?page=2", #""total_count":"3","page":2"#),
        (#""total_pages":2"#, "?page=2", #""total_pages":2"#),
        (#""pagination":{"total":3,"page":1,"page_size":2}"#, "?page=2", #""pagination":{"total":3,"page":2,"page_size":2}"#),
        (#""meta":{"current_page":1,"pages":2}"#, "?page=2", #""meta":{"current_page":2,"pages":2}"#),
        (#""next_cursor":"a b&c=/""#, "?cursor=a%20b%26c%3D%2F", #""next_cursor":null"#),
        (#""next_cursor":7"#, "?cursor=7", #""next_cursor":"""#),
        (#""next_page_token":"t""#, "?page_token=t", #""next_page_token":"""#),
        (#""next_page":2"#, "?page=2", #""next_page":null"#),
        (#""next":"/v1/api-keys?offset=2""#, "?offset=2", #""next":null"#),
        (#""next":"?offset=2""#, "?offset=2", #""next":"""#),
        (#""next":"http://127.0.0.1:PORT/v1/api-keys?offset=2""#, "?offset=2", #""next":false"#),
        (#""next_page":"/v1/api-keys?offset=2""#, "?offset=2", ""),
        (#""links":{"next":"/v1/api-keys?p=2"}"#, "?p=2", #""links":{"next":null}"#),
        (#""_links":{"next":{"href":"/v1/api-keys?p=2"}}"#, "?p=2", #""_links":{}"#),
    ])
    func `however it says that there is more`(marks: String, query: String, last: String) async throws {
        let pages = Pages([Self.first: body(["a", "b"], marks), Self.first + query: body(["c"], last)])
        #expect(try await pages.gateway.list().keys.map(\.name) == ["a", "b", "c"])
        #expect(pages.paths == [Self.first, Self.first + query])
    }

    @Test func `a link in the header`() async throws {
        let pages = Pages(
            [Self.first: body(["a"]), Self.first + "?page=2": body(["b"])],
            links: [
                Self.first: #"</v1/api-keys>; rel="prev", </v1/api-keys?page=2>; rel="next""#,
                Self.first + "?page=2": #"</v1/api-keys>; rel="first""#,
            ]
        )
        #expect(try await pages.gateway.list().keys.map(\.name) == ["a", "b"])
    }

    @Test func `a path in the url stays before the documented one`() async throws {
        let pages = Pages(
            ["/proxy/v1/api-keys": body(["a"], #""has_more":true"#), "/proxy/v1/api-keys?page=2": body(["b"])], path: "/proxy")
        #expect(try await pages.gateway.list().keys.map(\.name) == ["a", "b"])
    }

    @Test(arguments: [
        #""next":"https://evil.example/v1/api-keys?page=2""#, #""next":"http://127.0.0.1:PORT@evil.example/""#,
        #""next":"http://127.0.0.1.evil.example/""#,
        #""next":"https://127.0.0.1:PORT/v1/api-keys?page=2""#, #""next":"file:///etc/passwd""#, #""next":"javascript:alert(1)""#,
        #""next":"/v1/api-keys?x=\#(String(repeating: "x", count: 3000))""#,
    ])
    func `a next page elsewhere is refused: the admin token goes with it`(marks: String) async throws {
        let pages = Pages([Self.first: body(["a"], marks)])
        #expect(await CallResult.list(pages.gateway) == "inconclusive")
        #expect(pages.paths == [Self.first])
    }

    @Test(arguments: [
        #""has_more":"yes""#, #""has_more":1"#, #""next":{"page":2}"#, #""next":true"#, #""next_cursor":{}"#, #""next_cursor":true"#,
    ])
    func `more that is said and not understood is an error`(marks: String) async throws {
        let pages = Pages([Self.first: body(["a"], marks)])
        #expect(await CallResult.list(pages.gateway) == "inconclusive")
    }

    @Test(arguments: [
        // The page asked for is not looked at: the same comes again and again.
        (#""total":6"#, [#""total":6"#]), (#""has_more":true"#, [#""has_more":true"#]),
        // The same next one for ever; and one that never comes.
        (#""next":"/v1/api-keys?page=2""#, [#""next":"/v1/api-keys?page=2""#]),
    ])
    func `pages that repeat themselves are an error and not the whole`(first: String, second: [String]) async throws {
        let pages = Pages([Self.first: body(["a", "b"], first), Self.first + "?page=2": body(["a", "b"], second[0])])
        #expect(await CallResult.list(pages.gateway) == "inconclusive")
        #expect(pages.paths.count == 2)
    }

    @Test func `the same without ids`() async throws {
        let same = #"{"data":[{"name":"a"},{"name":"b"}],"total":6}"#
        let pages = Pages([Self.first: same, Self.first + "?page=2": same])
        #expect(await CallResult.list(pages.gateway) == "inconclusive")
    }

    @Test func `an empty page that promises more is an error`() async throws {
        let pages = Pages([Self.first: body(["a"], #""total":2"#), Self.first + "?page=2": body([], #""total":2"#)])
        #expect(await CallResult.list(pages.gateway) == "inconclusive")
    }

    @Test func `a page that fails is an error of the whole`() async throws {
        let pages = Pages([Self.first: body(["a"], #""has_more":true"#)])
        #expect(await CallResult.list(pages.gateway) == "rejected")
    }

    @Test func `a token that moved from one page to the next is listed once`() async throws {
        let pages = Pages([Self.first: body(["a", "b"], #""has_more":true"#), Self.first + "?page=2": body(["b", "c"])])
        #expect(try await pages.gateway.list().keys.map(\.name) == ["a", "b", "c"])
    }

    @Test func `the sandbox's pages, as many as there are`() async throws {
        try await withSandbox({ $0.pageSize = 3 }) { sandbox in
            for number in 0..<10 { _ = sandbox.gateway.addForeign(name: "t-\(number)") }
            let listing = try await laozhang(port: sandbox.port).list()
            #expect(listing.keys.map(\.name) == (0..<10).map { "t-\($0)" })
            #expect(sandbox.gateway.statistics().lists == 4)
            #expect(listing.gatewayTime == sandbox.clock.now)
        }
    }

    // MARK: Rows

    @Test(
        arguments: [
            ("", []), ("null", nil), ("{}", nil), (#"{"data":null}"#, nil), (#"{"data":{"items":[]}}"#, nil), (#"{"data":[]}"#, []),
            (#"{"data":[7]}"#, nil),
            (#"{"data":[{"id":"x"}]}"#, nil), (#"{"data":[{"name":7}]}"#, nil), (#"{"data":[{"name":"a"},{"name":null}]}"#, nil),
            (#"{"data":[{"name":"a"}]}"#, ["a"]), (#"{"data":[{"name":""}]}"#, [""]), (#"[{"name":"a"}]"#, nil),
            (#"{"error":{"message":"no"}}"#, nil),
        ] as [(String, [String]?)])
    func `a list that is not the documented one is no list`(body: String, names: [String]?) async throws {
        let (_, gateway, _) = answering(body)
        guard let names, !body.isEmpty else {
            #expect(await CallResult.list(gateway) == "inconclusive")
            return
        }
        #expect(try await gateway.list().keys.map(\.name) == names)
    }

    @Test(arguments: [
        ("Active", ListedKey.Status.active), ("enabled", .active), ("Not Used", .notUsed), ("not_used", .notUsed), ("Revoked", .revoked),
        ("deleted", .revoked), ("EXPIRED", .expired), ("paused", .other("paused")), ("", .other("")),
    ])
    func `the words for a status, and one that is not known says nothing`(word: String, status: ListedKey.Status) async throws {
        let (_, gateway, _) = answering(#"{"data":[{"name":"a","status":"\#(word)"}]}"#)
        #expect(try await gateway.list().keys[0].status == status)
    }

    @Test(
        arguments: [
            (#""2026-01-31T12:00:00Z""#, 0, true), (#""2026-01-31T12:00:00.5Z""#, 0, true), (#""2026-01-31T12:00:00.123456789Z""#, 0, true),
            (#""2026-01-31T13:00:00+01:00""#, 0, true), (#""2026-01-31T13:00:00.5+01:00""#, 0, true),
            (#""2026-01-31 13:00:00+01:00""#, 0, true),
            (#""2026-01-31T07:00:00-05:00""#, 0, true), (#""2026-01-31T12:00:01Z""#, 1, true),
            (#""2026-01-31T12:00:00""#, 0, false), (#""2026-01-31 12:00:00""#, 0, false), (#""2026-01-31 12:00:00.25""#, 0, false),
            ("1769860800", 0, true), ("1769860800.25", 0.25, true), ("1769860800000", 0, true), ("1769860800250", 0.25, true),
            ("1.7698608e9", 0, true), ("0", nil, true), ("-1", nil, true), ("1e100", nil, true), ("20260131120000", nil, true),
            (#""1769860800""#, nil, true), (#""2026-01-31""#, nil, true), (#""yesterday""#, nil, true), (#""""#, nil, true),
            (#""2026-13-41T99:00:00Z""#, nil, true), (#""2026-01-31T12:00""#, nil, true), ("null", nil, true), ("true", nil, true),
            ("[]", nil, true), (#"{"seconds":1769860800}"#, nil, true),
            ("\"\(String(repeating: "2026-01-31T12:00:00Z", count: 5000))\"", nil, true),
        ] as [(String, Double?, Bool)])
    func `times with and without fractions and zones, and as numbers; what is no moment is not known`(
        json: String, offset: Double?, isZoned: Bool
    ) async throws {
        let (_, gateway, _) = answering(#"{"data":[{"name":"a","created_at":\#(json),"last_used":\#(json),"expires_at":\#(json)}]}"#)
        let key = try await gateway.list().keys[0]
        let expected = offset.map { Date(timeIntervalSince1970: 1_769_860_800 + $0) }
        #expect([key.createdAt, key.lastUsedAt, key.expiresAt] == [expected, expected, expected])
        #expect(key.doubt == (isZoned ? 0 : 14 * 3600))
    }

    @Test func `one time without a zone makes all of that token's doubtful, and no other's`() async throws {
        let (_, gateway, _) = answering(
            """
            {"data":[{"name":"a","created_at":"2026-01-31T12:00:00Z","last_used":"2026-01-31T12:00:00"},
            {"name":"b","created_at":"2026-01-31T12:00:00Z"}]}
            """
        )
        #expect(try await gateway.list().keys.map(\.doubt) == [ListedKey.zoneless, 0])
    }

    // MARK: Bounds

    @Test func `more tokens than any account has are an error, on one page or on many`() throws {
        var pages = LaozhangPages(url: "http://gateway", bounds: LaozhangPages.Bounds(keys: 5))
        try pages.take(Array(body(["a", "b", "c"], #""has_more":true"#).utf8))
        try pages.take(Array(body(["d", "e"], #""has_more":true"#).utf8))
        #expect(
            error { () throws(GatewayError) in try pages.take(Array(body(["f"]).utf8)) } == "the list of tokens has more than 5 of them")
        var page = LaozhangPages(url: "http://gateway", bounds: LaozhangPages.Bounds(keys: 5))
        let six = Array(body(["a", "b", "c", "d", "e", "f"]).utf8)
        #expect(error { () throws(GatewayError) in try page.take(six) } == "the list of tokens has more than 5 of them")
    }

    @Test func `pages that are longer together than any list are an error, and the last one that fits is not`() throws {
        let first = Array(body(["a"], #""has_more":true"#).utf8)
        let last = Array(body(["b"]).utf8)
        var pages = LaozhangPages(url: "http://gateway", bounds: LaozhangPages.Bounds(page: 1000, bytes: first.count + last.count))
        #expect(pages.room == first.count + last.count)
        try pages.take(first)
        // What the client lets in of the next page.
        #expect(pages.room == last.count)
        try pages.take(last)
        #expect(pages.next == nil && pages.keys.count == 2)
        var full = LaozhangPages(url: "http://gateway", bounds: LaozhangPages.Bounds(bytes: first.count))
        #expect(error { () throws(GatewayError) in try full.take(first) } == "the list of tokens is longer than 0 MiB")
    }

    @Test func `endless pages that are new each time end at the bound of pages`() async throws {
        let http = HTTPClient()
        let gateway = endless(http, padding: 0)
        let error = await gateway.listError()
        #expect(error == .inconclusive("the pages of the list of tokens do not end", retryAfter: nil), "\(error?.description ?? "none")")
        http.shutdown()
        #expect(await gateway.server.requests().count == 2000)
    }

    @Test func `large pages without end stop at 64 MiB`() async throws {
        let http = HTTPClient()
        let gateway = endless(http, padding: 15 << 20)
        let error = await gateway.listError()
        #expect(error?.description.contains("larger than") == true, "\(error?.description ?? "none")")
        http.shutdown()
        #expect(await gateway.server.requests().count == 5)
    }

    private func endless(_ http: HTTPClient, padding: Int) -> WiredGateway {
        let blanks = String(repeating: " ", count: padding)
        return WiredGateway(http: http) { connection in
            while let request = connection.next() {
                let page = request.head.firstMatch(of: /page=([0-9]+)/).flatMap { Int($0.1) } ?? 1
                connection.answer(
                    "200 OK", #"{"data":[{"id":"id-\#(page)","name":"t-\#(page)"}],"page":\#(page),"has_more":true}"# + blanks)
            }
        }
    }

    private func error(_ work: () throws(GatewayError) -> Void) -> String? {
        do throws(GatewayError) {
            try work()
            return nil
        } catch { return error.description }
    }

    @Test func `a list that changes between two pages is read anew, and never half of it`() async throws {
        // c moved up to the first page as a was removed: a, b, d would be a list without it.
        let pages = Pages([
            Self.first: body(["a", "b"], #""total":4"#), Self.first + "?page=2": body(["d"], #""total":3"#),
        ])
        #expect(await pages.gateway.listError() == .inconclusive("the list of tokens changed while it was read", retryAfter: nil))
    }

    // MARK: Odd JSON

    @Test(
        arguments: [
            (#"{"data":[{"name":"a","name":"b","id":"1"}]}"#, true), (#"{"data":[],"data":[{"name":"a"}]}"#, nil),
            (#"{"data":[{"name":"a","x":\#(String(repeating: "[", count: 400))\#(String(repeating: "]", count: 400))}]}"#, true),
            (#"{"data":[{"name":"a","x":\#(String(repeating: #"{"a":"#, count: 100_000))"#, false),
            (#"{"data":[{"name":"\uD800","id":"1"}]}"#, nil), (#"{"data":[{"name":"a","x":1e999999}]}"#, nil),
            (#"{"data":[{"name":"a","x":\#(String(repeating: "9", count: 100_000))}]}"#, nil),
            ("\u{FEFF}{\"data\":[{\"name\":\"a\"}]}", nil), (#"{"data":[{"name":"a"}]}{"data":[]}"#, false),
            (#"{"data":[{"name":"a"},]}"#, nil),
        ] as [(String, Bool?)])
    func `odd JSON is read whole or is an error; which of them, where the row says nothing, is the parser's choice`(
        body: String, isRead: Bool?
    ) async {
        let (_, gateway, _) = answering(body)
        do throws(GatewayError) {
            let keys = try await gateway.list().keys
            #expect(isRead != false && keys.count <= 1)
        } catch {
            #expect(isRead != true)
            #expect(CallResult.word(error) == "inconclusive")
        }
    }

    @Test func `bytes that are no UTF-8 are no list`() async {
        let gateway = WiredGateway { connection in
            while connection.next() != nil {
                let body = Array(#"{"data":[{"id":"1","name":""#.utf8) + [0xff, 0xfe, 0xc0, 0x80] + Array(#""}]}"#.utf8)
                connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
                connection.write(body)
            }
        }
        #expect(await CallResult.list(gateway) == "inconclusive")
    }

    @Test(arguments: [(1, 2_000_000), (50_000, 60)]) func `headers without end are no answer, and say nothing`(lines: Int, length: Int)
        async
    {
        let line = "X-Padding: \(String(repeating: "x", count: length))"
        let (_, gateway, _) = answering("200 OK", headers: Array(repeating: line, count: lines), #"{"data":[]}"#)
        #expect(await CallResult.list(gateway) == "inconclusive")
    }

    // MARK: What is shown

    @Test func `ids that are numbers, are missing, or are none`() async throws {
        let (_, gateway, _) = answering(
            #"{"data":[{"name":"a","id":42},{"name":"b"},{"name":"c","id":"a\u0000b"},{"name":"d","id":12345678901234567890}]}"#)
        #expect(try await gateway.list().keys.map { $0.id?.text } == ["42", nil, nil, "12345678901234567890"])
    }

    @Test func `attributes that are shown are told, those that are not are not known`() async throws {
        let (_, gateway, _) = answering(
            """
            {"data":[{"name":"a","billing_method":"usage_based","permissions":["chat"],"allowed_models":["gpt-4"],"ip_whitelist":["::1"],
            "daily_limit":{"requests":5,"amount":0.1},"max_tokens_per_request":4000},{"name":"b"}]}
            """
        )
        let keys = try await gateway.list().keys
        let limits = Limits(requestsPerDay: 5, amountPerDay: Decimal(string: "0.1"), tokensPerRequest: 4000)
        #expect(
            keys[0].shown
                == ShownAttributes(
                    billing: "usage_based", permissions: ["chat"], allPermissions: ["chat", "completion"], models: ["gpt-4"],
                    allowIPs: ["::1"], limits: limits)
        )
        #expect(keys[1].shown == ShownAttributes(allPermissions: ["chat", "completion"]))
    }

    @Test func `its pages' own words for attributes are the policy's`() async throws {
        let (_, gateway, _) = answering(
            """
            {"data":[{"name":"a","billing_method":"Usage-based billing","permissions":["Read-only"]},
            {"name":"b","billing_method":"Pay-per-use","permissions":["Full permissions"],"allowed_models":null,"expires_at":null},
            {"name":"c","billing_method":"Barter","permissions":["Chat"]}]}
            """
        )
        let keys = try await gateway.list().keys
        #expect(keys.map(\.shown.billing) == ["usage_based", "pay_per_use", "Barter"])
        #expect(keys.map(\.shown.permissions) == [["read_only"], ["full"], ["Chat"]])
        #expect(Attributes(permissions: .readOnly).differences(from: keys[0].shown).isEmpty)
        #expect(Attributes(billing: .payPerUse).differences(from: keys[1].shown).isEmpty)
    }
}
