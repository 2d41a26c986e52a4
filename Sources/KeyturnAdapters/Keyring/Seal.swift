import Crypto
import Foundation
import KeyturnCore
import KeyturnEngine

/// AES-GCM over a record of the keyring; the record's name is authenticated with it, so that two files cannot be swapped.
struct Seal: Sendable {
    private static let mark = Array("keyturn-sealed-1\n".utf8)
    private let key: SymmetricKey

    init(keyedBy secret: borrowing Secret?) throws(KeyringError) {
        var derived: SymmetricKey?
        switch secret {
        case .none: break
        case .some(let secret):
            guard secret.count >= 16 else { throw KeyringError("the credential keyring-key is shorter than 16 bytes") }
            secret.withBytes { span in
                let material = unsafe span.withUnsafeBytes { unsafe SymmetricKey(data: $0) }
                derived = HKDF<SHA256>.deriveKey(inputKeyMaterial: material, info: Data("keyturn keyring".utf8), outputByteCount: 32)
            }
        }
        guard let derived else { throw KeyringError("no credential keyring-key") }
        key = derived
    }

    static func isSealed(_ bytes: [UInt8]) -> Bool { bytes.starts(with: mark) }

    func close(_ bytes: [UInt8], for name: String) throws(KeyringError) -> [UInt8] {
        guard let box = try? AES.GCM.seal(bytes, using: key, authenticating: Data(name.utf8)), let combined = box.combined else {
            throw KeyringError("the record of \(name) cannot be sealed")
        }
        return Seal.mark + combined
    }

    func open(_ bytes: [UInt8], for name: String, _ file: String) throws(KeyringError) -> [UInt8] {
        guard let box = try? AES.GCM.SealedBox(combined: bytes.dropFirst(Seal.mark.count)),
            let plain = try? AES.GCM.open(box, using: key, authenticating: Data(name.utf8))
        else { throw KeyringError("\(file) cannot be unsealed: the credential keyring-key is another one, or the file was changed") }
        return Array(plain)
    }
}

/// The host's own key: 32 random bytes that make fingerprints comparable on this host and meaningless elsewhere.
struct HostKey: Sendable {
    let path: String

    func makeIfMissing() throws(KeyringError) {
        guard try SecretFile.read(path) == nil else { return }
        var bytes = unsafe SymmetricKey(size: .bits256).withUnsafeBytes { unsafe Array($0) }
        defer { SecretFile.wipe(&bytes) }
        try SecretFile.writeFirst(bytes, to: path)
    }

    private func key() throws(KeyringError) -> SymmetricKey {
        guard var bytes = try SecretFile.read(path) else {
            throw KeyringError("\(path) is missing: the keyring is not the one this journal knows; restore it from a backup")
        }
        defer { SecretFile.wipe(&bytes) }
        guard bytes.count == 32 else { throw KeyringError("\(path) is damaged: restore it from a backup") }
        return SymmetricKey(data: bytes)
    }

    /// Tells keyrings apart without telling the key.
    func identity() throws(KeyringError) -> String {
        Self.hex(HMAC<SHA256>.authenticationCode(for: Data("keyring identity".utf8), using: try key()))
    }

    func fingerprint(_ secret: borrowing Secret) throws(KeyringError) -> String {
        let key = try key()
        let code = secret.withBytes { span in unsafe span.withUnsafeBytes { unsafe HMAC<SHA256>.authenticationCode(for: $0, using: key) } }
        return String(Self.hex(code).prefix(12))
    }

    func fingerprinter() throws(KeyringError) -> Fingerprinter { Fingerprinter(try key()) }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { byte in
            let digits = Array("0123456789abcdef")
            return String([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
        }.joined()
    }
}
