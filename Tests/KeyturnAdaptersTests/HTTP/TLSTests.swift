import Foundation
import KeyturnAdapters
import KeyturnCore
import Testing

/// Against `openssl s_server` with a certificate made for the run.
@Suite(.timeLimit(.minutes(1)), .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
struct TLSTests {
    @Test func `a certificate of an unknown authority ends the request before it is sent`() async throws {
        let server = try TLSServer(name: "DNS:localhost")
        #expect(await isNotSent(HTTPClient(), HTTPRequest(.post, server.url)))
    }

    @Test func `a private authority is trusted when named`() async throws {
        let server = try TLSServer(name: "DNS:localhost")
        let response = try await HTTPClient(caFile: server.certificate).send(HTTPRequest(.get, server.url), bearer: Secret("sk-secret"))
        #expect(response.status == 200)
        #expect(!response.body.isEmpty)
    }

    @Test func `a certificate for another name ends the request before it is sent`() async throws {
        let server = try TLSServer(name: "DNS:elsewhere.invalid")
        #expect(await isNotSent(HTTPClient(caFile: server.certificate), HTTPRequest(.post, server.url)))
    }

    @Test func `a missing authority file ends the request before it is sent`() async throws {
        let server = try TLSServer(name: "DNS:localhost")
        #expect(await isNotSent(HTTPClient(caFile: "/nonexistent/ca.pem"), HTTPRequest(.post, server.url)))
    }
}

/// `openssl s_server -www` on a free port, killed when this value ends.
final class TLSServer {
    let certificate: String
    let url: String
    private let folder: URL
    private let process = Process()

    init(name: String) throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "keyturn-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        certificate = folder.appending(path: "cert.pem").path
        let key = folder.appending(path: "key.pem").path
        _ = try shell(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=keyturn -addext subjectAltName=\(name) -keyout \(key) -out \(certificate) 2>/dev/null"
        )
        let output = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/openssl")
        process.arguments = ["s_server", "-www", "-accept", "127.0.0.1:0", "-key", key, "-cert", certificate]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        // It says "ACCEPT 127.0.0.1:PORT" when it is ready.
        var said = ""
        while said.firstMatch(of: /ACCEPT 127\.0\.0\.1:(\d+)\n/) == nil {
            let more = output.fileHandleForReading.availableData
            try #require(!more.isEmpty, "openssl s_server does not start: \(said)")
            said += String(decoding: more, as: UTF8.self)
        }
        url = "https://localhost:\(said.firstMatch(of: /ACCEPT 127\.0\.0\.1:(\d+)\n/)!.1)/"
    }

    deinit {
        process.terminate()
        try? FileManager.default.removeItem(at: folder)
    }
}
