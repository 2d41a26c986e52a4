import Foundation
import KeyturnTestHost

/// A real mail server on loopback, `Tests/mailhost.py`, and what it has accepted.
final class MailHost: Sendable {
    /// Debian's python3-aiosmtpd, which Debian's own Python finds, and msmtp. Why the tests are skipped; nil: they are not.
    static let missing: String? = {
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/msmtp") else { return "msmtp is not installed" }
        let probe = Process()
        probe.executableURL = URL(filePath: "/usr/bin/python3")
        probe.arguments = ["-c", "import aiosmtpd"]
        probe.standardError = FileHandle.nullDevice
        guard (try? probe.run()) != nil else { return "python3 is not installed" }
        probe.waitUntilExit()
        return probe.terminationStatus == 0 ? nil : "python3-aiosmtpd is not installed"
    }()

    /// One accepted message, as Python's parser of mail reads it.
    struct Letter: Decodable {
        var from: String
        var to: [String]
        var tls: Bool
        var login: Bool
        var headers: [String: String]
        /// Of all headers, in order and as often as they stand there.
        var names: [String]
        var text: String
        var html: String
        var defects: [String]
        var longest: Int
        var ascii: Bool
        var bare: Bool

        var id: String { headers["message-id"] ?? "" }
        var subject: String { headers["subject"] ?? "" }
    }

    let port: Int
    private let folder: String
    private let process: Child

    init(_ host: Host, _ arguments: String...) async throws {
        folder = host.path("mail-\(UUID().uuidString.prefix(6))")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../mailhost.py").standardized.path
        let process = try Child(["/usr/bin/python3", script, folder] + arguments, output: "\(folder)/server")
        self.process = process
        try await until("the mail server says where it listens") {
            guard process.status == nil else { throw Unexpected("the mail server does not start: \(process.said)") }
            return process.written.hasSuffix("\n")
        }
        port = Int(process.written.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    var letters: [Letter] {
        get throws {
            let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".eml") }.sorted()
            return try names.map { name in
                let facts = try Data(contentsOf: URL(filePath: "\(folder)/\(name.dropLast(4)).json"))
                return try JSONDecoder().decode(Letter.self, from: facts)
            }
        }
    }

    /// Answers with this instead of taking anything; nil: takes again.
    func refuse(_ answer: String?) throws {
        let file = "\(folder)/refuse"
        guard let answer else { return try FileManager.default.removeItem(atPath: file) }
        try Data(answer.utf8).write(to: URL(filePath: file))
    }

    func end() { process.send(9) }

    /// The settings' way to it by Debian's msmtp in the part of sendmail.
    func sendmail(_ host: Host) throws -> String {
        try host.write("account default\nhost 127.0.0.1\nport \(port)\ntimeout 5\n", to: ".msmtprc", mode: 0o600)
        return "mail: {from: keyturn@example.com, to: [ops@example.com, dev@example.com], sendmail: /usr/bin/msmtp}"
    }
}

/// A certificate for localhost, made for the run.
struct TestCertificate {
    let certificate: String
    let key: String

    init(_ host: Host) async throws {
        (certificate, key) = (host.path("cert.pem"), host.path("key.pem"))
        let openssl = try Child(
            [
                "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=keyturn", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate,
            ], output: host.path("output/openssl"))
        guard try await openssl.ended() == 0 else { throw Unexpected(openssl.said) }
    }
}
