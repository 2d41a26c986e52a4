import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

/// A scan's report for people.
struct ScanText {
    private let report: ScanReport

    init(_ report: ScanReport) { self.report = report }

    private static let mostExpected = 20

    func print() {
        if !report.finds.isEmpty {
            var table = Table("TOKEN", "GENERATION", "STATE", "WHERE")
            for find in report.finds {
                let generation = find.generation
                table.add(
                    [
                        generation.token.text, generation.name, generation.isAlive ? "alive" : "revoked",
                        ScanText.place(find.place, find.line, find.times),
                    ],
                    colour: generation.isAlive ? .red : .yellow)
            }
            table.print()
            Terminal.print("")
        }
        if !report.unknown.isEmpty {
            var table = Table("NOT OURS", "WHERE")
            for find in report.unknown {
                let length = find.key.length.map { "\($0) characters" } ?? "very long"
                table.add(["\(find.key.mask) (\(length))", ScanText.place(find.place, find.line, find.times)])
            }
            table.print()
            Terminal.print("")
        }
        for find in report.expected.prefix(ScanText.mostExpected) {
            Terminal.print("expected here: \(find.generation.name) in \(ScanText.place(find.place, find.line, find.times))".oneLine)
        }
        let more = report.expected.count - ScanText.mostExpected
        if more > 0 { Terminal.print("expected here: \(more) more, which --json lists") }
        for trouble in report.troubles { Terminal.print(trouble, after: "not looked at: ", .yellow) }
        if report.troubleCount > report.troubles.count {
            Terminal.print(Colour.yellow.paint("not looked at: \(report.troubleCount - report.troubles.count) more"))
        }
        for path in report.historiesLeft.prefix(5) {
            Terminal.print("its history was not searched: \(path) (name it, or --git)".oneLine)
        }
        if report.historiesLeftCount > 5 { Terminal.print("its history was not searched: \(report.historiesLeftCount - 5) more") }
        Terminal.print(summary)
        let tokens = Set(report.finds.filter(\.generation.isAlive).map(\.generation.token.text)).sorted()
        if !tokens.isEmpty {
            Terminal.print("`keyturn leak TOKEN` ends what opens the door: \(tokens.joined(separator: ", "))", after: "", .red)
        }
    }

    private var summary: String {
        func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
        var parts = ["\(count(report.files, "file")) (\(ScanText.size(report.bytes)))"]
        if report.members > 0 { parts.append(count(report.members, "archive member")) }
        if report.objects > 0 { parts.append(count(report.objects, "git object")) }
        let alive = report.finds.count { $0.generation.isAlive }
        let found = report.finds.isEmpty ? "nothing of ours" : "\(count(report.finds.count, "find")), \(alive) of them alive,"
        let more = report.more == 0 ? "" : "; \(report.more) more were not kept"
        var left: [String] = []
        if report.links > 0 { left.append("\(count(report.links, "link")) not followed") }
        if report.special > 0 { left.append("\(count(report.special, "device, pipe or socket")) left out") }
        if report.troubleCount > 0 { left.append("\(report.troubleCount) not looked at or not to the end") }
        return "\(found) in \(parts.joined(separator: ", "))\(more)" + (left.isEmpty ? "" : "; " + left.joined(separator: ", "))
    }

    /// `107 kB`
    static func size(_ bytes: Int64) -> String {
        let units = ["bytes", "kB", "MB", "GB", "TB"]
        var (number, unit) = (Double(bytes), 0)
        while number >= 999.5, unit < units.count - 1 { (number, unit) = (number / 1000, unit + 1) }
        return unit > 0 && number < 9.95 ? String(format: "%.1f \(units[unit])", number) : "\(Int(number.rounded())) \(units[unit])"
    }

    private static func place(_ place: ScanPlace, _ line: Int, _ times: Int) -> String {
        var text = place.file == "-" ? "standard input" : place.file
        if let member = place.member { text += ": \(member)" }
        switch place.object {
        case nil: text += ":\(line)"
        case let object?:
            let commit = object.commit.map { "in commit \($0.prefix(12))" } ?? "in no commit that a ref or reflog leads to"
            switch object.kind {
            case .blob: text += ": \(object.path ?? "blob \(object.id.prefix(12))"):\(line) \(commit)"
            case .commit: text += ": message of commit \(object.id.prefix(12))"
            case .tag: text += ": message of tag \(object.id.prefix(12))"
            }
        }
        return text + (times > 1 ? " and \(times - 1) more there" : "")
    }
}
