package import KeyturnCore
package import KeyturnEngine

/// `dotenv`: the line of one variable; every other byte stays.
package struct DotenvFile: Delivery {
    private let file: AtomicFile
    private let key: String

    package init(_ target: TargetPolicy, key: String) {
        file = AtomicFile(target)
        self.key = key
    }

    package func preflight() throws(DeliveryError) {
        try file.rehearse { old throws(DeliveryError) in try content(old, with: Secret.sample) }
    }

    package func publish(_ secret: borrowing Secret) throws(DeliveryError) {
        let value = secret.plainBytes
        try file.rewrite { old throws(DeliveryError) in try content(old, with: value) }
    }

    package func holds(_ secret: borrowing Secret) throws(DeliveryError) -> Bool {
        let values = try text(try file.read() ?? []).values
        return !values.isEmpty && values.allSatisfy { Secret(bytes: $0).matches(secret) }
    }

    /// Of several lines the last: so do systemd and shells.
    package func published() throws(DeliveryError) -> Secret? {
        guard let value = try text(try file.read() ?? []).values.last, !value.isEmpty else { return nil }
        return Secret(bytes: value)
    }

    package func remove() throws(DeliveryError) {
        try file.rewrite { old throws(DeliveryError) in
            guard let old else { return nil }
            let text = try text(old)
            let rest = text.removing()
            return text.values.isEmpty || !rest.isBlankText ? rest : nil
        }
    }

    private func content(_ old: [UInt8]?, with value: [UInt8]) throws(DeliveryError) -> [UInt8] {
        let text = try text(old ?? [])
        do { return try text.setting(value) } catch { throw DeliveryError("\(file.path): \(error)") }
    }

    private func text(_ bytes: [UInt8]) throws(DeliveryError) -> DotenvText {
        do { return try DotenvText(bytes, key: key) } catch { throw DeliveryError("\(file.path): \(error)") }
    }
}
