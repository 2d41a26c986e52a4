/// Metrics in Prometheus' text format: families in the order they were added, each told once.
package struct MetricsText: Sendable {
    package enum Kind: String, Sendable {
        case gauge, counter
    }

    package private(set) var text = ""

    package init() {}

    /// A family with all its series; nothing where there are none. `labels` in the order they are to be shown.
    package mutating func add(_ name: String, _ kind: Kind, _ help: String, _ series: [(labels: [(String, String)], value: Double)]) {
        guard !series.isEmpty else { return }
        text += "# HELP \(name) \(help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n"))\n# TYPE \(name) \(kind.rawValue)\n"
        for (labels, value) in series {
            let pairs = labels.map { "\($0)=\"\(MetricsText.escape($1))\"" }.joined(separator: ",")
            text += name + (pairs.isEmpty ? "" : "{\(pairs)}") + " \(MetricsText.number(value))\n"
        }
    }

    package mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double?) {
        if let value { add(name, kind, help, [([], value)]) }
    }

    private static func escape(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    /// Whole numbers without a fraction, as people read them.
    private static func number(_ value: Double) -> String {
        value.rounded() == value && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }
}
