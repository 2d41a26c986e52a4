import Foundation

/// One document for programs: stable keys in snake_case, times in ISO 8601 UTC.
enum JSONOutput {
    static func print(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(date.iso)
        }
        Terminal.print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}

extension Date {
    /// `2026-11-23T18:22:00Z`
    var iso: String { formatted(.iso8601) }
}

/// Encodes nil as null, so that every document of a kind has the same keys.
struct Nullable<Value: Encodable>: Encodable {
    var value: Value?

    init(_ value: Value?) { self.value = value }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let value { try container.encode(value) } else { try container.encodeNil() }
    }
}
