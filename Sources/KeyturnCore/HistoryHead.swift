package import Foundation

/// The newest row of the history: whoever knows it can tell later that it, and with it every row before it, is still there.
package struct HistoryHead: Sendable, Equatable {
    /// Zero: there is no row yet.
    package var number: Int64
    package var hash: [UInt8]
    package var keyID: String
    /// When this was noted.
    package var at: Date

    package init(number: Int64, hash: [UInt8], keyID: String, at: Date) {
        self.number = number
        self.hash = hash
        self.keyID = keyID
        self.at = at
    }

    package var hexHash: String { Hex.text(hash) }
}

/// Bytes as people copy them: two lower case digits each.
package enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Nil for what is not made of pairs of lower case digits.
    package static func bytes(_ text: String) -> [UInt8]? {
        let values = text.utf8.map { digits.firstIndex(of: $0) }
        guard values.count.isMultiple(of: 2), !values.contains(nil) else { return nil }
        return stride(from: 0, to: values.count, by: 2).map { UInt8((values[$0] ?? 0) << 4 | (values[$0 + 1] ?? 0)) }
    }
}
