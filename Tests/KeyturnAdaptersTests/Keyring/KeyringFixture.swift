import Foundation
import Glibc
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Synchronization

/// A keyring in a folder of the test's own, with what a journal would remember of it.
final class KeyringFixture: Sendable {
    let folder: TestFolder
    private let claimed = Mutex<String?>(nil)

    init() throws { folder = try TestFolder() }

    static let gateway = GatewayName("laozhang")
    static let host = "a host's own key of some length"

    var path: String { folder["keys"] }

    /// As the journal knows it; `sealKey` is the credential.
    func open(_ sealKey: String? = nil, at path: String? = nil) throws(KeyringError) -> KeyringFolder {
        let belongs: @Sendable () -> String? = { self.claimed.withLock { $0 } }
        let claim: @Sendable (String) -> Void = { identity in self.claimed.withLock { $0 = $0 ?? identity } }
        guard let sealKey else { return try KeyringFolder(path: path ?? self.path, sealKey: nil, belongs: belongs, claim: claim) }
        return try KeyringFolder(path: path ?? self.path, sealKey: Secret(sealKey), belongs: belongs, claim: claim)
    }

    func founded(_ sealKey: String? = nil) throws(KeyringError) -> KeyringFolder {
        let keyring = try open(sealKey)
        try keyring.found()
        return keyring
    }

    func forget() { claimed.withLock { $0 = nil } }

    func file(_ name: String) -> String { "\(path)/\(Self.gateway.text)~\(name).key" }

    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

extension KeyringFolder {
    func put(_ name: String, _ secret: String, id: String? = nil) throws(KeyringError) {
        try put(name, of: KeyringFixture.gateway, id: id.map(KeyID.init), secret: Secret(secret))
    }

    func text(_ name: String, of gateway: GatewayName = KeyringFixture.gateway) throws(KeyringError) -> String? {
        switch try secret(name, of: gateway) {
        case let secret?: secret.withBytes { span in String(decoding: (0..<span.byteCount).map { span.byte(at: $0) }, as: UTF8.self) }
        case nil: nil
        }
    }

    /// What an error says; nil when none is thrown.
    func complaint(_ body: (KeyringFolder) throws -> Void) -> String? {
        do {
            try body(self)
            return nil
        } catch {
            return "\(error)"
        }
    }
}
