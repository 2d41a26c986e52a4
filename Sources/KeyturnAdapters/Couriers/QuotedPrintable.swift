/// RFC 2045 section 6.7: UTF-8 text in lines of at most 76 ASCII characters.
enum QuotedPrintable {
    /// - Returns: lines without their ends.
    static func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { encode($0) }
    }

    private static func encode(_ line: Substring) -> [String] {
        var lines: [String] = []
        var current = ""
        let bytes = Array(line.utf8)
        for (index, byte) in bytes.enumerated() {
            let isLast = index == bytes.count - 1
            // A space at a line's end would be lost on the way; a dot or "From" at its beginning is nobody's any more.
            let isPlain = (0x21...0x7e).contains(byte) && byte != UInt8(ascii: "=") || (byte == 0x20 && !isLast)
            let isRisky = current.isEmpty && (byte == UInt8(ascii: ".") || byte == UInt8(ascii: "F"))
            let piece = isPlain && !isRisky ? String(UnicodeScalar(byte)) : escape(byte)
            if current.utf8.count + piece.utf8.count > 75 {
                lines.append(current + "=")
                current = ""
            }
            current += piece
        }
        return lines + [current]
    }

    private static func escape(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return byte < 16 ? "=0\(digits)" : "=\(digits)"
    }
}
