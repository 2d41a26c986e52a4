import Yams

/// One YAML file as a tree, with everything that settings and policies have no use for refused: anchors, aliases, tags,
/// merge keys, duplicate keys, a second document.
///
/// Yams resolves aliases while it composes and stops at a duplicate key with the position of another. So both are taken out of
/// the text, and reported, before its result is used: a scalar is replaced by a scalar, and every other position stays true.
/// As no anchor is left, the weak anchors in Yams's nodes are not needed, and an alias bomb never goes off.
final class YAMLDocument {
    private(set) var source: YAMLSource
    let problems: ProblemList
    /// What stood where a private-use scalar stands now.
    private var masks: [Unicode.Scalar: Unicode.Scalar] = [:]

    /// Beyond so many references and duplicates a file is given up.
    private static let patience = 40

    init(source: YAMLSource, problems: ProblemList) {
        self.source = source
        self.problems = problems
    }

    /// The value that the file holds; nil when it is none, which is reported.
    static func read(_ file: String, into problems: ProblemList) -> YAMLValue? {
        do throws(RegularFile.Unusable) {
            return read(try RegularFile.read(file), of: file, into: problems)
        } catch {
            problems.add(
                "found \(error.found), expected a readable YAML file of at most 1 MiB", at: FilePosition(file: file),
                isPermission: error.isPermission
            )
            return nil
        }
    }

    static func read(_ bytes: [UInt8], of file: String, into problems: ProblemList) -> YAMLValue? {
        let source: YAMLSource
        do throws(ConfigurationErrors) {
            source = try YAMLSource(file: file, bytes: bytes)
        } catch {
            error.problems.forEach(problems.add)
            return nil
        }
        guard !source.isBlank else {
            problems.add("found an empty file, expected a map of keys and values", at: FilePosition(file: file, line: 1, column: 1))
            return nil
        }
        let document = YAMLDocument(source: source, problems: problems)
        guard let root = document.composed() else { return nil }
        document.checkStructure(of: root)
        return YAMLValue(node: root, label: "", document: document)
    }

    /// The key's text as the file has it; nil for a key that is a list or a map.
    func text(ofKey key: Node) -> String? {
        guard case .scalar(let scalar) = key else { return nil }
        return unmasked(scalar.string)
    }

    /// Does this stand for an alias, which was reported already?
    func isAlias(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain, let first = scalar.string.unicodeScalars.first else { return false }
        return masks[first] == "*"
    }

    private func composed() -> Node? {
        for _ in 0..<YAMLDocument.patience {
            let probe = textWithSpoiltReferences()
            do {
                let root = try compose(probe ?? source.text)
                return probe == nil ? root : try compose(source.text)
            } catch YamlError.scanner(let context?, _, _, _) where takeOutReference(at: context) {
                continue
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                if maskDuplicate(at: context.mark) { continue }
                problems.add(
                    "found the key \(keys.sorted().first.map(quoted) ?? "") twice in one map, expected it once",
                    at: source.place(context.mark)
                )
            } catch {
                problems.add(syntaxProblem(error))
            }
            return nil
        }
        problems.add(
            "found more than \(YAMLDocument.patience) anchors, aliases and duplicate keys, expected none",
            at: problems.all.last?.place ?? FilePosition(file: source.file)
        )
        return nil
    }

    private func compose(_ text: String) throws -> Node? {
        // The encoding is given, as the default looks into the process's environment; resolving tags is left to YAMLValue.
        try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
    }

    /// `&name` and `*name` made into `&&ame` and `**ame`, which the scanner refuses, with the exact position, wherever it would
    /// have seen an anchor or alias and nowhere else (not within a text or comment). Nil when nothing looks like one.
    private func textWithSpoiltReferences() -> String? {
        var probe = source.scalars
        var spoilt = false
        for index in probe.indices.dropLast() where isSign(probe[index]) && isNameScalar(source.scalars[index + 1]) {
            probe[index + 1] = probe[index]
            spoilt = true
        }
        return spoilt ? String(String.UnicodeScalarView(probe)) : nil
    }

    private func isSign(_ scalar: Unicode.Scalar) -> Bool { scalar == "&" || scalar == "*" }

    private func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_" || scalar == "-")
    }

    /// Reports an anchor (blanked) or alias (masked); false when the scanner stopped for another reason.
    private func takeOutReference(at context: YamlError.Context) -> Bool {
        guard context.text.hasPrefix("while scanning an a"), let index = source.index(context.mark), isSign(source.scalars[index]),
            index + 1 < source.scalars.count, isNameScalar(source.scalars[index + 1])
        else { return false }
        let name = source.scalars[(index + 1)...].prefix(while: isNameScalar)
        let isAlias = source.scalars[index] == "*"
        let text = String(String.UnicodeScalarView(name))
        problems.add(
            "found the \(isAlias ? "alias *" : "anchor &")\(text), expected plain YAML (no anchors, aliases or merge keys)",
            at: source.place(context.mark)
        )
        if isAlias { return mask(index) }
        for blank in index...(index + name.count) { source.replace(blank, with: " ") }
        return true
    }

    /// Makes one of two equal keys differ, so that Yams composes the map and `checkStructure` sees both with their positions.
    private func maskDuplicate(at mark: Mark) -> Bool {
        guard var index = source.index(mark) else { return false }
        if source.scalars[index] == "\"" || source.scalars[index] == "'" { index += 1 }
        // The first scalar of a key that is written with an escape, as a block, with a tag or not at all cannot be masked.
        guard index < source.scalars.count, !"\\|>!?[{\"':,".unicodeScalars.contains(source.scalars[index]) else { return false }
        return mask(index)
    }

    private func mask(_ index: Int) -> Bool {
        let present = Set(source.scalars)
        guard let mask = (0xF0000...0xFFFFD).lazy.compactMap(Unicode.Scalar.init).first(where: { !present.contains($0) }) else {
            return false
        }
        masks[mask] = source.scalars[index]
        source.replace(index, with: mask)
        return true
    }

    private func unmasked(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { masks[$0] ?? $0 }))
    }

    private func syntaxProblem(_ error: any Error) -> Problem {
        switch error {
        case YamlError.composer(_, let problem, let mark, _) where problem.contains("another document"):
            return Problem(place: source.place(mark), message: "found a second document, expected one document a file")
        case YamlError.scanner(let context, let problem, let mark, _), YamlError.parser(let context, let problem, let mark, _),
            YamlError.composer(let context, let problem, let mark, _):
            if problem.hasPrefix("Maximum nesting") {
                return Problem(place: source.place(mark), message: "found more than 1000 levels of nesting, expected a policy's few")
            }
            let found = source.scalar(at: mark) == "\t" ? "a tab: \(problem)" : problem
            let begun = context.map { " (\($0.text) that begins at \($0.mark))" } ?? ""
            return Problem(place: source.place(mark), message: "found no YAML: \(found)\(begun), expected correct YAML, indented by spaces")
        default:
            return Problem(place: FilePosition(file: source.file), message: "found no YAML: \(error), expected correct YAML")
        }
    }
}
