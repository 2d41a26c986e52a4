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
    let host: HostKey
    private let belongs: @Sendable () throws -> String?
    private let claim: @Sendable (String) throws -> Void

    /// `sealKey`: the bytes of the credential `keyring-key`. `belongs` and `claim` read and set the journal's note of which
    /// keyring is its own.
    package init(
        path: String, sealKey: borrowing Secret?, belongs: @escaping @Sendable () throws -> String?,
        claim: @escaping @Sendable (String) throws -> Void
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

    /// Makes an empty keyring where the journal has never known one; a journal that has is never given a new one. Records
    /// beside a journal that never knew a keyring are what is left of a lost journal: the tokens they open would be
    /// forgotten.
    package func found() throws(KeyringError) {
        do {
            if try belongs() == nil {
                try SecretFile.makeFolder(path)
                let count = try records().count
                guard count == 0 else {
                    throw KeyringError(
                        "the keyring \(path) holds \(count) secrets of a journal that is gone: restore journal.db, or move that folder away to begin anew"
                    )
                }
                try host.makeIfMissing()
                try claim(try host.identity())
            }
        } catch let error as KeyringError { throw error } catch { throw KeyringError("keyring \(path): \(error)") }
    }

    package func check() throws(KeyringError) {
        try checkIdentity()
        try checkSeal()
    }

    private func checkIdentity() throws(KeyringError) {
        let known: String?
        do { known = try belongs() } catch { throw KeyringError("\(error)") }
        guard let known else { throw KeyringError("the keyring \(path) was never set up") }
        guard SecretFile.exists(path) else { throw KeyringError("the keyring \(path) is missing") }
        guard try host.identity() == known else {
            throw KeyringError("the keyring \(path) belongs to another journal: its host.key is not the one this journal knows")
        }
    }

    /// Sealed records of which none can be opened make the keyring unknown; a single one that is damaged is its token's trouble.
    private func checkSeal() throws(KeyringError) {
        var failure: KeyringError?
        for (name, file) in try records() {
            guard var bytes = try? SecretFile.read(file) else { continue }
            defer { SecretFile.wipe(&bytes) }
            guard Seal.isSealed(bytes) else { continue }
            do throws(KeyringError) {
                var plain = try unseal(bytes, name, file)
                SecretFile.wipe(&plain)
                return
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    private func unseal(_ bytes: [UInt8], _ name: String, _ file: String) throws(KeyringError) -> [UInt8] {
        guard let seal else {
            throw KeyringError("\(file) is sealed and the credential keyring-key is not given: add it to the unit, and restart")
        }
        return try seal.open(bytes, for: name, file)
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

    /// Bytes: the longest secret a gateway may give, written as JSON, its name, and the seal.
    private static let longestRecord = 16384

    package func reserve(_ name: String, of gateway: GatewayName) throws(KeyringError) {
        try SecretFile.reserve(try file(name, gateway) + ".new", bytes: KeyringFolder.longestRecord)
    }

    package func release(_ name: String, of gateway: GatewayName) throws(KeyringError) {
        // A process that died while it kept a secret may have left it there.
        try SecretFile.overwriteAndRemove(try file(name, gateway) + ".new")
    }

    package func put(_ name: String, of gateway: GatewayName, id: KeyID?, secret: borrowing Secret) throws(KeyringError) {
        guard let text = secret.withBytes({ span in unsafe span.withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) } }) else {
            throw KeyringError("the secret of \(name) is no text")
        }
        let record = Record(gateway: gateway.text, name: name, id: id?.text, secret: text)
        var bytes: [UInt8]
        do { bytes = Array(try JSONEncoder().encode(record)) } catch {
            throw KeyringError("keyring \(path): \(name) cannot be written down")
        }
        defer { SecretFile.wipe(&bytes) }
        let file = try file(name, gateway)
        try SecretFile.write(try seal?.close(bytes, for: name) ?? bytes, to: file)
    }

    package func secret(_ name: String, of gateway: GatewayName) throws(KeyringError) -> Secret? {
        guard let record = try record(name, gateway) else { return nil }
        return Secret(record.secret)
    }

    package func id(_ name: String, of gateway: GatewayName) throws(KeyringError) -> KeyID? {
        try record(name, gateway)?.id.map(KeyID.init)
    }

    package func names(of gateway: GatewayName) throws(KeyringError) -> Set<String> {
        try checkIdentity()
        return Set(try records(of: gateway.text).map(\.name))
    }

    /// Name and file of every record, of one gateway or of all.
    private func records(of gateway: String? = nil) throws(KeyringError) -> [(name: String, file: String)] {
        try SecretFile.list(path).compactMap { file in
            let parts = file.split(separator: "~", maxSplits: 1)
            guard parts.count == 2, parts[1].hasSuffix(".key"), gateway.map({ parts[0] == $0 }) ?? true else { return nil }
            return (String(parts[1].dropLast(4)), "\(path)/\(file)")
        }
    }

    package func wipe(_ name: String, of gateway: GatewayName) throws(KeyringError) {
        let file = try file(name, gateway)
        try SecretFile.overwriteAndRemove(file)
        try SecretFile.overwriteAndRemove(file + ".new")
    }

    private func record(_ name: String, _ gateway: GatewayName) throws(KeyringError) -> Record? {
        let file = try file(name, gateway)
        guard var bytes = try SecretFile.read(file) else {
            // Missing from a whole keyring is an answer; missing with the keyring is not.
            try check()
            return nil
        }
        defer { SecretFile.wipe(&bytes) }
        if Seal.isSealed(bytes) { bytes = try unseal(bytes, name, file) }
        guard let record = try? JSONDecoder().decode(Record.self, from: Data(bytes)), record.name == name, record.gateway == gateway.text
        else {
            throw KeyringError("\(file) is damaged: restore it from a backup, or remove it and the token is replaced")
        }
        return record
    }

    private func file(_ name: String, _ gateway: GatewayName) throws(KeyringError) -> String {
        let both = gateway.text + name
        guard !name.isEmpty, both.utf8.count < 200, both.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "/") }),
            !both.contains("~")
        else {
            throw KeyringError("'\(String(name.unicodeScalars.prefix(200)).oneLine)' is no name for a generation")
        }
        return "\(path)/\(gateway.text)~\(name).key"
    }
}
