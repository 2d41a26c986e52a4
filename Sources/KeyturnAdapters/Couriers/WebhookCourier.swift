import Crypto
import Foundation
package import KeyturnCore
package import KeyturnEngine

/// A POST of JSON to somebody's URL, signed where the settings have a secret for it.
package struct WebhookCourier: Courier {
    package let name: String
    package let severity: Severity
    private let settings: WebhookSettings
    private let http: HTTPClient
    private let read: @Sendable (SecretSource) throws(SecretReader.Failure) -> Secret

    package init(
        _ settings: WebhookSettings, http: HTTPClient, read: @escaping @Sendable (SecretSource) throws(SecretReader.Failure) -> Secret
    ) {
        // Many a hook's path is its password: only the host is shown, and what tells two hooks of one host apart.
        let host = URLComponents(string: settings.url)?.host ?? "?"
        name = "webhook \(host) (\(String(Spread.bits(settings.url) & 0xffff, radix: 16)))"
        severity = settings.severity
        self.settings = settings
        self.http = http
        self.read = read
    }

    package func hand(over message: Message) async throws(CourierError) {
        let body = WebhookBody(message).json
        let timestamp = String(Int64(Date().timeIntervalSince1970))
        var headers = [
            "Content-Type": "application/json", "X-Keyturn-Delivery": message.id, "X-Keyturn-Timestamp": timestamp,
        ]
        if let secret = settings.secret {
            do throws(SecretReader.Failure) {
                headers["X-Keyturn-Signature"] = WebhookCourier.signature(of: body, at: timestamp, by: try read(secret))
            } catch { throw .refused(error.description) }
        }
        let request = HTTPRequest(.post, settings.url, headers: headers, body: body, timeout: .seconds(30), maximumBody: 1 << 20)
        let response: HTTPResponse
        do throws(HTTPFailure) { response = try await http.send(request) } catch {
            switch error {
            case .notSent(let why): throw .unreachable(why.hidingKeys)
            case .lost(let why): throw .unclear(why.hidingKeys)
            }
        }
        try WebhookCourier.judge(response)
    }

    private static func judge(_ response: HTTPResponse) throws(CourierError) {
        let status = response.status
        switch status {
        case 200..<300: return
        case 300..<400: throw .refused("it answered \(status): redirects are not followed, name the URL that it leads to")
        case 408, 425: throw .unreachable("it answered \(status)")
        case 429:
            let seconds = response.header("retry-after").flatMap { TimeInterval($0) }.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
            throw .unreachable("it answered 429, too many requests", retryAfter: seconds)
        case 400..<500: throw .refused("it answered \(status)")
        // A proxy's 502 says nothing about what lies behind it.
        default: throw .unclear("it answered \(status)")
        }
    }

    /// `sha256=` and the hex digits of HMAC-SHA-256 over the timestamp, a dot and the body.
    package static func signature(of body: [UInt8], at timestamp: String, by secret: borrowing Secret) -> String {
        let key = secret.withBytes { span in unsafe span.withUnsafeBytes { unsafe SymmetricKey(data: $0) } }
        let code = HMAC<SHA256>.authenticationCode(for: Array("\(timestamp).".utf8) + body, using: key)
        return "sha256=" + code.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}
