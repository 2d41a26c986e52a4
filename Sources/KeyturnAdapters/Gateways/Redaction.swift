import Foundation
import KeyturnCore

/// Words of a gateway for our own eyes: one line, bounded, and without anything that could be a secret.
enum Redaction {
    private static let longest = 200

    static func clean(_ text: String, of secret: borrowing Secret) -> String {
        var text = String(text.prefix(4096))
        let value = secret.withBytes { span in unsafe span.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) } }
        if !value.isEmpty { text = text.replacing(value, with: "***") }
        // Long unbroken runs that look like keys, whole or cut short, in whatever way the gateway quotes them.
        text = text.replacing(/sk-[A-Za-z0-9_\-.*]{4,}|[A-Za-z0-9_\-]{32,}/, with: "***")
        return String(text.oneLine.prefix(longest))
    }
}
