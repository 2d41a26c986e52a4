/// A JSON Pointer (RFC 6901): the way to one value.
package struct JSONPointer {
    /// Names of members or indices of elements, escapes undone, in UTF-8.
    package let tokens: [[UInt8]]

    package init(_ text: String) throws(JSONText.Problem) {
        guard text.isEmpty || text.hasPrefix("/") else {
            throw JSONText.Problem(description: "'\(text)' is no JSON Pointer; expected one such as /gateway/api_key")
        }
        var tokens: [[UInt8]] = []
        for part in text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropFirst() {
            var token: [UInt8] = []
            var isEscaped = false
            for byte in part {
                switch (isEscaped, byte) {
                case (false, UInt8(ascii: "~")): isEscaped = true
                case (false, _): token.append(byte)
                case (true, UInt8(ascii: "0")), (true, UInt8(ascii: "1")):
                    token.append(byte == UInt8(ascii: "0") ? UInt8(ascii: "~") : UInt8(ascii: "/"))
                    isEscaped = false
                default: throw JSONText.Problem(description: "'\(text)' is no JSON Pointer; ~ is written ~0")
                }
            }
            guard !isEscaped else { throw JSONText.Problem(description: "'\(text)' is no JSON Pointer; ~ is written ~0") }
            tokens.append(token)
        }
        self.tokens = tokens
    }

    /// The element that a token names: digits, no zero before them.
    static func index(_ token: [UInt8]) -> Int? {
        guard token.allSatisfy(\.isDigit), token.count == 1 || token.first != UInt8(ascii: "0") else { return nil }
        return Int(String(decoding: token, as: UTF8.self))
    }
}
