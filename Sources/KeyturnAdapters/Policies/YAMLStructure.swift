import Yams

extension YAMLDocument {
    /// Reports what is refused wherever it stands: tags, merge keys, keys that are no text, duplicate keys.
    func checkStructure(of node: Node) {
        // libyaml gives up at 1000 levels, so the recursion is bounded.
        if source.scalar(at: node.mark) == "!" {
            problems.add("found a tag, expected plain YAML (no tags)", at: source.place(node.mark))
        }
        switch node {
        case .scalar, .alias: break
        case .sequence(let items): items.forEach(checkStructure)
        case .mapping(let pairs):
            checkKeys(of: pairs)
            pairs.values.forEach(checkStructure)
        }
    }

    private func checkKeys(of pairs: Node.Mapping) {
        var firsts: [String: FilePosition] = [:]
        for key in pairs.keys {
            let place = source.place(key.mark)
            guard let text = text(ofKey: key), source.scalar(at: key.mark) != "!" else {
                problems.add(
                    "found a \(key.mapping == nil && key.sequence == nil ? "tag" : "list or map") as a key, expected a word",
                    at: place
                )
                continue
            }
            if isAlias(key) { continue }
            if text == "<<" {
                problems.add("found the merge key <<, expected plain YAML (no anchors, aliases or merge keys)", at: place)
            }
            if let first = firsts[text] {
                problems.add(
                    "found the key \(quoted(text)) a second time (the first is at \(first.line ?? 0):\(first.column ?? 0)), expected it once",
                    at: place
                )
            } else {
                firsts[text] = place
            }
        }
    }
}

/// Text of a file within a message: short, on one line, in single quotes. What looks like a token is not repeated.
func quoted(_ text: String) -> String {
    let text = text.replacing(/sk-[A-Za-z0-9_-]{8,}/, with: "sk-...")
    let shown = text.unicodeScalars.prefix(60).map {
        $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? $0.escaped(asASCII: true) : String($0)
    }
    return "'" + shown.joined() + (text.unicodeScalars.count > 60 ? "..." : "") + "'"
}
