import KeyturnCore
import Yams

extension YAMLValue {
    /// One item of `deliver:`; a template's file may be relative to the policy's `folder`.
    func target(_ folder: String) -> TargetPolicy? {
        map("a map such as {file: /etc/webapp/laozhang.env, format: dotenv, key: LAOZHANG_API_KEY}") { map in
            let file = map.required("file", "the absolute path of the file")?.filePath()
            let format = format(map, folder)
            let target = TargetPolicy(
                file: file ?? "",
                format: format ?? .raw,
                owner: map["owner"]?.account("a user's name or number"),
                group: map["group"]?.account("a group's name or number"),
                mode: map["mode"]?.mode(),
                then: map["then"]?.then() ?? nil,
                confirm: map["confirm"]?.confirm()
            )
            return file == nil || format == nil ? nil : target
        } ?? nil
    }

    private enum FormatName { case raw, dotenv, json, template }

    /// Nil when it is wrong, so that nothing else is compared with it.
    private func format(_ map: YAMLMap, _ folder: String) -> Format? {
        let names: [(String, FormatName)] = [("raw", .raw), ("dotenv", .dotenv), ("json", .json), ("template", .template)]
        let key = map["key"]
        let template = map["template"]
        guard let name = map["format"].map({ $0.word(of: names) }) ?? .raw else { return nil }
        if name != .template { template?.refuse(expected: "no template without format: template", found: "one") }
        switch name {
        case .raw:
            key?.refuse(expected: "no key with format: raw; a key needs format: dotenv or json", found: key?.shown)
            return key == nil && template == nil ? .raw : nil
        case .template:
            key?.refuse(expected: "no key with format: template", found: key?.shown)
            return map.required("template", "the text of the file, or {file: PATH}")?.template(folder).map(Format.template)
        case .dotenv:
            return map.required("key", "the variable's name, such as LAOZHANG_API_KEY")?.matching(
                "a variable's name such as LAOZHANG_API_KEY"
            ) {
                $0.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil
            }
            .map { .dotenv(key: $0) }
        case .json:
            let expected = "a JSON pointer such as /gateway/api_key, where ~0 is a tilde and ~1 a slash"
            return map.required("key", "a JSON pointer such as /gateway/api_key")?.matching(expected) {
                $0.wholeMatch(of: /(\/([^~\/]|~0|~1)*)+/) != nil
            }
            .map { .json(pointer: $0) }
        }
    }

    private func template(_ folder: String) -> Format.Template? {
        if node.mapping != nil {
            let path = map("{file: PATH}") { map in map.required("file", "the path of the template")?.path(from: folder, "a path") } ?? nil
            return path.map(Format.Template.file)
        }
        let expected = "the text of the file with {{secret}} in it, or {file: PATH}"
        // Any scalar will do: a block of lines is not quoted, and YAML 1.1 knows no other meaning of one with braces.
        guard let text = scalarText, text.contains(/\{\{\{?&?\s*secret\s*\}\}/) else {
            refuse(expected: expected, found: scalarText == nil ? nil : "a text without {{secret}}")
            return nil
        }
        return .text(text)
    }
}
