import Foundation

extension SimulationReport {
    /// The figures, one a line.
    package func table(in duration: Duration?) -> String {
        var rows: [(String, String)] = [
            ("seeds", "\(seeds)"), ("simulated years", String(format: "%.1f", years)), ("passes", "\(passes)"),
            ("rotations finished", "\(finished)"), ("rotations abandoned", "\(abandoned)"), ("generations created", "\(created)"),
            ("generations revoked", "\(revoked)"), ("deaths of the process", "\(deaths)"), ("faults", "\(faults.values.reduce(0, +))"),
        ]
        rows += SimulationReport.rows(of: faults)
        rows.append(("incidents", "\(incidents.values.reduce(0, +))"))
        rows += SimulationReport.rows(of: incidents)
        rows.append(("violations", "\(failures.reduce(0) { $0 + $1.violations.count })"))
        if let duration {
            rows.append(
                ("seconds", String(format: "%.1f", Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18)))
        }
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { $0.0 + String(repeating: " ", count: width - $0.0.count + 2) + $0.1 }.joined(separator: "\n")
    }

    private static func rows(of counts: [String: Int]) -> [(String, String)] {
        counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ("  " + $0.key, "\($0.value)") }
    }
}

extension SimulationReport.Failure {
    /// What repeats it, with all that happened.
    package var command: String { "swift run simulate --seed \(seed)\(size == .short ? " --short" : "") --trace" }
}
