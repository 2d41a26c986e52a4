import KeyturnAdapters

/// A table for people: columns as wide as they need, the last one cut to the terminal.
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

    func lines(width: Int?) -> [String] {
        var widths = titles.map(\.count)
        for row in rows { for (column, cell) in row.enumerated() { widths[column] = max(widths[column], cell.count) } }
        func line(_ cells: [String]) -> String {
            var text = ""
            for (column, cell) in cells.enumerated() {
                text += column == cells.count - 1 ? cell : cell.padding(widths[column]) + "  "
            }
            while text.last == " " { text.removeLast() }
            guard let width, text.count > width else { return text }
            return String(text.prefix(width - 1)) + "…"
        }
        return [Colour.dim.paint(line(titles))] + zip(rows, colours).map { row, colour in colour?.paint(line(row)) ?? line(row) }
    }

    func print() { for line in lines(width: Terminal.width) { Terminal.print(line) } }
}

extension String {
    func padding(_ width: Int) -> String { count < width ? self + String(repeating: " ", count: width - count) : self }
}
