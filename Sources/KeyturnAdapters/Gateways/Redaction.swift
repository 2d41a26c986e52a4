import Foundation
import KeyturnCore

/// Words of a gateway for our own eyes: one line, bounded, and without anything that could be a secret.
///
/// It counts bytes and scalars, never characters: one character can be a megabyte of combining marks, or hide the last
/// letter of a secret under one.
enum Redaction {
    /// Scalars of the answer.
    private static let longest = 200
    /// Bytes that are looked at.
    private static let considered = 4096
    /// So many of a secret's first bytes give it away; gateways like to quote a beginning.
    static let telling = 8

    static func clean(_ text: String, of secret: borrowing Secret) -> String {
        var value = secret.withBytes { span in unsafe span.withUnsafeBytes { unsafe Array($0) } }
        defer { unsafe value.withUnsafeMutableBytes { unsafe Secret.wipe($0) } }
        let masked = String(decoding: mask(value, in: Array(text.utf8.prefix(considered))), as: UTF8.self)
        // Long unbroken runs that look like keys, whole or cut short, in whatever way the gateway quotes them.
        let keys = /sk-[A-Za-z0-9_\-.*]{4,}|[A-Za-z0-9_\-]{32,}/.matchingSemantics(.unicodeScalar)
        return bounded(masked.replacing(keys, with: "***"))
    }

    /// One line of at most so many scalars.
    static func bounded(_ text: String) -> String {
        let line = String(text.unicodeScalars.prefix(considered)).oneLine.unicodeScalars
        return line.count <= longest ? String(line) : String(line.prefix(longest)) + "…"
    }

    private static func mask(_ value: [UInt8], in bytes: [UInt8]) -> [UInt8] {
        guard !value.isEmpty else { return bytes }
        var clean: [UInt8] = []
        var place = 0
        while place < bytes.count {
            let length = zip(bytes[place...], value).prefix { $0 == $1 }.count
            if length >= min(telling, value.count) {
                clean += Array("***".utf8)
                place += length
            } else {
                clean.append(bytes[place])
                place += 1
            }
        }
        return clean
    }
}
