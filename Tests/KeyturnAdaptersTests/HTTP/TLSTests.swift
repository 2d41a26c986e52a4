import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnTestHost
import Testing

/// Against `openssl s_server` with a certificate made for the run.
@Suite(.timeLimit(.minutes(5)), .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
struct TLSTests {
    @Test func `a certificate of an unknown authority ends the request before it is sent`() async throws {
        let server = try await TLSServer(name: "DNS:localhost")
        #expect(await isNotSent(HTTPClient(), HTTPRequest(.post, server.url)))
    }

    @Test func `a private authority is trusted when named`() async throws {
        let server = try await TLSServer(name: "DNS:localhost")
        let response = try await HTTPClient(caFile: server.certificate).send(HTTPRequest(.get, server.url), bearer: Secret("sk-secret"))
        #expect(response.status == 200)
        #expect(!response.body.isEmpty)
    }

    @Test func `a certificate for another name ends the request before it is sent`() async throws {
        let server = try await TLSServer(name: "DNS:elsewhere.invalid")
        #expect(await isNotSent(HTTPClient(caFile: server.certificate), HTTPRequest(.post, server.url)))
    }

    @Test func `a missing authority file ends the request before it is sent`() async throws {
        let server = try await TLSServer(name: "DNS:localhost")
        #expect(await isNotSent(HTTPClient(caFile: "/nonexistent/ca.pem"), HTTPRequest(.post, server.url)))
    }
}

/// `openssl s_server -www` on a free port, killed when this value ends.
final class TLSServer: Sendable {
    let certificate: String
    let url: String
    private let folder: URL
    private let process: Child

    init(name: String) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "keyturn-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        certificate = folder.appending(path: "cert.pem").path
        let key = folder.appending(path: "key.pem").path
        _ = try shell(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=keyturn -addext subjectAltName=\(name) -keyout \(key) -out \(certificate) 2>/dev/null"
        )
        let process = try Child(
            ["/usr/bin/openssl", "s_server", "-www", "-accept", "127.0.0.1:0", "-key", key, "-cert", certificate],
            output: folder.appending(path: "server").path)
        self.process = process
        try await until("openssl s_server says where it listens") {
            guard process.status == nil else { throw Unexpected("openssl s_server does not start: \(process.said)") }
            return TLSServer.port(in: process.written) != nil
        }
        url = "https://localhost:\(TLSServer.port(in: process.written) ?? 0)/"
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    private static func port(in text: String) -> Int? {
        text.firstMatch(of: /ACCEPT 127\.0\.0\.1:(\d+)\n/).flatMap { Int($0.1) }
    }
}
