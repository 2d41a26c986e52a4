import KeyturnCore

/// What no two tokens may share, in one file or in several.
enum PolicyConflicts {
    /// The problem stands at the later of two places and names the earlier.
    static func problems(in drafts: [PolicyDraft]) -> [Problem] {
        environments(drafts) + names(drafts) + targets(drafts)
    }

    /// Budgets and readings count by environment, so it has one file.
    private static func environments(_ drafts: [PolicyDraft]) -> [Problem] {
        repeated(drafts.compactMap(\.environment)) { name, first in
            "environment: found \(quoted(name)), which \(first) has already, expected one file an environment"
        }
    }

    private static func names(_ drafts: [PolicyDraft]) -> [Problem] {
        repeated(drafts.flatMap(\.tokens)) { name, first in
            "found a second token named \(quoted(name.text)) (the first is at \(first)), expected a name of its own"
        }
    }

    private static func repeated<Value: Hashable>(_ all: [Placed<Value>], _ message: (Value, FilePosition) -> String) -> [Problem] {
        var firsts: [Value: FilePosition] = [:]
        return all.compactMap { item in
            guard let first = firsts[item.value] else {
                firsts[item.value] = item.place
                return nil
            }
            return Problem(place: item.place, message: message(item.value, first))
        }
    }

    private static func targets(_ drafts: [PolicyDraft]) -> [Problem] {
        var earlier: [String: [(token: TokenName, target: Placed<TargetPolicy>)]] = [:]
        return drafts.flatMap(\.targets).compactMap { item in
            let file = item.target.value.file
            defer { earlier[file, default: []].append(item) }
            guard let other = earlier[file]?.first(where: { clash($0.target.value.format, item.target.value.format) }) else { return nil }
            return Problem(
                place: item.target.place,
                message: "found a second target that writes \(item.target.value.id) (the first is \(other.target.value.id), of "
                    + "\(other.token) at \(other.target.place)), expected a file or key of its own"
            )
        }
    }

    /// Would one target in a file undo what another wrote there?
    private static func clash(_ one: Format, _ other: Format) -> Bool {
        switch (one, other) {
        case (.dotenv(let one), .dotenv(let other)): one == other
        // A value cannot lie inside a value.
        case (.json(let one), .json(let other)): "\(one)/".hasPrefix("\(other)/") || "\(other)/".hasPrefix("\(one)/")
        default: true
        }
    }
}
