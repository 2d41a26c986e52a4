import Foundation
import KeyturnCore
import KeyturnEngine
import Testing

@testable import KeyturnAdapters

/// Over the wire, against a server of raw sockets.
@Suite(.timeLimit(.minutes(2))) struct WebhookTests {
    private static func message(_ sentence: String = "t is stuck: sk-abcdefgh12345678\n\u{202E}x") -> Message {
        let finding = Finding(
            code: .tokenStuck, severity: .error, token: TokenName("t"), environment: "prod", sentence: sentence, help: "h")
        let notice = Notice(number: 3, finding: finding, openedAt: Date(timeIntervalSince1970: 1_796_040_000))
        return Message(id: "finding.3.abcd", at: Date(timeIntervalSince1970: 1_796_040_060), items: [Owed.Item(notice, .opened)])
    }

    /// What the courier makes of an answer, and what it had sent.
    private func handed(_ answer: String, secret: String? = nil) async throws -> (outcome: CourierError?, sent: WireRequest?) {
        let server = WireServer { connection in
            guard connection.next() != nil else { return }
            connection.write(answer)
        }
        let http = HTTPClient()
        let settings = WebhookSettings(url: server.url("/hook?x=1"), severity: .warning, secret: secret.map { _ in .environment("S") })
        let courier = WebhookCourier(settings, http: http) { _ throws(SecretReader.Failure) -> Secret in Secret(secret ?? "") }
        do throws(CourierError) {
            try await courier.hand(over: Self.message())
            http.shutdown()
            return (nil, await server.requests().first)
        } catch {
            http.shutdown()
            return (error, await server.requests().first)
        }
    }

    private static func answer(_ status: String, _ headers: String = "", _ body: String = "") -> String {
        "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }

    @Test func `a signed POST of JSON with stable keys and no secret`() async throws {
        let (outcome, sent) = try await handed(Self.answer("204 No Content"), secret: "a secret")
        #expect(outcome == nil)
        let request = try #require(sent)
        #expect(request.head.hasPrefix("POST /hook?x=1 HTTP/1.1\r\n"))
        #expect(request.header("x-keyturn-delivery") == "finding.3.abcd")
        let timestamp = try #require(request.header("x-keyturn-timestamp"))
        let signature = WebhookCourier.signature(of: request.body, at: timestamp, by: Secret("a secret"))
        #expect(request.header("x-keyturn-signature") == signature)
        let body = try #require(try JSONSerialization.jsonObject(with: Data(request.body)) as? [String: Any])
        #expect(Set(body.keys) == ["at", "delivery", "findings", "host", "open", "test"])
        let finding = try #require((body["findings"] as? [[String: Any]])?.first)
        #expect(
            Set(finding.keys) == [
                "closed_at", "code", "environment", "event", "help", "number", "opened_at", "sentence", "severity", "subject", "token",
            ])
        #expect(finding["sentence"] as? String == "t is stuck: [hidden]\\n\\u{202E}x")
        #expect(finding["event"] as? String == "opened")
    }

    @Test func `a signature is HMAC-SHA-256 over timestamp, dot and body`() {
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac key
        #expect(WebhookCourier.signature(of: Array("{}".utf8), at: "1700000000", by: Secret("key")) == Self.known)
    }

    private static let known = "sha256=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"

    @Test(arguments: [
        ("200 OK", ""), ("201 Created", ""), ("302 Found", "Location: http://127.0.0.1:9/\r\n"), ("404 Not Found", ""),
        ("429 Slow", "Retry-After: 77\r\n"),
        ("503 Busy", ""), ("408 Timeout", ""),
    ])
    func `what an answer means`(status: String, headers: String) async throws {
        let outcome = try await handed(Self.answer(status, headers, "<html>garbage \u{0}")).outcome
        switch status.prefix(3) {
        case "200", "201": #expect(outcome == nil)
        case "302", "404": #expect({ if case .refused = outcome { true } else { false } }(), "\(String(describing: outcome))")
        case "429": #expect({ if case .unreachable(_, 77) = outcome { true } else { false } }(), "\(String(describing: outcome))")
        case "408": #expect({ if case .unreachable = outcome { true } else { false } }())
        default: #expect({ if case .unclear = outcome { true } else { false } }())
        }
    }

    @Test func `an answer without an end or a sense may mean anything`() async throws {
        for answer in ["", "garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"] {
            let outcome = try await handed(answer).outcome
            #expect({ if case .unclear = outcome { true } else { false } }(), "\(answer): \(String(describing: outcome))")
        }
    }

    @Test func `its name shows the host and not the path, which may be a password`() {
        let http = HTTPClient()
        defer { http.shutdown() }
        let courier = WebhookCourier(WebhookSettings(url: "https://hooks.example.com/T0/B0/password", severity: .error), http: http) {
            _ throws(SecretReader.Failure) -> Secret in Secret("")
        }
        #expect(courier.name.hasPrefix("webhook hooks.example.com (") && !courier.name.contains("password"))
    }
}
