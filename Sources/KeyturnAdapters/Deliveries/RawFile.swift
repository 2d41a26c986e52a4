package import KeyturnCore
package import KeyturnEngine

/// `raw`: the file is the secret, with no line end, and nothing else.
package struct RawFile: Delivery {
    private let file: AtomicFile

    package init(_ target: TargetPolicy) { file = AtomicFile(target) }

    package func preflight() throws(DeliveryError) {
        try file.rehearse { _ in Secret.sample }
    }

    package func publish(_ secret: borrowing Secret) throws(DeliveryError) {
        let bytes = secret.plainBytes
        try file.rewrite { _ in bytes }
    }

    package func holds(_ secret: borrowing Secret) throws(DeliveryError) -> Bool {
        guard let content = try file.read() else { return false }
        return Secret(bytes: content).matches(secret)
    }

    package func published() throws(DeliveryError) -> Secret? {
        guard let content = try file.read(), !content.isEmpty else { return nil }
        return Secret(bytes: content)
    }

    package func remove() throws(DeliveryError) {
        try file.rewrite { _ in nil }
    }
}

extension Secret {
    /// A copy to write; how long it lives is out of this type's hands.
    var plainBytes: [UInt8] {
        withBytes { span in unsafe span.withUnsafeBytes { unsafe Array($0) } }
    }

    /// Stands for a secret while `preflight` rehearses.
    static let sample = [UInt8](repeating: UInt8(ascii: "x"), count: 64)
}
