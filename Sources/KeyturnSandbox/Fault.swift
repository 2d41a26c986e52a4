import FoundationEssentials

/// Something that goes wrong on purpose, as `--fault` names it.
///
///     KIND[=VALUE][:OPERATION][@PROBABILITY][#COUNT]
///
/// `KIND` is a row of `FaultKinds.swift`. `VALUE` is a time span (`5s`, `500ms`, `2min`, plain seconds) where the kind lasts, or
/// the seconds of `Retry-After` for `429`. `OPERATION` is `create`, `list`, `revoke`, `models`, `usage` or `all`; without it
/// a fault strikes where its kind hurts most. `PROBABILITY` is 0...1 and 1 when left out; `COUNT` is how many times it
/// strikes at most, without limit when left out. `lost-answer`, `502-after:revoke@0.3`, `429=7:all#2`.
package struct Fault: Equatable, Sendable {
    package var kind: Kind
    package var operations: Set<SandboxOperation>
    package var probability: Double
    package var count: Int?

    package init(parsing text: String) throws(FaultError) {
        var rest = Substring(text)
        let count = Fault.cut("#", from: &rest)
        let probability = Fault.cut("@", from: &rest)
        let operation = Fault.cut(":", from: &rest)
        let value = Fault.cut("=", from: &rest)
        guard let row = FaultRow.all.first(where: { $0.name == rest }) else { throw FaultError(text, .unknownKind) }
        guard let kind = row.kind(value) else { throw FaultError(text, .badValue(row)) }
        self.kind = kind
        self.operations = try Fault.operations(operation, of: row, in: text)
        guard let chance = Double(probability ?? "1"), (0...1).contains(chance) else { throw FaultError(text, .badProbability) }
        self.probability = chance
        self.count = count.flatMap { Int($0) }
        if count != nil, self.count ?? 0 < 1 { throw FaultError(text, .badCount) }
    }

    /// What follows the last `separator` in `text`, which loses both.
    private static func cut(_ separator: Character, from text: inout Substring) -> Substring? {
        guard let place = text.lastIndex(of: separator) else { return nil }
        defer { text = text[..<place] }
        return text[text.index(after: place)...]
    }

    private static func operations(
        _ name: Substring?,
        of row: FaultRow,
        in text: String
    ) throws(FaultError) -> Set<SandboxOperation> {
        guard let name else { return row.usual }
        if name == "all" { return row.possible }
        guard let operation = SandboxOperation(rawValue: String(name)), row.possible.contains(operation) else {
            throw FaultError(text, .badOperation(row))
        }
        return [operation]
    }
}

/// A `--fault` that cannot be read; its description is one sentence for the person who typed it.
package struct FaultError: Error, CustomStringConvertible {
    enum Cause {
        case unknownKind
        case badValue(FaultRow)
        case badOperation(FaultRow)
        case badProbability
        case badCount
    }

    package let argument: String
    let cause: Cause

    init(_ argument: String, _ cause: Cause) {
        self.argument = argument
        self.cause = cause
    }

    package var description: String {
        let what =
            switch cause {
            case .unknownKind: "the kinds are \(FaultRow.all.map(\.name).joined(separator: ", "))"
            case .badValue(let row): row.expected
            case .badOperation(let row): "\(row.name) strikes \(row.places)"
            case .badProbability: "a probability is a number from 0 to 1"
            case .badCount: "a count is a whole number from 1"
            }
        return "\"\(argument)\" is no fault: \(what) (KIND[=VALUE][:OPERATION][@PROBABILITY][#COUNT])"
    }
}
