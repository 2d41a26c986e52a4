import KeyturnCore
import Yams

/// A value of a YAML file that knows its key and place. Each reading gives what was asked for, or reports why not and gives nil;
/// the reader then goes on with a default, as a file with an error is never used.
struct YAMLValue {
    let node: Node
    /// The key that it stands under; for an item, that of its list. Empty for the whole file.
    let label: String
    let document: YAMLDocument

    var place: FilePosition { document.source.place(node.mark) }

    /// Reports what stands here and what should. `found` replaces the text itself where that may be a secret.
    func refuse(expected: String, found: String? = nil) {
        if document.isAlias(node) { return }
        let subject = label.isEmpty ? "" : "\(label): "
        document.problems.add("\(subject)found \(found ?? shown), expected \(expected)", at: place)
    }

    func warn(_ message: String) { document.problems.add("\(label): \(message)", at: place, severity: .warning) }

    /// The value as a message names it.
    var shown: String {
        // A file that is one text alone is no settings file, and may well be a secret.
        guard case .scalar(let scalar) = node, !label.isEmpty else { return kind }
        return scalar.style == .plain && isNull ? "nothing" : quoted(scalar.string)
    }

    /// For values that may be secrets: what it is, not what it says.
    var kind: String {
        switch node {
        case .mapping: "a map"
        case .sequence: "a list"
        case .scalar, .alias: isNull ? "nothing" : "text"
        }
    }

    var isNull: Bool { plainText.map { ScalarKind(plain: $0) == .null } ?? false }

    /// The text of a scalar, quoted or not; nil for a list, a map or nothing.
    var scalarText: String? {
        guard case .scalar(let scalar) = node, !isNull, !document.isAlias(node) else { return nil }
        return scalar.string
    }

    /// The text of an unquoted scalar.
    var plainText: String? {
        guard case .scalar(let scalar) = node, scalar.style == .plain else { return nil }
        return scalar.string
    }

    /// One line of text. What YAML 1.1 reads as something else (yes, 010, 1:30, ~) must be quoted, so that a person and every other
    /// program read the same.
    func text(_ expected: String, secret: Bool = false) -> String? {
        guard let text = scalarText else {
            refuse(expected: expected, found: secret ? kind : nil)
            return nil
        }
        if let plain = plainText, let other = ScalarKind(plain: plain).name {
            refuse(
                expected: "\(expected), in quotes if it is meant",
                found: secret ? "\(other) in YAML 1.1" : "\(shown), \(other) in YAML 1.1"
            )
            return nil
        }
        guard !text.isEmpty, !text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) }) else {
            refuse(expected: "\(expected), on one line without control characters", found: secret ? kind : nil)
            return nil
        }
        return text
    }

    /// One of a few words.
    func word<Value>(of values: [(String, Value)]) -> Value? {
        let names = values.map(\.0)
        guard let text = scalarText, let value = values.first(where: { $0.0 == text })?.1 else {
            let near = scalarText.flatMap { nearest(to: $0, among: names) }
            refuse(expected: names.joined(separator: ", ") + (near.map { " (did you mean '\($0)'?)" } ?? ""))
            return nil
        }
        return value
    }

    /// Nil when it is no list; an empty one is refused unless `mayBeEmpty`.
    func items(_ expected: String, mayBeEmpty: Bool = false) -> [YAMLValue]? {
        guard case .sequence(let items) = node, mayBeEmpty || !items.isEmpty else {
            refuse(expected: expected, found: node.sequence == nil ? nil : "an empty list")
            return nil
        }
        return items.map { YAMLValue(node: $0, label: label, document: document) }
    }

    /// A list of different texts, each as `item` reads it; nil when one of them was refused.
    func list(_ expected: String, mayBeEmpty: Bool = false, of item: (YAMLValue) -> String?) -> [String]? {
        guard let items = items(expected, mayBeEmpty: mayBeEmpty) else { return nil }
        var seen: Set<String> = []
        let texts = items.map { value -> String? in
            guard let text = item(value) else { return nil }
            guard seen.insert(text).inserted else {
                value.refuse(expected: "each once", found: "\(quoted(text)) a second time")
                return nil
            }
            return text
        }
        return texts.contains(nil) ? nil : texts.compactMap(\.self)
    }

    /// Reads a map; every key that `body` did not ask for is reported as unknown. Nil when it is no map.
    func map<Value>(_ expected: String, secret: Bool = false, _ body: (YAMLMap) -> Value) -> Value? {
        guard case .mapping(let pairs) = node else {
            refuse(expected: expected, found: secret ? kind : nil)
            return nil
        }
        let map = YAMLMap(pairs: pairs, label: label, place: place, document: document)
        let value = body(map)
        map.refuseUnknownKeys()
        return value
    }
}
