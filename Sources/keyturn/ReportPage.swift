import KeyturnAdapters

extension ReportDocument {
    /// One page that needs nothing else: no script, no font, no picture; readable on a phone, on paper and in the dark.
    var html: String {
        let title = HTML.escape(title)
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="referrer" content="no-referrer">
            <title>\(title)</title>
            <style>
            :root { color-scheme: light dark; --line: #ccc; --back: #f4f4f4 }
            @media (prefers-color-scheme: dark) { :root { --line: #555; --back: #222 } }
            body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem }
            body { overflow-wrap: anywhere }
            h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
            .wide { overflow-x: auto }
            table { border-collapse: collapse; width: 100% }
            th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line) }
            td { overflow-wrap: normal } pre { background: var(--back); padding: 1rem; white-space: pre-wrap }
            li { margin: .2rem 0 }
            ul.tasks { list-style: none; padding-left: 0 }
            </style>
            </head>
            <body>
            <h1>\(title)</h1>
            \(blocks.map(HTML.block).joined(separator: "\n"))
            </body>
            </html>

            """
    }
}

/// Text of anybody's making as HTML that shows it and does nothing.
enum HTML {
    static func escape(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }

    fileprivate static func block(_ block: ReportDocument.Block) -> String {
        switch block {
        case .heading(let text): "<h2>\(line(text))</h2>"
        case .text(let text): "<p>\(line(text))</p>"
        case .table(let titles, let rows):
            "<div class=\"wide\"><table><thead>\(row(titles, "th"))</thead><tbody>\(rows.map { row($0, "td") }.joined())</tbody></table></div>"
        case .list(let items): "<ul>\(items.map { "<li>\(line($0))</li>" }.joined())</ul>"
        case .tasks(let items): "<ul class=\"tasks\">\(items.map { "<li>\u{2610} \(line($0))</li>" }.joined())</ul>"
        case .verbatim(let text): "<pre>\(escape(text))</pre>"
        }
    }

    /// One line, without signs that a terminal or a browser would obey.
    private static func line(_ text: String) -> String { escape(text.oneLine) }

    private static func row(_ cells: [String], _ tag: String) -> String {
        "<tr>" + cells.map { "<\(tag)>\(line($0))</\(tag)>" }.joined() + "</tr>"
    }
}
