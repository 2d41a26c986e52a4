import Yams

/// The text of one YAML file, proven to be UTF-8 without control characters, and the way between marks and its scalars.
struct YAMLSource {
    let file: String
    private(set) var scalars: [Unicode.Scalar]
    /// Index of each line's first scalar.
    private let lineStarts: [Int]

    /// Throws all problems that keep the bytes from being text.
    init(file: String, bytes: [UInt8]) throws(ConfigurationErrors) {
        self.file = file
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw ConfigurationErrors(problems: [YAMLSource.invalidByte(in: bytes, of: file)])
        }
        scalars = Array(text.unicodeScalars)
        // A byte order mark is no part of the first line.
        if scalars.first == "\u{FEFF}" { scalars.removeFirst() }
        lineStarts = YAMLSource.lineStarts(of: scalars)
        let refused = scalars.indices.filter { !YAMLSource.allows(scalars[$0]) }
        guard refused.isEmpty else {
            throw ConfigurationErrors(
                problems: refused.prefix(20).map { index in
                    let name = "U+" + YAMLSource.hex(scalars[index].value, digits: 4)
                    return Problem(place: place(ofScalar: index), message: "found the control character \(name), expected text")
                }
            )
        }
    }

    var text: String { String(String.UnicodeScalarView(scalars)) }

    /// Whether nothing stands in it but white space and comments.
    var isBlank: Bool {
        text.split(whereSeparator: \.isNewline).allSatisfy { $0.allSatisfy(\.isWhitespace) || $0.drop(while: \.isWhitespace).first == "#" }
    }

    func place(_ mark: Mark?) -> FilePosition { FilePosition(file: file, line: mark?.line, column: mark?.column) }

    func place(ofScalar index: Int) -> FilePosition {
        let line = (lineStarts.firstIndex { $0 > index } ?? lineStarts.count) - 1
        return FilePosition(file: file, line: line + 1, column: index - lineStarts[line] + 1)
    }

    /// The index of the scalar that a mark of Yams points at; nil at the end of the text.
    func index(_ mark: Mark) -> Int? {
        guard lineStarts.indices.contains(mark.line - 1) else { return nil }
        let index = lineStarts[mark.line - 1] + mark.column - 1
        return scalars.indices.contains(index) ? index : nil
    }

    func scalar(at mark: Mark?) -> Unicode.Scalar? { mark.flatMap(index).map { scalars[$0] } }

    /// Puts a scalar in the place of another: every position in the text stays as it was.
    mutating func replace(_ index: Int, with scalar: Unicode.Scalar) { scalars[index] = scalar }

    /// The line breaks that libyaml counts.
    private static func lineStarts(of scalars: [Unicode.Scalar]) -> [Int] {
        let breaks: Set<Unicode.Scalar> = ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"]
        return [0]
            + scalars.indices.filter { breaks.contains(scalars[$0]) && !(scalars[$0] == "\r" && scalars.dropFirst($0 + 1).first == "\n") }
            .map { $0 + 1 }
    }

    private static func allows(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xFEFE, 0xFF00...0xFFFD, 0x10000...: true
        default: false
        }
    }

    private static func invalidByte(in bytes: [UInt8], of file: String) -> Problem {
        var offset = 0
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            offset = error.byteOffsets.lowerBound
        }
        let before = Array(String(decoding: bytes[..<offset], as: UTF8.self).unicodeScalars)
        let starts = lineStarts(of: before)
        let place = FilePosition(file: file, line: starts.count, column: before.count - (starts.last ?? 0) + 1)
        return Problem(place: place, message: "found the byte 0x\(hex(UInt32(bytes[offset]), digits: 2)), expected UTF-8")
    }

    private static func hex(_ value: UInt32, digits: Int) -> String {
        let text = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }
}
