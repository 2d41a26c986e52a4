package import FoundationEssentials

extension Fault {
    /// The kinds, by what they leave of the operation.
    package enum Kind: Equatable, Sendable {
        case instead(Refusal)
        case afterwards(Damage)
        case twist(Twist)
    }

    /// Nothing is done; this happens instead.
    package enum Refusal: Equatable, Sendable {
        case reset, hang, errorIn200, deadAdmin
        case tooManyRequests(retryAfter: Int?)
        case failure(Int)
    }

    /// The operation is done, and its answer spoilt.
    package enum Damage: Equatable, Sendable {
        case lostAnswer, hang, garbage, truncated, shortBody, oversized, missingID, missingKey, maskedKey
        /// Both figures of usage are this text, JSON or not; or a currency stands beside them.
        case figures(String), currency(String)
        case failure(Int)
        /// Spoilt twice: no answer now, and the deed only so many seconds later.
        case lateCommit(TimeInterval)
    }

    /// The operation is done and answered well, but its effect is not what the client expects.
    package enum Twist: Equatable, Sendable {
        case lateValidity(TimeInterval), laggingRevocation(TimeInterval), noModels
    }
}

/// One kind of fault: its name, where it strikes, what it does and what it reads after the `=`.
struct FaultRow: Sendable {
    enum Value: Sendable {
        case none(Fault.Kind)
        case span(TimeInterval, @Sendable (TimeInterval) -> Fault.Kind)
        case seconds(@Sendable (Int?) -> Fault.Kind)
        /// Any text; the first is for example.
        case text(String, @Sendable (String) -> Fault.Kind)
    }

    let name: String
    /// Where it strikes when nothing is said.
    let usual: Set<SandboxOperation>
    /// Where it can strike at all: what `all` means, too.
    let possible: Set<SandboxOperation>
    let value: Value
    let does: String

    init(_ name: String, _ usual: Set<SandboxOperation>, of possible: Set<SandboxOperation>? = nil, _ value: Value, _ does: String) {
        self.name = name
        self.usual = usual
        self.possible = possible ?? usual
        self.value = value
        self.does = does
    }

    /// The kind with this text after its `=`; nil when the text does not fit.
    func kind(_ text: Substring?) -> Fault.Kind? {
        switch value {
        case .none(let kind): text == nil ? kind : nil
        case .span(let usual, let make): text.map(FaultRow.span).map { $0.map(make) } ?? make(usual)
        case .text(let example, let make): make(text.map(String.init) ?? example)
        case .seconds(let make): text.map { Int($0).flatMap { $0 < 0 ? nil : make($0) } } ?? make(nil)
        }
    }

    var expected: String {
        switch value {
        case .none: "\(name) takes no value"
        case .span(let usual, _): "\(name) takes a time span, for example \(name)=\(Int(usual))s"
        case .text(let example, _): "\(name) takes a value, for example \(name)=\(example)"
        case .seconds: "\(name) takes the seconds of Retry-After, for example \(name)=7"
        }
    }

    var places: String { possible.map(\.rawValue).sorted().joined(separator: ", ") }

    private static func span(_ text: Substring) -> TimeInterval? {
        let units: [(String, TimeInterval)] = [("ms", 0.001), ("min", 60), ("h", 3600), ("s", 1), ("", 1)]
        for (unit, seconds) in units where text.hasSuffix(unit) {
            guard let number = Double(text.dropLast(unit.count)), number.isFinite, number >= 0 else { return nil }
            return number * seconds
        }
        return nil
    }
}

extension Fault {
    /// The kinds as a table, one line each, for `keyturn sandbox --help`.
    package static var help: String {
        let width = FaultRow.all.map(\.name.count).max() ?? 0
        return FaultRow.all.map { row in
            row.name + String(repeating: " ", count: width - row.name.count + 2) + "\(row.does) (\(row.places))"
        }.joined(separator: "\n")
    }
}
