import Yams

/// A map that remembers which keys were asked for: the rest are unknown, so the code that reads a file is also its schema.
final class YAMLMap {
    /// The key that the map stands under.
    let label: String
    /// Where it begins: its first key, or its brace.
    let place: FilePosition
    let document: YAMLDocument
    private let entries: [(key: String, place: FilePosition, value: YAMLValue)]
    private var asked: [String] = []

    init(pairs: Node.Mapping, label: String, place: FilePosition, document: YAMLDocument) {
        self.label = label
        self.place = place
        self.document = document
        // Keys that are lists, maps, aliases or `<<` were reported with the structure of the file.
        entries = pairs.compactMap { key, value in
            guard let text = document.text(ofKey: key), text != "<<", !document.isAlias(key), document.source.scalar(at: key.mark) != "!"
            else {
                return nil
            }
            return (text, document.source.place(key.mark), YAMLValue(node: value, label: text, document: document))
        }
    }

    /// The value of a key; the first, where it stands twice.
    subscript(key: String) -> YAMLValue? {
        if !asked.contains(key) { asked.append(key) }
        return entries.first { $0.key == key }?.value
    }

    /// The value of a key that must be there.
    func required(_ key: String, _ expected: String) -> YAMLValue? {
        let value = self[key]
        if value == nil { document.problems.add("\(subject)missing key '\(key)', expected \(expected)", at: place) }
        return value
    }

    /// The keys that are there, of those given.
    func present(_ keys: [String]) -> [String] { keys.filter { self[$0] != nil } }

    /// Every key with its value, for maps whose keys are names that the administrator chose.
    func all() -> [(key: String, place: FilePosition, value: YAMLValue)] {
        asked += entries.map(\.key)
        var seen: Set<String> = []
        return entries.filter { seen.insert($0.key).inserted }
    }

    func refuse(_ message: String) { document.problems.add(subject + message, at: place) }

    func refuseUnknownKeys() {
        for entry in entries where !asked.contains(entry.key) {
            let hint =
                nearest(to: entry.key, among: asked).map { "did you mean '\($0)'?" } ?? "expected one of \(asked.joined(separator: ", "))"
            document.problems.add("\(subject)unknown key \(quoted(entry.key)), \(hint)", at: entry.place)
        }
    }

    private var subject: String { label.isEmpty ? "" : "\(label): " }
}
