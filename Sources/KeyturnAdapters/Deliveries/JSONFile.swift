package import KeyturnCore
package import KeyturnEngine

/// `json`: one string by its JSON Pointer; every other byte stays.
package struct JSONFile: Delivery {
    private let file: AtomicFile
    private let pointer: String

    package init(_ target: TargetPolicy, pointer: String) {
        file = AtomicFile(target)
        self.pointer = pointer
    }

    package func preflight() throws(DeliveryError) {
        try file.rehearse { old throws(DeliveryError) in try content(old, with: Secret.sample) }
    }

    package func publish(_ secret: borrowing Secret) throws(DeliveryError) {
        let value = secret.plainBytes
        try file.rewrite { old throws(DeliveryError) in try content(old, with: value) }
    }

    package func holds(_ secret: borrowing Secret) throws(DeliveryError) -> Bool {
        guard let value = try value() else { return false }
        return Secret(bytes: value).matches(secret)
    }

    package func published() throws(DeliveryError) -> Secret? {
        guard let value = try value(), !value.isEmpty else { return nil }
        return Secret(bytes: value)
    }

    package func remove() throws(DeliveryError) {
        try file.rewrite { old throws(DeliveryError) in
            guard let old else { return nil }
            return try explained { () throws(JSONText.Problem) in try JSONText(old, pointer: pointer).removing() }
        }
    }

    private func value() throws(DeliveryError) -> [UInt8]? {
        let content = try file.read() ?? []
        return try explained { () throws(JSONText.Problem) in try JSONText(content, pointer: pointer).value() }
    }

    private func content(_ old: [UInt8]?, with value: [UInt8]) throws(DeliveryError) -> [UInt8] {
        try explained { () throws(JSONText.Problem) in try JSONText(old ?? [], pointer: pointer).setting(value) }
    }

    private func explained<Result>(_ body: () throws(JSONText.Problem) -> Result) throws(DeliveryError) -> Result {
        do { return try body() } catch { throw DeliveryError("\(file.path): \(error)") }
    }
}
