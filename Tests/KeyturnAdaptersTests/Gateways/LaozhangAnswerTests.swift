import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Testing

/// Answers, well meant and not, on the wire.
struct `How the laozhang gateway reads answers` {
    // MARK: Create

    @Test(
        arguments: [
            (#"{"key":"sk-0123456789","id":"key_1"}"#, "key_1"),
            (#"{"data":{"key":"sk-0123456789","id":"key_1"}}"#, "key_1"),
            (#"{"key":"sk-0123456789","id":123456789012345678901234567890}"#, "123456789012345678901234567890"),
            (#"{"key":"sk-0123456789","id":7}"#, "7"),
            (#"{"key":"sk-0123456789"}"#, nil),
            (#"{"key":"sk-0123456789","id":null}"#, nil),
            (#"{"key":"sk-0123456789","id":""}"#, nil),
            (#"{"key":"sk-0123456789","id":{"a":1}}"#, nil),
            (#"{"key":"sk-0123456789","id":"two words\n"}"#, nil),
            (#"{"key":"sk-0123456789","id":"\#(String(repeating: "9", count: 201))"}"#, nil),
        ] as [(String, String?)])
    func `the key and the id of a create, wherever they stand`(body: String, id: String?) async throws {
        let (server, gateway, http) = answering(body)
        guard case .created(let read, let secret) = await gateway.create(sampleOrder) else { throw CancellationError() }
        #expect(read?.text == id)
        let isWhole = secret.matches(Secret("sk-0123456789"))
        #expect(isWhole)
        http.shutdown()
        #expect(await server.requests().count == 1)
    }

    @Test(arguments: [
        "", "null", "[]", "7", "{}", #"{"key":null}"#, #"{"key":7}"#, #"{"key":["sk-0123456789"]}"#, #"{"key":""}"#, #"{"key":"short"}"#,
        #"{"key":"sk-abc***xyz1234"}"#, #"{"key":"sk-abc...xyz1234"}"#, #"{"key":"sk-0123 456789"}"#, #"{"key":"sk-0123456789\n"}"#,
        #"{"key":"sk-0123456789é"}"#, #"{"key":"sk-0123456789"#, "<html>busy</html>", "{\"key\":\"sk-0123456789\"}}",
        #"{"key":"\#(String(repeating: "k", count: 4097))"}"#, String(repeating: "[", count: 100_000), "\u{0}\u{1}\u{FFFD}",
    ])
    func `what holds no whole key is unknown: a token may live, and its secret is lost`(body: String) async throws {
        let (server, gateway, http) = answering(body)
        #expect(await CallResult.create(gateway) == "unknown")
        http.shutdown()
        #expect(await server.requests().count == 1)
    }

    @Test(arguments: [
        ("200 OK", "unknown"), ("202 Accepted", "unknown"), ("204 No Content", "unknown"), ("300 Multiple", "unknown"),
        ("301 Moved", "not created: rejected"), ("302 Found", "unknown"), ("303 See Other", "unknown"), ("304 Not Modified", "unknown"),
        ("307 Temporary Redirect", "not created: rejected"), ("308 Permanent Redirect", "not created: rejected"),
        ("400 Bad Request", "not created: rejected"), ("401 Unauthorized", "not created: admin refused"),
        ("402 Payment Required", "not created: rejected"), ("403 Forbidden", "not created: rejected"),
        ("404 Not Found", "not created: rejected"), ("405 Method Not Allowed", "not created: rejected"),
        ("406 Not Acceptable", "unknown"), ("407 Proxy Authentication Required", "unknown"), ("408 Request Timeout", "unknown"),
        ("409 Conflict", "not created: rejected"), ("410 Gone", "not created: rejected"), ("412 Precondition Failed", "unknown"),
        ("413 Too Large", "not created: rejected"), ("415 Unsupported", "not created: rejected"), ("418 Teapot", "unknown"),
        ("421 Misdirected", "not created: rejected"), ("422 Unprocessable", "not created: rejected"), ("423 Locked", "unknown"),
        ("424 Failed Dependency", "unknown"), ("425 Too Early", "unknown"), ("426 Upgrade Required", "not created: rejected"),
        ("429 Too Many Requests", "not created: inconclusive"), ("431 Headers Too Large", "not created: rejected"),
        ("444 No Response", "unknown"), ("451 Unavailable", "not created: rejected"), ("460 Client Closed", "unknown"),
        ("499 Client Closed Request", "unknown"), ("500 Oops", "unknown"), ("501 Not Implemented", "unknown"),
        ("502 Bad Gateway", "unknown"), ("503 Unavailable", "unknown"), ("504 Gateway Timeout", "unknown"),
        ("524 A Timeout Occurred", "unknown"), ("600 What", "unknown"), ("999 What", "unknown"),
    ])
    func `a create's status says whether something may have been made; it is sent once, redirected or not`(status: String, expected: String)
        async
    {
        let (server, gateway, http) = answering(status, headers: ["Location: /v1/elsewhere"], "")
        #expect(await CallResult.create(gateway) == expected)
        http.shutdown()
        #expect(await server.requests().map(\.method) == ["POST"])
    }

    @Test func `a create asks for everything that the policy says, amounts exact`() async throws {
        let (server, gateway, http) = answering("{}")
        let attributes = Attributes(
            billing: .payPerUse, permissions: .only(["chat", "completion"]), models: .only(["gpt-4"]),
            allowIPs: ["203.0.113.10", "198.51.100.0/24"],
            limits: Limits(
                requestsPerDay: 1000, amountPerDay: Decimal(string: "0.1"), requestsPerMonth: nil,
                amountPerMonth: Decimal(string: "12345678901234567.89"),
                tokensPerRequest: 4000
            )
        )
        let order = CreateOrder(name: #"na"me/é"#, attributes: attributes, expiresAt: Date(timeIntervalSince1970: 1_767_225_599.9))
        _ = await gateway.create(order)
        http.shutdown()
        let request = try #require(await server.requests().first)
        #expect(request.head.hasPrefix("POST /v1/api-keys HTTP/1.1"))
        #expect(request.header("Authorization") == "Bearer admin-token")
        #expect(request.header("Content-Type") == "application/json")
        let body = String(decoding: request.body, as: UTF8.self)
        let json = try #require(JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any])
        #expect(json["name"] as? String == #"na"me/é"#)
        #expect(json["billing_method"] as? String == "pay_per_use")
        #expect(json["permissions"] as? [String] == ["chat", "completion"])
        #expect(json["expires_at"] as? String == "2025-12-31T23:59:59Z")
        #expect(json["allowed_models"] as? [String] == ["gpt-4"])
        #expect(json["ip_whitelist"] as? [String] == ["203.0.113.10", "198.51.100.0/24"])
        #expect(json["max_tokens_per_request"] as? Int == 4000)
        #expect(body.contains(#""amount":0.1}"#) || body.contains(#""amount":0.1,"#))
        #expect(body.contains(#""amount":12345678901234567.89"#))
        #expect((json["daily_limit"] as? [String: Any])?["requests"] as? Int == 1000)
        #expect((json["monthly_limit"] as? [String: Any])?.count == 1)
    }

    @Test func `a create without wishes names no more than it must`() async throws {
        let (server, gateway, http) = answering("{}")
        _ = await gateway.create(sampleOrder)
        http.shutdown()
        let request = try #require(await server.requests().first)
        let json = try #require(JSONSerialization.jsonObject(with: Data(request.body)) as? [String: String])
        #expect(json == ["name": "prod-webapp-api-2026-11", "billing_method": "usage_based"])
    }

    // MARK: Revoke

    @Test(arguments: [
        ("key_123456", "/v1/api-keys/key_123456"), ("../models", "/v1/api-keys/%2E%2E%2Fmodels"),
        ("a b?c#d%e", "/v1/api-keys/a%20b%3Fc%23d%25e"),
        ("é", "/v1/api-keys/%C3%A9"), ("a\r\nHost: evil", "/v1/api-keys/a%0D%0AHost%3A%20evil"),
    ])
    func `an id is one part of the path, whatever it says`(id: String, path: String) async throws {
        let (server, gateway, http) = answering("{}")
        #expect(await gateway.revokeError(id) == nil)
        http.shutdown()
        let requests = await server.requests()
        #expect(requests.map { String($0.head.prefix { $0 != "\r\n" }) } == ["DELETE \(path) HTTP/1.1"])
    }

    @Test(arguments: ["", ".", ".."])
    func `an id that would ask for something else is not sent`(id: String) async {
        let (server, gateway, http) = answering("{}")
        guard case .rejected = await gateway.revokeError(id) else {
            Issue.record("not rejected")
            return
        }
        http.shutdown()
        #expect(await server.requests().isEmpty)
    }

    @Test(arguments: [
        ("200 OK", "revoked"), ("204 No Content", "revoked"), ("404 Not Found", "revoked"), ("410 Gone", "revoked"),
        ("400 Bad Request", "rejected"), ("405 Method Not Allowed", "rejected"), ("409 Conflict", "rejected"),
        ("401 Unauthorized", "admin refused"),
        ("403 Forbidden", "admin refused"), ("408 Request Timeout", "inconclusive"), ("429 Too Many", "inconclusive"),
        ("500 Oops", "inconclusive"),
        ("302 Found", "inconclusive"),
    ])
    func `a revoke's status`(status: String, expected: String) async {
        let (_, gateway, _) = answering(status, "")
        #expect(await CallResult.revoke(gateway, "key_1") == expected)
    }

    // MARK: Probe

    @Test(arguments: [
        ("200 OK", #"{"data":[{"id":"gpt-4"},"gpt-3.5"]}"#, "accepted"), ("200 OK", #"{"data":[]}"#, "accepted"),
        ("200 OK", "{}", "inconclusive"), ("200 OK", #"{"error":{"message":"no"}}"#, "inconclusive"), ("200 OK", "<html>", "inconclusive"),
        ("401 Unauthorized", "", "refused"), ("401 Unauthorized", #"{"error":{"message":"Invalid API Key"}}"#, "refused"),
        ("402 Payment Required", "", "inconclusive"), ("403 Forbidden", "", "inconclusive"), ("404 Not Found", "", "inconclusive"),
        ("429 Too Many", "", "inconclusive"), ("500 Oops", "", "inconclusive"), ("302 Found", "", "inconclusive"),
    ])
    func `only 401 is a refusal, and only a list of models is an acceptance`(status: String, body: String, expected: String) async {
        let (_, gateway, _) = answering(status, body)
        #expect(await CallResult.probe(gateway, "sk-one") == expected)
    }

    @Test func `models are told by their ids, and the secret goes as a bearer`() async throws {
        let (server, gateway, http) = answering(#"{"data":[{"id":"gpt-4"},{"id":"gpt-4"},"claude",{"name":"x"},7]}"#)
        let outcome = try await gateway.probe(Secret("sk-one"))
        #expect(outcome == .accepted(models: ["gpt-4", "claude"]))
        http.shutdown()
        #expect(await server.requests().first?.header("Authorization") == "Bearer sk-one")
    }

    // MARK: Usage

    @Test(
        arguments: [
            (#"{"today_usage":0.1,"month_usage":0.30000000000000004}"#, "0.1", "0.30000000000000004"),
            (#"{"today_usage":12345678901234567890.123456789,"month_usage":1e-7}"#, "12345678901234567890.123456789", "0.0000001"),
            (#"{"today_usage":"0.2","month_usage":"1E+3"}"#, "0.2", "1000"),
            (#"{"today_usage":0,"month_usage":null}"#, "0", nil),
            (#"{"today_usage":"1 USD","month_usage":"NaN"}"#, nil, nil),
            (#"{"today_usage":true,"month_usage":[1]}"#, nil, nil),
            (#"{"today_usage":"","month_usage":"0x10"}"#, nil, nil),
        ] as [(String, String?, String?)])
    func `money is read to the last digit, or not at all`(body: String, today: String?, month: String?) async throws {
        let (_, gateway, _) = answering(body)
        let reading = try await gateway.usage(Secret("sk-one"))
        #expect(reading.today == today.flatMap { Decimal(string: $0) })
        #expect(reading.month == month.flatMap { Decimal(string: $0) })
    }

    @Test func `a tenth and two tenths are three tenths`() async throws {
        let (_, gateway, _) = answering(#"{"today_usage":0.1,"month_usage":0.2}"#)
        let reading = try await gateway.usage(Secret("sk-one"))
        #expect(try #require(reading.today) + #require(reading.month) == Decimal(string: "0.3"))
    }

    @Test(arguments: [
        ("200 OK", "not json", "inconclusive"), ("200 OK", "[]", "inconclusive"),
        ("200 OK", #"{"error":{"message":"busy"}}"#, "inconclusive"),
        ("200 OK", "{}", "read nothing"), ("401 Unauthorized", "", "rejected"), ("404 Not Found", "", "rejected"),
        ("403 Forbidden", "", "inconclusive"),
        ("503 Ill", "", "inconclusive"),
    ])
    func `an error is no figure, and no figures are a reading that says nothing`(status: String, body: String, expected: String) async {
        let (_, gateway, _) = answering(status, body)
        #expect(await CallResult.usage(gateway, "sk-one") == expected)
    }

    // MARK: Retry-After

    @Test(arguments: [("429 Too Many", 0), ("503 Ill", nil), ("500 Oops", nil)] as [(String, TimeInterval?)])
    func `too many without a time is a pause without a length, and other trouble is none`(status: String, seconds: TimeInterval?) async {
        let (_, gateway, _) = answering(status, "")
        #expect(await gateway.listError() == .inconclusive("it answered \(status.prefix(3))", retryAfter: seconds))
        #expect(await gateway.revokeError("key_1")?.retryAfter == seconds)
        #expect(await gateway.probeError()?.retryAfter == seconds)
        #expect(await gateway.usageError()?.retryAfter == seconds)
    }

    @Test(
        arguments: [
            (["Retry-After: 7"], 7), (["Retry-After: 0"], 0), (["Retry-After: 1.5"], 1.5), (["Retry-After: -5"], 0),
            (["Retry-After: soon"], nil), ([], nil),
            (["Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Sun, 06 Nov 1994 08:51:37 GMT"], 120),
            (["Date: Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After: Sun, 06 Nov 1994 08:00:00 GMT"], 0), (["Retry-After: inf"], nil),
            (["Retry-After: nan"], nil), (["Retry-After: 0x10"], nil), (["Retry-After: 1e9"], nil),
            (["Retry-After: 99999999999999999999"], 1e20), (["Retry-After: \(String(repeating: "9", count: 400))"], nil),
        ] as [([String], Double?)])
    func `retry-after in seconds, or as a date by the gateway's own clock`(headers: [String], seconds: Double?) async {
        let (_, gateway, _) = answering("503 Ill", headers: headers, "")
        #expect(await gateway.listError()?.retryAfter == seconds)
    }
}
