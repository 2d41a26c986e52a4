/// One row of the history with its links: what is hashed, in bytes that no other row could give.
///
/// A field is a tag (0 NULL, 1 text, 2 integer, 3 bytes), for all but NULL its length in 8 bytes (big-endian) and its bytes. Hashed
/// are the mark `keyturn-history-1` with a line feed, then the fields of `previous`, key id and number, then the body's.
package struct ChainedRow: Sendable, Equatable {
    package var number: Int64
    /// The hash of the row before it when it was written; 32 zeros before the first. Empty where the row has none.
    package var previous: [UInt8]
    /// Empty where the row has none.
    package var hash: [UInt8]
    /// Of the key that made `hash`; empty where the row has none.
    package var keyID: String
    /// The fields of the columns of `bodyColumns`, in that order.
    package var body: [UInt8]

    package static let bodyColumns = ["at", "token", "environment", "rotation", "generation", "code", "sentence", "mark"]
    /// What the first row of all follows.
    package static let origin = [UInt8](repeating: 0, count: 32)

    private static let domain = Array("keyturn-history-1\n".utf8)

    package init(number: Int64, previous: [UInt8], hash: [UInt8] = [], keyID: String, body: [UInt8]) {
        self.number = number
        self.previous = previous
        self.hash = hash
        self.keyID = keyID
        self.body = body
    }

    /// What its hash is made of.
    package var content: [UInt8] { content(of: body) }

    /// The same if it held another body.
    func content(of body: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(ChainedRow.domain.count + 96 + body.count)
        bytes += ChainedRow.domain
        ChainedRow.append(bytes: previous, to: &bytes)
        ChainedRow.append(text: keyID.utf8, to: &bytes)
        ChainedRow.append(number, to: &bytes)
        bytes += body
        return bytes
    }

    /// All of it, the hash as well: for a digest of rows as they were found.
    var found: [UInt8] {
        var bytes = content
        ChainedRow.append(bytes: hash, to: &bytes)
        return bytes
    }

    // MARK: Fields

    package static func appendNull(to bytes: inout [UInt8]) { bytes.append(0) }

    package static func append(text: some Collection<UInt8>, to bytes: inout [UInt8]) { append(1, text, to: &bytes) }

    package static func append(bytes field: some Collection<UInt8>, to bytes: inout [UInt8]) { append(3, field, to: &bytes) }

    package static func append(_ number: Int64, to bytes: inout [UInt8]) {
        bytes.append(2)
        append(length: 8, to: &bytes)
        append(length: UInt64(bitPattern: number), to: &bytes)
    }

    private static func append(_ tag: UInt8, _ field: some Collection<UInt8>, to bytes: inout [UInt8]) {
        bytes.append(tag)
        append(length: UInt64(field.count), to: &bytes)
        bytes += field
    }

    private static func append(length: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: length >> UInt64(shift))) }
    }

    /// One of the body's columns as text; nil where it is NULL.
    package func text(_ column: String) -> String? {
        var rest = body[...]
        for name in ChainedRow.bodyColumns {
            guard let tag = rest.popFirst() else { return nil }
            guard tag != 0 else {
                if name == column { return nil }
                continue
            }
            let length = Int(rest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
            rest = rest.dropFirst(8)
            if name == column { return String(decoding: rest.prefix(length), as: UTF8.self) }
            rest = rest.dropFirst(length)
        }
        return nil
    }
}
