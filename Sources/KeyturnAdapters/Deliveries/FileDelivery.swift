import KeyturnCore
import KeyturnEngine

/// The content of a file in one format, seen for the one secret in it: every other byte stays.
protocol SecretText {
    /// Whatever stands in the secret's place, oftener than once where a consumer may read any of it.
    var values: [[UInt8]] { get throws }

    /// The content with `value` in the secret's place, which is made where there is none.
    func setting(_ value: [UInt8]) throws -> [UInt8]

    /// The content without a secret; nil when nothing else is in it.
    func removing() throws -> [UInt8]?
}

/// A target whose format can tell where in the file the secret stands: all but `template`.
struct FileDelivery: Delivery {
    private let file: AtomicFile
    private let text: @Sendable ([UInt8]) throws -> any SecretText

    /// - Parameter text: reads a content. What it or the text throws completes "FILE: ...".
    init(_ target: TargetPolicy, reading text: @escaping @Sendable ([UInt8]) throws -> any SecretText) {
        file = AtomicFile(target)
        self.text = text
    }

    func preflight() throws(DeliveryError) {
        try file.rehearse { old throws(DeliveryError) in try content(old, with: Secret.sample) }
    }

    func publish(_ secret: borrowing Secret) throws(DeliveryError) {
        let value = secret.plainBytes
        try file.rewrite { old throws(DeliveryError) in try content(old, with: value) }
    }

    func holds(_ secret: borrowing Secret) throws(DeliveryError) -> Bool {
        let values = try values()
        return !values.isEmpty && values.allSatisfy { Secret(bytes: $0).matches(secret) }
    }

    /// Of several the last: so do systemd and shells with the lines of a variable.
    func published() throws(DeliveryError) -> Secret? {
        guard let value = try values().last, !value.isEmpty else { return nil }
        return Secret(bytes: value)
    }

    func remove() throws(DeliveryError) {
        try file.rewrite { old throws(DeliveryError) in
            guard let old else { return nil }
            return try explained { try text(old).removing() }
        }
    }

    private func values() throws(DeliveryError) -> [[UInt8]] {
        let content = try file.read() ?? []
        return try explained { try text(content).values }
    }

    private func content(_ old: [UInt8]?, with value: [UInt8]) throws(DeliveryError) -> [UInt8] {
        try explained { try text(old ?? []).setting(value) }
    }

    private func explained<Result>(_ body: () throws -> Result) throws(DeliveryError) -> Result {
        do { return try body() } catch { throw DeliveryError("\(file.path): \(error)") }
    }
}
