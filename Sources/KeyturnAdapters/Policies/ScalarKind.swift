/// What YAML 1.1, which many programs still speak, makes of an unquoted scalar.
enum ScalarKind: Equatable {
    case text, null, boolean, date, float
    /// With its value, nil where it does not fit.
    case integer(Int?)

    init(plain text: String) {
        self =
            switch text {
            case "", "~", "null", "Null", "NULL": .null
            case _ where ["y", "n", "yes", "no", "true", "false", "on", "off"].contains(text.lowercased()): .boolean
            case _ where text.wholeMatch(of: /[0-9]{4}-[0-9][0-9]?-[0-9][0-9]?([Tt \t].*)?/) != nil: .date
            case _ where ScalarKind.isInteger(text): .integer(ScalarKind.value(ofInteger: text))
            case _ where text.wholeMatch(of: /[-+]?([0-9][0-9_]*)?\.[0-9_]*([eE][-+]?[0-9]+)?/) != nil && text.contains(where: \.isNumber):
                .float
            case _ where text.wholeMatch(of: /[-+]?[0-9][0-9_]*([eE][-+]?[0-9]+|(:[0-5]?[0-9])+\.[0-9_]*)/) != nil: .float
            case _ where text.wholeMatch(of: /[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)/) != nil: .float
            default: .text
            }
    }

    /// With its article, for a message; nil for text.
    var name: String? {
        switch self {
        case .text: nil
        case .null: "nothing"
        case .boolean: "a boolean"
        case .date: "a date"
        case .float: "a number"
        case .integer(let value): value.map { "the number \($0)" } ?? "a number"
        }
    }

    private static func isInteger(_ text: String) -> Bool {
        text.wholeMatch(of: /[-+]?(0[bB][01_]+|0[xX][0-9a-fA-F_]+|0o[0-7_]+|[0-9][0-9_]*(:[0-5]?[0-9])*)/) != nil
    }

    private static func value(ofInteger text: String) -> Int? {
        let digits = text.lowercased().filter { $0 != "_" && $0 != "+" && $0 != "-" }
        let size: Int? =
            if digits.hasPrefix("0b") {
                Int(digits.dropFirst(2), radix: 2)
            } else if digits.hasPrefix("0x") {
                Int(digits.dropFirst(2), radix: 16)
            } else if digits.hasPrefix("0o") {
                Int(digits.dropFirst(2), radix: 8)
            } else if digits.contains(":") {
                // Sexagesimal: 1:30 is 90.
                digits.split(separator: ":").reduce(into: 0 as Int?) { sum, part in
                    sum = sum.flatMap { $0 < 1 << 50 ? $0 * 60 + (Int(part) ?? 0) : nil }
                }
            } else if digits.count > 1, digits.first == "0", !digits.contains(where: { $0 > "7" }) {
                Int(digits, radix: 8)
            } else {
                Int(digits)
            }
        return text.hasPrefix("-") ? size.map { -$0 } : size
    }
}
