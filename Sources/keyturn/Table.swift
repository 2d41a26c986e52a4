import KeyturnAdapters

/// A table for people: columns as wide as they need, the last one wrapped to the terminal.
struct Table {
    private let titles: [String]
    private var rows: [[String]] = []
    private var colours: [Colour?] = []

    init(_ titles: String...) { self.titles = titles }

    /// Text of the gateway's or a policy's making is made one line.
    mutating func add(_ cells: [String], colour: Colour? = nil) {
        rows.append(cells.map(\.oneLine))
        colours.append(colour)
    }

    /// Without a width each row is one line, for programs that read lines.
    func lines(width: Int?) -> [String] {
        var widths = titles.map(\.count)
        for row in rows { for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) } }
        let all = zip([titles] + rows, [Colour.dim] + colours)
        return all.flatMap { row, colour in Table.lines(row, widths, width).map { colour?.paint($0) ?? $0 } }
    }

    /// A last column narrower than this, or than a word of its text, is no pleasure to read: the text goes below its row.
    private static let narrowest = 32

    private static func lines(_ cells: [String], _ widths: [Int], _ width: Int?) -> [String] {
        let head = zip(cells.dropLast(), widths).map { $0.padding($1) + "  " }.joined()
        let last = cells.last ?? ""
        guard let width, head.count + last.count > width, !last.isEmpty else { return [(head + last).withoutEnd] }
        let longest = last.split(separator: " ").map(\.count).max() ?? 0
        if width - head.count >= max(narrowest, longest) { return last.wrapped(to: width, after: head) }
        return [head.withoutEnd] + last.wrapped(to: width, after: "    ")
    }

    func print() { for line in lines(width: Terminal.width) { Terminal.print(line) } }
}

extension String {
    func padding(_ width: Int) -> String { count < width ? self + String(repeating: " ", count: width - count) : self }

    fileprivate var withoutEnd: String { String(reversed().drop { $0 == " " }.reversed()) }

    /// Lines of at most `width` characters, broken at spaces: the first begins with `head`, the others hang below its end.
    /// A longer word stays whole, so that a path can be copied.
    func wrapped(to width: Int?, after head: String) -> [String] {
        var lines: [String] = []
        var line = head
        for word in split(separator: " ") {
            if let width, line.count > head.count, line.count + 1 + word.count > width {
                lines.append(line)
                line = String(repeating: " ", count: head.count)
            }
            line += (line.count > head.count ? " " : "") + word
        }
        return lines + [line]
    }
}
