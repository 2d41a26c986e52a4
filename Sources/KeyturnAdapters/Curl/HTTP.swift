import CCurl
package import Foundation
package import KeyturnCore

/// One request, complete before it is sent: there is no streaming and no state between requests.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable { case get = "GET", post = "POST", delete = "DELETE" }

    package var method: Method
    /// `http` or `https`, printable ASCII, without user or password. Anything else is refused before it is sent.
    package var url: String
    /// Sent as they are, save those that frame a message (`HeaderLines.framing`). A value with a control byte is refused.
    package var headers: [String: String]
    package var body: [UInt8]?
    /// From the call to the last byte of the answer, name resolution and TLS included.
    package var timeout: Duration
    /// Bytes of the answer's body, counted after decompression. A longer answer is `HTTPFailure.lost`.
    package var maximumBody: Int
    /// True for what must never be sent twice: a connection that is new and used once.
    ///
    /// libcurl sends a request again, a POST too, when a *reused* connection dies before the first byte of the answer. On
    /// a connection of its own there is nothing to repeat. That is the default for everything but GET; it costs one
    /// handshake. A proxy in between may have habits of its own.
    package var isolated: Bool

    package init(
        _ method: Method,
        _ url: String,
        headers: [String: String] = [:],
        body: [UInt8]? = nil,
        timeout: Duration = .seconds(30),
        maximumBody: Int = 4 << 20,
        isolated: Bool? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.maximumBody = maximumBody
        self.isolated = isolated ?? (method != .get)
    }
}

/// A complete answer of any status, redirects included: none is followed. Its text is the server's, and may be hostile.
package struct HTTPResponse: Sendable {
    /// One header line, its name in lower case.
    package struct Header: Sendable, Equatable {
        package let name: String
        package let value: String

        package init(name: String, value: String) {
            self.name = name.lowercased()
            self.value = value
        }
    }

    package let status: Int
    /// In the order received; a name may come more than once.
    package let headers: [Header]
    /// Decompressed, so `content-length` and `content-encoding` may not describe it.
    package private(set) var body: [UInt8]

    package init(status: Int, headers: [Header], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first value under `name`, whatever its case.
    package func header(_ name: String) -> String? {
        let name = name.lowercased()
        return headers.first { $0.name == name }?.value
    }

    /// The gateway's clock as it answered, to the second (RFC 9110 section 6.6.1); nil when absent or not a date.
    package var date: Date? {
        guard let value = header("date") else { return nil }
        let seconds = unsafe curl_getdate(value, nil)
        return seconds < 0 ? nil : Date(timeIntervalSince1970: TimeInterval(seconds))
    }

    /// Overwrites the body, for an answer that held a secret.
    ///
    /// It reaches this buffer if no other copy of the response shares it. The buffers this client received into are wiped
    /// without being asked; those inside libcurl, the TLS library and the kernel are beyond reach.
    package mutating func wipe() {
        unsafe body.withUnsafeMutableBytes { unsafe Secret.wipe($0) }
        body = []
    }
}

/// Why there is no answer, in the two kinds that matter: may the request have had an effect or not?
package enum HTTPFailure: Error, Sendable, Equatable {
    /// The server did not get the request: refused here, or name, connection or TLS handshake failed, or cancelled before that.
    case notSent(String)
    /// The request may have arrived and been acted on; its answer is unknown, incomplete or larger than allowed.
    case lost(String)
}

/// The only way to speak HTTP: libcurl, which nothing outside of this folder knows, behind one `async` function.
///
/// HTTP/1.1 over TCP or TLS, verified against the system's authorities; no redirects, cookies, HSTS cache or netrc; idle
/// connections are kept and reused, save for isolated requests. Proxies come from the environment as curl reads it
/// (`http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`), but loopback is always direct. Requests in flight are not
/// limited; a caller limits itself.
///
/// The client owns one thread, which sleeps while nothing is in flight. It ends, with all connections, on `shutdown()` or
/// when the last reference to the client goes; a request keeps its client alive.
package final class HTTPClient: Sendable {
    private let loop: CurlLoop

    /// - Parameters:
    ///   - caFile: PEM file of the authorities to trust *instead of* the system's, for a private CA. Read at each connection:
    ///     a missing one makes requests fail as not sent.
    ///   - connectTimeout: limit for name resolution, TCP and TLS together, within a request's own.
    package init(caFile: String? = nil, connectTimeout: Duration = .seconds(10)) {
        loop = CurlLoop(CurlSettings(caFile: caFile, connectTimeout: connectTimeout))
    }

    deinit {
        loop.stop()
    }

    /// Cancelling the task cancels the request: `notSent` if that was in time, else `lost`.
    package func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
        try await loop.perform(CurlCall(request, try HeaderLines(for: request)))
    }

    /// As `send(_:)`, with `Authorization: Bearer` and the token, which is written to C memory only and wiped at the end. The
    /// copy that libcurl makes to send is beyond reach.
    package func send(_ request: HTTPRequest, bearer: borrowing Secret) async throws(HTTPFailure) -> HTTPResponse {
        var lines = try HeaderLines(for: request)
        try lines.authorize(bearer: bearer)
        return try await loop.perform(CurlCall(request, lines))
    }

    /// Ends every request in flight as cancelled, and the thread. Returns at once; later requests are `notSent`.
    package func shutdown() {
        loop.stop()
    }
}
