/// A JSON text, seen for one string by its pointer: everything else stays byte for byte.
package struct JSONText: SecretText {
    /// Why the text cannot be read or changed; completes "FILE: ...".
    package struct Problem: Error, CustomStringConvertible {
        package let description: String
    }

    private let bytes: [UInt8]
    private let pointer: String
    private let tokens: [[UInt8]]
    private let found: JSONScanner.Found?
    private let isAlone: Bool

    /// A text of white space alone counts as none.
    package init(_ bytes: [UInt8], pointer: String) throws(Problem) {
        self.bytes = bytes
        self.pointer = pointer
        tokens = try JSONPointer(pointer).tokens
        guard !bytes.isBlankText else {
            found = nil
            isAlone = true
            return
        }
        let scanner = try JSONScanner(bytes, tokens: tokens)
        found = scanner.found
        isAlone = scanner.isAlone
    }

    /// The string's bytes; nil where nothing is, or null.
    package func value() throws(Problem) -> [UInt8]? {
        switch found {
        case .value(let range, .string):
            guard let value = JSONString.read(bytes[range]) else { throw Problem(description: "\(pointer) holds half of a surrogate pair") }
            return value
        case .value(_, .null), .noMember, .nothing, nil: return nil
        case .value(_, .other): throw noString
        }
    }

    package var values: [[UInt8]] { get throws { try value().map { [$0] } ?? [] } }

    /// The text with `value` at the pointer: replaced, added to its object in the style of the members there, or made.
    package func setting(_ value: [UInt8]) throws(Problem) -> [UInt8] {
        guard let string = JSONString.write(value) else {
            throw Problem(description: "the secret is no UTF-8, which JSON cannot hold; use the format raw")
        }
        switch found {
        case nil: return make(string)
        case .value(_, .other): throw noString
        case .value(let range, _): return bytes.replacing(range, with: string)
        case .noMember(let object): return add(string, to: object)
        case .nothing(let count):
            let way = pointer.split(separator: "/", omittingEmptySubsequences: false).prefix(count + 1).joined(separator: "/")
            throw Problem(
                description:
                    "\(pointer) cannot be reached, \(way.isEmpty ? "the document" : way) has nothing of that name; add the object that shall hold it"
            )
        }
    }

    /// The text with the string emptied; nil when nothing else is in it.
    package func removing() throws(Problem) -> [UInt8]? {
        switch found {
        case .value(_, .other): throw noString
        case .value(let range, .string): return isAlone ? nil : bytes.replacing(range, with: Array("\"\"".utf8))
        case .value, .noMember, .nothing, nil: return bytes
        }
    }

    private var noString: Problem {
        Problem(description: "\(pointer.isEmpty ? "the document" : pointer) holds something that is no string; correct the pointer")
    }

    private func make(_ string: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        for (depth, token) in tokens.enumerated() {
            text += Array("{\n\(String(repeating: "  ", count: depth + 1))".utf8) + (JSONString.write(token) ?? []) + Array(": ".utf8)
        }
        text += string + [10]
        for depth in tokens.indices.reversed() { text += Array("\(String(repeating: "  ", count: depth))}\n".utf8) }
        return text
    }

    private func add(_ string: [UInt8], to object: JSONScanner.Object) -> [UInt8] {
        let name = tokens.last.flatMap(JSONString.write) ?? []
        guard object.members > 0 else {
            guard let indentation = indentation(at: object.open) else {
                return bytes.replacing(object.open + 1..<object.close, with: name + Array(": ".utf8) + string)
            }
            let lineEnd: [UInt8] = bytes.firstIndex(of: 10).map { $0 > 0 && bytes[$0 - 1] == 13 } == true ? [13, 10] : [10]
            let step = indentation.prefix(1) == [9] ? [9] : indentationStep
            return bytes.replacing(
                object.open + 1..<object.close,
                with: lineEnd + indentation + step + name + Array(": ".utf8) + string + lineEnd + indentation)
        }
        var lead = Array(bytes[object.lead..<object.name.lowerBound])
        let colon = Array(bytes[object.name.upperBound..<object.value.lowerBound])
        // {"a": 1}: with one member alone the gap between members can only be guessed from the one after its colon.
        if object.members == 1, lead.isEmpty, colon.last == 32 { lead = [32] }
        return bytes.replacing(object.value.upperBound..<object.value.upperBound, with: [UInt8(ascii: ",")] + lead + name + colon + string)
    }

    /// The white space that begins the line at `position`; nil when the whole text is one line.
    private func indentation(at position: Int) -> [UInt8]? {
        guard bytes.dropLast().contains(10) else { return nil }
        let start = bytes[..<position].lastIndex(of: 10).map { $0 + 1 } ?? 0
        return Array(bytes[start...].prefix { $0 == 32 || $0 == 9 })
    }

    /// What the first indented line is indented by.
    private var indentationStep: [UInt8] {
        let lines = bytes.split(separator: 10).map { $0.prefix { $0 == 32 || $0 == 9 } }
        return lines.first { !$0.isEmpty }.map(Array.init) ?? [32, 32]
    }
}

extension [UInt8] {
    fileprivate func replacing(_ range: Range<Int>, with other: [UInt8]) -> [UInt8] {
        Array(self[..<range.lowerBound]) + other + Array(self[range.upperBound...])
    }
}
