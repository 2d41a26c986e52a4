package import FoundationEssentials

/// Any JSON value. Requests are kept as they came, answers are built of it, and a fault can take a field out of it.
package enum SandboxJSON: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Decimal)
    case string(String)
    case array([SandboxJSON])
    case object([String: SandboxJSON])

    /// The member `key` of an object, nil for everything else.
    package subscript(key: String) -> SandboxJSON? {
        if case .object(let members) = self { members[key] } else { nil }
    }

    package var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// Keys in order, so that the same answer is always the same bytes.
    func bytes() -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Encoding fails for nothing that this type can hold: a Decimal that is not a number is never stored in it.
        return (try? encoder.encode(self)).map(Array.init) ?? Array("null".utf8)
    }

    init?(bytes: [UInt8]) {
        guard let value = try? JSONDecoder().decode(SandboxJSON.self, from: Data(bytes)) else { return nil }
        self = value
    }
}

extension SandboxJSON: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Decimal.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([SandboxJSON].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: SandboxJSON].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

extension SandboxJSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int) { self = .number(Decimal(value)) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension SandboxJSON: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    package init(arrayLiteral elements: SandboxJSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, SandboxJSON)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}
