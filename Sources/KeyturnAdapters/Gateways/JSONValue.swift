import Foundation

/// Any JSON that a gateway may send, numbers exact. Reading never assumes: what is not there, or is of another type, is nil.
enum JSONValue: Sendable, Equatable, Decodable {
    case null
    case bool(Bool)
    case number(Decimal)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    /// Nil for what is no JSON.
    init?(parsing bytes: [UInt8]) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes)) else { return nil }
        self = value
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let number = try? container.decode(Decimal.self) {
            self = .number(number)
        } else if let flag = try? container.decode(Bool.self) {
            self = .bool(flag)
        } else if let object = try? container.decode([String: JSONValue].self) {
            self = .object(object)
        } else {
            self = .list(try container.decode([JSONValue].self))
        }
    }

    subscript(key: String) -> JSONValue? {
        guard case .object(let object) = self, let value = object[key], value != .null else { return nil }
        return value
    }

    var text: String? { if case .text(let text) = self { text } else { nil } }
    var list: [JSONValue]? { if case .list(let list) = self { list } else { nil } }
    var bool: Bool? { if case .bool(let flag) = self { flag } else { nil } }

    /// A number, also one that was sent as text.
    var decimal: Decimal? {
        switch self {
        case .number(let number): number
        case .text(let text): Decimal(exactly: text)
        default: nil
        }
    }

    var int: Int? { decimal.flatMap { Int("\($0)") } }

    /// An identifier: a short plain word, or a number that is meant as one. It goes into addresses, journal and log; anything
    /// longer or stranger is none.
    var identifier: String? {
        let word: String? =
            switch self {
            case .text(let text): text
            case .number(let number): "\(number)"
            default: nil
            }
        guard let word, word.utf8.count <= 128, word != ".", word != "..", word.wholeMatch(of: /[A-Za-z0-9._\-]+/) != nil else {
            return nil
        }
        return word
    }

    /// A moment, and whether its zone was said.
    struct Time: Sendable, Equatable {
        var date: Date
        /// False for a clock on some wall, read as if it hung in Greenwich: the truth is up to fourteen hours off either way.
        var isZoned: Bool
    }

    /// ISO 8601 with or without fractions of a second, a zone, a `T` in its middle; or a number of seconds or milliseconds
    /// since 1970, from September 2001 on. A day alone is no moment, and nil, as are the 0 and -1 that some write for never.
    var time: Time? {
        switch self {
        case .number(let number):
            let seconds = (number as NSDecimalNumber).doubleValue
            if (1e9..<1e10).contains(seconds) { return Time(date: Date(timeIntervalSince1970: seconds), isZoned: true) }
            if (1e12..<1e13).contains(seconds) { return Time(date: Date(timeIntervalSince1970: seconds / 1000), isZoned: true) }
            return nil
        case .text(let text): return JSONValue.time(text)
        default: return nil
        }
    }

    private static func time(_ words: String) -> Time? {
        guard words.utf8.count <= 40 else { return nil }
        var text = words.replacing(" ", with: "T", maxReplacements: 1)
        if let dot = text.firstIndex(of: ".") {
            let end = text[text.index(after: dot)...].firstIndex { !$0.isNumber } ?? text.endIndex
            text.removeSubrange(dot..<end)
        }
        guard text.contains("T") else { return nil }
        let clock = text.drop { $0 != "T" }
        let isZoned = clock.hasSuffix("Z") || clock.contains("+") || clock.contains("-")
        return (try? Date(isZoned ? text : text + "Z", strategy: .iso8601)).map { Time(date: $0, isZoned: isZoned) }
    }
}
