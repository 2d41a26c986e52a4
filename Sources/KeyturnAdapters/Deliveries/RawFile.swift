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
