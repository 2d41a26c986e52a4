import KeyturnAdapters

/// A report as its blocks, whatever they become: Markdown for a terminal and for mail, or a page of HTML.
struct ReportDocument {
    enum Block {
        case heading(String)
        case text(String)
        case table([String], [[String]])
        case list([String])
        /// Things to do, each with a box to tick.
        case tasks([String])
        /// As it stands, to be copied.
        case verbatim(String)
    }

    var title: String
    var blocks: [Block]
}

extension ReportDocument {
    var markdown: String {
        var lines = ["# \(Markdown.escape(title))", ""]
        for block in blocks {
            switch block {
            case .heading(let text): lines.append("## \(Markdown.escape(text))")
            case .text(let text): lines.append(Markdown.escape(text))
            case .table(let titles, let rows):
                lines.append(Markdown.row(titles))
                lines.append("|" + titles.map { _ in "---|" }.joined())
                lines += rows.map(Markdown.row)
            case .list(let items): lines += items.map { "- \(Markdown.escape($0))" }
            case .tasks(let items): lines += items.map { "- [ ] \(Markdown.escape($0))" }
            case .verbatim(let text): lines += text.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }
            }
            lines.append("")
        }
        return lines.dropLast().joined(separator: "\n")
    }
}

/// Text of anybody's making as Markdown that says the same and does nothing.
enum Markdown {
    static func escape(_ text: String) -> String {
        var escaped = ""
        // A word in backquotes is ours and stays one.
        for character in text.oneLine {
            if "\\*[]<>|".contains(character) { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }

    static func row(_ cells: [String]) -> String { "| " + cells.map(escape).joined(separator: " | ") + " |" }
}
