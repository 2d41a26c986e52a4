import Foundation
import Glibc
package import KeyturnCore
package import KeyturnEngine

/// The keyring as a folder, one file a generation (0600, in a folder 0700), sealed where the host has a key for that.
///
/// `host.key` in it is the host's own key: it makes fingerprints, and its own fingerprint, kept in the journal, tells
/// this keyring from any other. A folder without it, or with another one, is an unknown keyring, not an empty one.
package struct KeyringFolder: Keyring {
    package let path: String
    private let seal: Seal?
    private let host: HostKey
    private let belongs: @Sendable () throws -> String?
    private let claim: @Sendable (String) throws -> Void

    /// `sealKey`: the bytes of the credential `keyring-key`. `belongs` and `claim` read and set the journal's note of which
    /// keyring is its own.
    package init(
        path: String, sealKey: borrowing Secret?, belongs: @escaping @Sendable () throws -> String?, claim: @escaping @Sendable (String) throws -> Void
    ) throws(KeyringError) {
        self.path = path
        self.belongs = belongs
        self.claim = claim
        seal = try sealKey == nil ? nil : Seal(keyedBy: sealKey)
        host = HostKey(path: path + "/host.key")
    }

    /// A keyring that no journal knows: nothing can be done with it.
    package init(path: String) throws(KeyringError) {
        try self.init(path: path, sealKey: nil, belongs: { nil }, claim: { _ in })
    }

    /// Makes an empty keyring where the journal has never known one; a journal that has is never given a new one.
    package func found() throws(KeyringError) {
        do {
            if try belongs() == nil {
                try SecretFile.makeFolder(path)
                try host.makeIfMissing()
                try claim(try host.identity())
            }
        } catch let error as KeyringError { throw error } catch { throw KeyringError("keyring \(path): \(error)") }
    }

    package func check() throws(KeyringError) {
        let known: String?
        do { known = try belongs() } catch { throw KeyringError("\(error)") }
        guard let known else { throw KeyringError("the keyring \(path) was never set up") }
        guard SecretFile.exists(path) else { throw KeyringError("the keyring \(path) is missing") }
        guard try host.identity() == known else { throw KeyringError("the keyring \(path) belongs to another journal: its host.key is not the one this journal knows") }
    }

    package func fingerprint(_ secret: borrowing Secret) throws(KeyringError) -> String { try host.fingerprint(secret) }

    // MARK: Records

    /// What a file holds, before it is sealed. Lives for the length of one call; its buffers are wiped as far as we own them.
    private struct Record: Codable {
        var gateway: String
        var name: String
        var id: String?
        var secret: String
    }

    package func reserve(_ name: String, of gateway: GatewayName) throws(KeyringError) {
        // Any record fits: the longest secret we take, its name, and the seal.
        try SecretFile.reserve(try file(name, gateway) + ".new", bytes: 16384)
    }

    package func release(_ name: String, of gateway: GatewayName) throws(KeyringError) {
        try SecretFile.remove(try file(name, gateway) + ".new")
    }

    package func put(_ name: String, of gateway: GatewayName, id: KeyID?, secret: borrowing Secret) throws(KeyringError) {
        let text = secret.withBytes { span in unsafe span.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) } }
        let record = Record(gateway: gateway.text, name: name, id: id?.text, secret: text)
        var bytes: [UInt8]
        do { bytes = Array(try JSONEncoder().encode(record)) } catch { throw KeyringError("keyring \(path): \(name) cannot be written down") }
        defer { SecretFile.wipe(&bytes) }
        if let seal { bytes = try seal.close(bytes, for: name) }
        try SecretFile.write(bytes, to: try file(name, gateway))
    }

    package func secret(_ name: String, of gateway: GatewayName) throws(KeyringError) -> Secret? {
        guard let record = try record(name, gateway) else { return nil }
        return Secret(record.secret)
    }

    package func id(_ name: String, of gateway: GatewayName) throws(KeyringError) -> KeyID? {
        try record(name, gateway)?.id.map(KeyID.init)
    }

    package func names(of gateway: GatewayName) throws(KeyringError) -> Set<String> {
        let beginning = gateway.text + "~"
        let names: [String] = try SecretFile.list(path).compactMap { file -> String? in
            guard file.hasPrefix(beginning), file.hasSuffix(".key") else { return nil }
            return String(file.dropFirst(beginning.count).dropLast(4))
        }
        return Set(names)
    }

    package func wipe(_ name: String, of gateway: GatewayName) throws(KeyringError) {
        try SecretFile.overwriteAndRemove(try file(name, gateway))
    }

    private func record(_ name: String, _ gateway: GatewayName) throws(KeyringError) -> Record? {
        let file = try file(name, gateway)
        guard var bytes = try SecretFile.read(file) else {
            // Missing from a whole keyring is an answer; missing with the keyring is not.
            try check()
            return nil
        }
        defer { SecretFile.wipe(&bytes) }
        if Seal.isSealed(bytes) {
            guard let seal else { throw KeyringError("\(file) is sealed and the credential keyring-key is not given: add it to the unit, and restart") }
            bytes = try seal.open(bytes, for: name, file)
        }
        guard let record = try? JSONDecoder().decode(Record.self, from: Data(bytes)), record.name == name, record.gateway == gateway.text else {
            throw KeyringError("\(file) is damaged: restore it from a backup, or remove it and the token is replaced")
        }
        return record
    }

    private func file(_ name: String, _ gateway: GatewayName) throws(KeyringError) -> String {
        let both = gateway.text + name
        guard !name.isEmpty, both.utf8.count < 200, both.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }), !both.contains("~") else {
            throw KeyringError("'\(name)' is no name for a generation")
        }
        return "\(path)/\(gateway.text)~\(name).key"
    }
}
