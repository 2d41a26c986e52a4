import KeyturnCore

/// A naming pattern as it is written, `{environment}-{project}-{purpose}-{date}`, before a token fills it in.
struct NamingTemplate {
    enum Part: Equatable {
        case text(String)
        case environment, project, purpose, date
    }

    var parts: [Part]

    static let builtIn = NamingTemplate(parts: [.environment, .text("-"), .project, .text("-"), .purpose, .text("-"), .date])

    func pattern(environment: String, project: String, purpose: String) -> NamingPattern {
        let texts = parts.map { part -> String? in
            switch part {
            case .text(let text): text
            case .environment: environment
            case .project: project
            case .purpose: purpose
            case .date: nil
            }
        }
        let ends = texts.split(separator: nil, maxSplits: 1, omittingEmptySubsequences: false).map { $0.compactMap(\.self).joined() }
        return NamingPattern(prefix: ends[0], suffix: ends[ends.count - 1])
    }
}

extension YAMLValue {
    /// A pattern with exactly one `{date}`, of characters that every gateway takes in a name.
    func namingTemplate() -> NamingTemplate? {
        let expected = "a pattern such as \"{environment}-{project}-{purpose}-{date}\""
        guard let text = text(expected) else { return nil }
        let places: [String: NamingTemplate.Part] = ["environment": .environment, "project": .project, "purpose": .purpose, "date": .date]
        var parts: [NamingTemplate.Part] = []
        var rest = Substring(text)
        while let first = rest.first {
            if first == "{", let end = rest.firstIndex(of: "}") {
                let name = String(rest[rest.index(after: rest.startIndex)..<end])
                guard let part = places[name] else {
                    let near = nearest(to: name, among: places.keys).map { " (did you mean '{\($0)}'?)" } ?? ""
                    refuse(
                        expected: "{environment}, {project}, {purpose} and one {date}\(near)",
                        found: "the placeholder \(quoted("{\(name)}"))"
                    )
                    return nil
                }
                parts.append(part)
                rest = rest[rest.index(after: end)...]
                continue
            }
            guard first.isASCII, first.isLetter || first.isNumber || "._-".contains(first) else {
                refuse(expected: "letters, digits, '.', '_', '-' and placeholders", found: "\(quoted(String(first))) in \(shown)")
                return nil
            }
            let literal = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
            parts.append(.text(String(literal)))
            rest = rest.dropFirst(literal.count)
        }
        let dates = parts.count { $0 == .date }
        guard dates == 1, parts.count > 1 else {
            refuse(
                expected: dates == 1 ? "something beside {date}" : "{date} once",
                found: "\(shown)\(dates == 1 ? "" : " with \(dates) of {date}")"
            )
            return nil
        }
        return NamingTemplate(parts: parts)
    }
}
