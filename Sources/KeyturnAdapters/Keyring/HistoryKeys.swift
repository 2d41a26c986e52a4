import Crypto
import Foundation
package import KeyturnEngine

/// The keys of the history, 32 random bytes each, in the keyring's folder: `history.key` in use, and `history-ID.key` for each that
/// it replaced, so that what they sealed can still be proven.
package struct HistoryKeys: Sendable {
    private struct Key: Sendable {
        let id: String
        let key: SymmetricKey

        init(_ bytes: [UInt8]) {
            key = SymmetricKey(data: bytes)
            let code = HMAC<SHA256>.authenticationCode(for: Data("keyturn history key".utf8), using: key)
            id = code.prefix(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        }
    }

    private let keys: [String: Key]
    /// Of the key in use; nil where there is none.
    package let current: String?

    /// Ids of the others.
    package var retired: Set<String> { Set(keys.keys).subtracting([current].compactMap(\.self)) }

    private static func path(_ folder: String) -> String { folder + "/history.key" }

    /// What is there. A retired key counts under the id that its bytes have, whatever its file says.
    package init(in folder: String) throws(KeyringError) {
        var keys: [String: Key] = [:]
        let current = try HistoryKeys.read(HistoryKeys.path(folder))
        if let current { keys[current.id] = current }
        for name in SecretFile.exists(folder) ? try SecretFile.list(folder) : []
        where name.hasPrefix("history-") && name.hasSuffix(".key") {
            if let key = try HistoryKeys.read("\(folder)/\(name)") { keys[key.id] = key }
        }
        self.keys = keys
        self.current = current?.id
    }

    private static func read(_ path: String) throws(KeyringError) -> Key? {
        guard var bytes = try SecretFile.read(path) else { return nil }
        defer { SecretFile.wipe(&bytes) }
        guard bytes.count == 32 else {
            throw KeyringError(
                "\(path) is damaged: restore it from a backup; if it is lost, move it away, and `keyturn history --verify --accept-loss "
                    + "REASON` goes on with a new one")
        }
        return Key(bytes)
    }

    /// Makes a key where none is in use, and says what is there then.
    ///
    /// - Parameter before: done with the new key before it is kept: who dies in between has no key.
    package static func make(in folder: String, before: (HistoryKeys) throws -> Void) throws -> HistoryKeys {
        let known = try HistoryKeys(in: folder)
        guard known.current == nil else { return known }
        var bytes = unsafe SymmetricKey(size: .bits256).withUnsafeBytes { unsafe Array($0) }
        defer { SecretFile.wipe(&bytes) }
        try before(HistoryKeys(known, adding: Key(bytes)))
        try SecretFile.writeFirst(bytes, to: path(folder))
        return try HistoryKeys(in: folder)
    }

    private init(_ others: HistoryKeys, adding key: Key) {
        var keys = others.keys
        keys[key.id] = key
        self.keys = keys
        current = key.id
    }

    /// HMAC-SHA-256; nil for a key that is not here.
    package func code(_ id: String, _ bytes: [UInt8]) -> [UInt8]? {
        keys[id].map { Array(HMAC<SHA256>.authenticationCode(for: bytes, using: $0.key)) }
    }
}
