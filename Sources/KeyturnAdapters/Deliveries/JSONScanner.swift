/// Reads a JSON text (RFC 8259), strictly, and notes the byte range of the value that a pointer leads to.
struct JSONScanner {
    enum Kind { case string, null, other }

    /// What the pointer led to.
    enum Found {
        case value(Range<Int>, Kind)
        /// The object is there, its member is not.
        case noMember(Object)
        /// The first `tokens` of the pointer lead to something that has no such member or element.
        case nothing(tokens: Int)
    }

    /// An object by its braces, and its last member.
    struct Object {
        var open: Int
        var close = 0
        var members = 0
        /// Where the white space before the last member begins, the member's name, and its value.
        var lead = 0
        var name = 0..<0
        var value = 0..<0
    }

    private let bytes: [UInt8]
    private let tokens: [[UInt8]]
    private var index = 0
    private(set) var found = Found.nothing(tokens: 0)
    /// Every object and array on the way holds nothing else.
    private(set) var isAlone = true

    private static let mostDepth = 64

    init(_ bytes: [UInt8], tokens: [[UInt8]]) throws(JSONText.Problem) {
        self.bytes = bytes
        self.tokens = tokens
        guard String(validating: bytes, as: UTF8.self) != nil else { throw JSONText.Problem(description: "is not UTF-8") }
        if bytes.beginsWithMark { index = 3 }
        skipSpace()
        try scanValue(depth: 0, onWay: true)
        skipSpace()
        guard index == bytes.count else { throw problem("nothing after the value") }
    }

    /// `onWay`: the first `depth` tokens of the pointer lead here.
    private mutating func scanValue(depth: Int, onWay: Bool) throws(JSONText.Problem) {
        guard depth < JSONScanner.mostDepth else { throw problem("at most \(JSONScanner.mostDepth) levels") }
        let start = index
        var kind = Kind.other
        let leadsOn = onWay && depth < tokens.count
        switch peek {
        case UInt8(ascii: "{"): try scanObject(depth: depth, onWay: leadsOn)
        case UInt8(ascii: "["): try scanArray(depth: depth, onWay: leadsOn)
        default:
            if leadsOn { found = .nothing(tokens: depth) }
            switch peek {
            case UInt8(ascii: "\""):
                _ = try scanString()
                kind = .string
            case UInt8(ascii: "n"):
                try scanWord("null")
                kind = .null
            case UInt8(ascii: "t"): try scanWord("true")
            case UInt8(ascii: "f"): try scanWord("false")
            default: try scanNumber()
            }
        }
        if onWay, depth == tokens.count { found = .value(start..<index, kind) }
    }

    private mutating func scanObject(depth: Int, onWay: Bool) throws(JSONText.Problem) {
        var object = Object(open: index)
        var isFound = false
        index += 1
        object.lead = index
        skipSpace()
        while peek != UInt8(ascii: "}") {
            let name = try scanString()
            let isNext = onWay && JSONString.read(bytes[name]) == tokens[depth]
            guard !(isNext && isFound) else {
                throw problem("that member only once; which one counts is for each reader to choose", at: name.lowerBound)
            }
            isFound = isFound || isNext
            skipSpace()
            try expect(UInt8(ascii: ":"))
            skipSpace()
            let start = index
            try scanValue(depth: depth + 1, onWay: isNext)
            object.members += 1
            object.name = name
            object.value = start..<index
            skipSpace()
            if peek == UInt8(ascii: "}") { break }
            try expect(UInt8(ascii: ","))
            object.lead = index
            skipSpace()
            guard peek != UInt8(ascii: "}") else { throw problem("a member after the comma") }
        }
        object.close = index
        index += 1
        guard onWay else { return }
        if object.members > (isFound ? 1 : 0) { isAlone = false }
        if !isFound { found = depth == tokens.count - 1 ? .noMember(object) : .nothing(tokens: depth) }
    }

    private mutating func scanArray(depth: Int, onWay: Bool) throws(JSONText.Problem) {
        let wanted = onWay ? JSONPointer.index(tokens[depth]) : nil
        var count = 0
        var isFound = false
        index += 1
        skipSpace()
        while peek != UInt8(ascii: "]") {
            isFound = isFound || count == wanted
            try scanValue(depth: depth + 1, onWay: count == wanted)
            count += 1
            skipSpace()
            if peek == UInt8(ascii: "]") { break }
            try expect(UInt8(ascii: ","))
            skipSpace()
            guard peek != UInt8(ascii: "]") else { throw problem("an element after the comma") }
        }
        index += 1
        guard onWay else { return }
        if count > 1 { isAlone = false }
        if !isFound { found = .nothing(tokens: depth) }
    }

    /// The range with its quotes.
    private mutating func scanString() throws(JSONText.Problem) -> Range<Int> {
        let start = index
        try expect(UInt8(ascii: "\""))
        while let byte = peek, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw problem("a string on one line") }
            index += 1
            guard byte == UInt8(ascii: "\\") else { continue }
            switch peek {
            case UInt8(ascii: "u"):
                index += 1
                for _ in 0..<4 {
                    guard peek?.hexDigit != nil else { throw problem("four hexadecimal digits") }
                    index += 1
                }
            case .some(let escape) where "\"\\/bfnrt".utf8.contains(escape): index += 1
            default: throw problem("an escape of JSON's")
            }
        }
        try expect(UInt8(ascii: "\""))
        return start..<index
    }

    private mutating func scanNumber() throws(JSONText.Problem) {
        if peek == UInt8(ascii: "-") { index += 1 }
        if peek == UInt8(ascii: "0") { index += 1 } else { try scanDigits() }
        if peek == UInt8(ascii: ".") {
            index += 1
            try scanDigits()
        }
        if peek.map({ $0 | 0x20 }) == UInt8(ascii: "e") {
            index += 1
            if peek == UInt8(ascii: "+") || peek == UInt8(ascii: "-") { index += 1 }
            try scanDigits()
        }
    }

    private mutating func scanDigits() throws(JSONText.Problem) {
        guard peek?.isDigit == true else { throw problem("a value") }
        while peek?.isDigit == true { index += 1 }
    }

    private mutating func scanWord(_ word: StaticString) throws(JSONText.Problem) {
        let word = Array("\(word)".utf8)
        guard bytes[index...].starts(with: word) else { throw problem("a value") }
        index += word.count
    }

    private mutating func expect(_ byte: UInt8) throws(JSONText.Problem) {
        guard peek == byte else { throw problem(String(UnicodeScalar(byte))) }
        index += 1
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 32 || (9...10).contains(byte) || byte == 13 { index += 1 }
    }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private func problem(_ expected: String, at position: Int? = nil) -> JSONText.Problem {
        let before = bytes[..<(position ?? index)]
        let line = before.count { $0 == 10 } + 1
        let column = before.count - (before.lastIndex(of: 10).map { $0 + 1 } ?? 0) + 1
        return JSONText.Problem(description: "line \(line), byte \(column): no JSON, expected \(expected)")
    }
}
