/// The value of one line: how it is written so that every reader reads the same, and how it is read.
enum DotenvValue {
    private static let double = UInt8(ascii: "\"")
    private static let single = UInt8(ascii: "'")
    private static let backslash = UInt8(ascii: "\\")
    /// What needs a backslash between double quotes, for shells as for systemd.exec(5).
    private static let escaped = Set("\"\\`$".utf8)
    /// What means itself everywhere without quotes.
    private static let plain = Set("_./+=:@%^,-".utf8)

    /// Keeps the quotes that are there. Else none where none are needed, then those that need no backslash (libraries
    /// differ about backslashes), then double ones with backslashes.
    static func write(_ value: [UInt8], like old: UInt8?) throws(DotenvText.Problem) -> [UInt8] {
        guard String(validating: value, as: UTF8.self) != nil, value.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw DotenvText.Problem(
                description:
                    "the secret holds a line end, another control character or no UTF-8, which a dotenv file cannot; use the format raw"
            )
        }
        let isPlain = !value.isEmpty && value.allSatisfy { $0.isLetter || $0.isDigit || plain.contains($0) }
        let fitsDouble = !value.contains { escaped.contains($0) }
        let fitsSingle = !value.contains { $0 == single || $0 == backslash }
        if old == single, fitsSingle { return [single] + value + [single] }
        if old != double, old != single, isPlain { return value }
        if fitsDouble { return [double] + value + [double] }
        if fitsSingle { return [single] + value + [single] }
        return [double] + value.flatMap { escaped.contains($0) ? [backslash, $0] : [$0] } + [double]
    }

    static func read(_ text: ArraySlice<UInt8>) -> [UInt8] {
        guard text.count >= 2, let quote = text.first, quote == text.last, quote == double || quote == single else { return Array(text) }
        let inner = text.dropFirst().dropLast()
        if quote == single { return Array(inner) }
        var value: [UInt8] = []
        var isEscaped = false
        for byte in inner {
            if isEscaped {
                if !escaped.contains(byte) { value.append(backslash) }
                value.append(byte)
                isEscaped = false
            } else if byte == backslash {
                isEscaped = true
            } else {
                value.append(byte)
            }
        }
        return value
    }
}
