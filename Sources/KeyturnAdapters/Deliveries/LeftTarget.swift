import KeyturnCore
import KeyturnEngine

/// A place that no policy names any more: where it lies and under which key is all that is left of its format.
struct LeftTarget {
    private let id: TargetID

    init(_ id: TargetID) { self.id = id }

    /// Under a key the value is compared; without one the file was the secret, or a text made around it: anywhere in it counts.
    func holds(_ secret: borrowing Secret) throws(DeliveryError) -> Bool {
        switch id.key {
        case nil: return try contains(secret)
        case let key?:
            // A JSON Pointer begins with a slash, and no variable's name does.
            let isPointer = key.isEmpty || key.hasPrefix("/")
            let format = isPointer ? Format.json(pointer: key) : .dotenv(key: key)
            let target = FileDelivery(TargetPolicy(file: id.file, format: format)) { (content) throws -> any SecretText in
                if isPointer { try JSONText(content, pointer: key) } else { try DotenvText(content, key: key) }
            }
            return try target.published()?.matches(secret) == true
        }
    }

    private func contains(_ secret: borrowing Secret) throws(DeliveryError) -> Bool {
        guard secret.count > 0, let content = try AtomicFile(TargetPolicy(file: id.file, format: .raw)).read() else { return false }
        return secret.withBytes { span in unsafe span.withUnsafeBytes { unsafe content.firstRange(of: $0) != nil } }
    }
}
