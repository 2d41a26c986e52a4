/// Goes through a dotenv text line by line, where a line with an open quote goes on behind its line end.
struct DotenvReader {
    struct Line {
        /// With its line end.
        var range: Range<Int>
        /// The variable's name; nil for comments, empty lines and what is no assignment.
        var name: Range<Int>?
        /// The value with its quotes, without the comment and the white space after it.
        var value: Range<Int> = 0..<0
        /// `KEY="a" 'b'`: systemd joins them, others do not.
        var hasMoreQuotes = false
        /// The line ends in a backslash; the line before it did.
        var continues = false
        var isContinuation = false
    }

    private let bytes: [UInt8]
    private var index: Int
    private var isContinuation = false

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        index = bytes.beginsWithMark ? 3 : 0
    }

    mutating func next() throws(DotenvText.Problem) -> Line? {
        guard index < bytes.count else { return nil }
        var line = Line(range: index..<index, isContinuation: isContinuation)
        let end = endOfLine(from: index)
        let start = skipBlanks(from: index)
        let isComment = start < end && (bytes[start] == UInt8(ascii: "#") || bytes[start] == UInt8(ascii: ";"))
        if !isComment, let equals = bytes[start..<end].firstIndex(of: UInt8(ascii: "=")) {
            line.name = name(in: start..<equals)
            try readValue(after: equals, into: &line)
        } else {
            index = end
        }
        // A comment's backslash joins nothing since systemd 254, nor anywhere else.
        line.continues = !isComment && endsInBackslash(index)
        isContinuation = line.continues
        index = min(index + 1, bytes.count)
        line.range = line.range.lowerBound..<index
        return line
    }

    func problem(_ what: String, _ line: Line) -> DotenvText.Problem {
        let number = bytes[..<line.range.lowerBound].count { $0 == 10 } + 1
        return DotenvText.Problem(description: "line \(number): \(what)")
    }

    /// Leaves `index` at the line's end.
    private mutating func readValue(after equals: Int, into line: inout Line) throws(DotenvText.Problem) {
        index = skipBlanks(from: equals + 1)
        line.value = (equals + 1)..<(equals + 1)
        var quoted = 0
        while index < bytes.count, let quote = quote(at: index) {
            let start = index
            try skipQuoted(quote, line)
            quoted += 1
            if quoted == 1 { line.value = start..<index }
            index = skipBlanks(from: index)
        }
        let end = endOfLine(from: index)
        if quoted == 0 {
            let value = unquoted(in: index..<end)
            if !value.isEmpty { line.value = value }
        } else {
            line.hasMoreQuotes = quoted > 1 || (index < end && bytes[index] != UInt8(ascii: "#"))
        }
        index = end
    }

    private mutating func skipQuoted(_ quote: UInt8, _ line: Line) throws(DotenvText.Problem) {
        index += 1
        while index < bytes.count, bytes[index] != quote {
            index += quote == UInt8(ascii: "\"") && bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        guard index < bytes.count else { throw problem("a quote opens and never closes; close it", line) }
        index += 1
    }

    /// Up to a comment (white space and `#`) or the end, white space off.
    private func unquoted(in range: Range<Int>) -> Range<Int> {
        var end = range.lowerBound
        for position in range {
            let isFirst = position == range.lowerBound
            if bytes[position] == UInt8(ascii: "#"), isFirst || bytes[position - 1].isBlank { break }
            if !bytes[position].isBlank { end = position + 1 }
        }
        return range.lowerBound..<end
    }

    /// Without `export` before it and white space around it.
    private func name(in range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        let export = Array("export".utf8)
        if bytes[range].starts(with: export), start + export.count < range.upperBound, bytes[start + export.count].isBlank {
            start = skipBlanks(from: start + export.count)
        }
        var end = max(start, range.upperBound)
        while end > start, bytes[end - 1].isBlank { end -= 1 }
        return start..<end
    }

    private func quote(at position: Int) -> UInt8? {
        [UInt8(ascii: "\""), UInt8(ascii: "'")].contains(bytes[position]) ? bytes[position] : nil
    }

    private func skipBlanks(from start: Int) -> Int {
        bytes[start...].firstIndex { !$0.isBlank } ?? bytes.count
    }

    private func endOfLine(from start: Int) -> Int {
        bytes[start...].firstIndex(of: 10) ?? bytes.count
    }

    private func endsInBackslash(_ end: Int) -> Bool {
        bytes[..<end].reversed().prefix { $0 == UInt8(ascii: "\\") }.count % 2 == 1
    }
}
