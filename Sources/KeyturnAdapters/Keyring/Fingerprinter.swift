import Crypto
package import KeyturnEngine

/// The host's key in memory, for who makes many fingerprints: HMAC-SHA-256, begun once and copied for each string.
package struct Fingerprinter: Sendable {
    private let begun: HMAC<SHA256>

    init(_ key: SymmetricKey) { begun = HMAC<SHA256>(key: key) }

    /// The first 48 bits of a string's HMAC, which the 12 hex digits of a fingerprint spell.
    package func number(of text: Span<UInt8>) -> UInt64 {
        var code = begun
        unsafe text.withUnsafeBytes { unsafe code.update(data: $0) }
        return code.finalize().prefix(6).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

extension KeyringFolder {
    /// Reads the host's key once.
    package func fingerprinter() throws(KeyringError) -> Fingerprinter { try host.fingerprinter() }
}
