/// A text of `KEY=value` lines, seen for one variable: where its values stand, to the byte.
///
/// It reads what systemd's EnvironmentFile=, shells and the dotenv libraries read alike. Where they differ about the
/// variable at hand it refuses, because one of them would read another secret than the other.
package struct DotenvText: SecretText {
    /// Why the text cannot be read or changed; completes "FILE: ...".
    package struct Problem: Error, CustomStringConvertible {
        package let description: String
    }

    struct Assignment {
        /// From the first byte of the line to the one after its line end.
        var line: Range<Int>
        /// With its quotes.
        var value: Range<Int>
    }

    let bytes: [UInt8]
    let key: [UInt8]
    private(set) var assignments: [Assignment] = []
    /// systemd would take a line appended now for the rest of the last one.
    private(set) var endsInContinuation = false

    package init(_ bytes: [UInt8], key: String) throws(Problem) {
        self.bytes = bytes
        self.key = Array(key.utf8)
        guard let first = self.key.first, !first.isDigit, self.key.allSatisfy({ $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") })
        else {
            throw Problem(description: "'\(key)' is no name of a variable; expected letters, digits and _, no digit first")
        }
        var reader = DotenvReader(bytes)
        while let line = try reader.next() {
            if let name = line.name, Array(bytes[name]) == self.key {
                guard !line.isContinuation, !line.continues else {
                    throw reader.problem(
                        "\(key) is next to a line that ends in \\, which systemd joins and others do not; remove the \\", line)
                }
                guard !line.hasMoreQuotes else {
                    throw reader.problem("more follows the closing quote of \(key); quote its value once", line)
                }
                assignments.append(Assignment(line: line.range, value: line.value))
            }
            endsInContinuation = line.continues
        }
    }

    /// What the lines of the variable say, quotes and escapes undone, in their order.
    package var values: [[UInt8]] { assignments.map { DotenvValue.read(bytes[$0.value]) } }

    /// The text with `value` in every line of the variable, or with a line more.
    package func setting(_ value: [UInt8]) throws(Problem) -> [UInt8] {
        var text = bytes
        guard !assignments.isEmpty else {
            guard !endsInContinuation else {
                throw Problem(description: "the last line ends in \\; remove it, a line after it would be joined to it")
            }
            let end: [UInt8] = usesCRLF ? [13, 10] : [10]
            let isOpen = !text.isBlankText && text.last != 10
            if isOpen { text += end }
            text += key + [UInt8(ascii: "=")] + (try DotenvValue.write(value, like: nil))
            if !isOpen { text += end }
            return text
        }
        for assignment in assignments.reversed() {
            text.replaceSubrange(assignment.value, with: try DotenvValue.write(value, like: bytes[assignment.value].first))
        }
        return text
    }

    /// The text without the lines of the variable; nil when nothing else is in it.
    package func removing() -> [UInt8]? {
        var text = bytes
        for assignment in assignments.reversed() { text.removeSubrange(assignment.line) }
        return assignments.isEmpty || !text.isBlankText ? text : nil
    }

    private var usesCRLF: Bool {
        guard let end = bytes.firstIndex(of: 10) else { return false }
        return end > 0 && bytes[end - 1] == 13
    }
}
