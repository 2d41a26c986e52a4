/// A string of a JSON text, quotes included: written and read.
enum JSONString {
    /// nil when the bytes are no UTF-8.
    static func write(_ value: [UInt8]) -> [UInt8]? {
        guard String(validating: value, as: UTF8.self) != nil else { return nil }
        var text: [UInt8] = [UInt8(ascii: "\"")]
        for byte in value {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
            case ..<0x20: text += Array("\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8)
            default: text.append(byte)
            }
        }
        return text + [UInt8(ascii: "\"")]
    }

    /// A string that the scanner has found valid, escapes undone; nil when it holds half of a surrogate pair.
    static func read(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var value: [UInt8] = []
        var rest = text.dropFirst().dropLast()
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
                value.append(byte)
                continue
            }
            switch escape {
            case UInt8(ascii: "b"): value.append(8)
            case UInt8(ascii: "f"): value.append(12)
            case UInt8(ascii: "n"): value.append(10)
            case UInt8(ascii: "r"): value.append(13)
            case UInt8(ascii: "t"): value.append(9)
            case UInt8(ascii: "u"):
                guard let scalar = readScalar(&rest) else { return nil }
                value += Array(String(scalar).utf8)
            default: value.append(escape)
            }
        }
        return value
    }

    private static func readScalar(_ rest: inout ArraySlice<UInt8>) -> UnicodeScalar? {
        let first = readUnit(&rest)
        guard (0xD800..<0xDC00).contains(first) else { return UnicodeScalar(first) }
        guard rest.starts(with: Array("\\u".utf8)) else { return nil }
        rest = rest.dropFirst(2)
        let second = readUnit(&rest)
        guard (0xDC00..<0xE000).contains(second) else { return nil }
        return UnicodeScalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
    }

    private static func readUnit(_ rest: inout ArraySlice<UInt8>) -> UInt32 {
        let digits = rest.prefix(4)
        rest = rest.dropFirst(4)
        return digits.reduce(0) { $0 << 4 + UInt32($1.hexDigit ?? 0) }
    }
}
