import Glibc
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
            guard let content = try content(format) else { return false }
            do {
                let text: any SecretText = isPointer ? try JSONText(content, pointer: key) : try DotenvText(content, key: key)
                return try text.values.contains { Secret(bytes: $0).matches(secret) }
            } catch { throw DeliveryError("\(id.file): \(error)") }
        }
    }

    /// A file that is gone holds nothing; a folder that is gone may come back with what lies in it, as one that is mounted does.
    private func content(_ format: Format) throws(DeliveryError) -> [UInt8]? {
        guard unsafe access(String(id.file[..<(id.file.lastIndex(of: "/") ?? id.file.startIndex)]) + "/", F_OK) == 0 else {
            throw DeliveryError("\(id.file): its folder is not there")
        }
        return try AtomicFile(TargetPolicy(file: id.file, format: format)).read()
    }

    private func contains(_ secret: borrowing Secret) throws(DeliveryError) -> Bool {
        guard secret.count > 0, let content = try content(.raw) else { return false }
        return secret.withBytes { span in unsafe span.withUnsafeBytes { unsafe content.firstRange(of: $0) != nil } }
    }
}
