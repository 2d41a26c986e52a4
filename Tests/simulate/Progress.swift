import Foundation
import KeyturnTestKit

/// One line on a terminal that says how far it has got; nothing elsewhere.
struct Progress {
    private let total: Int
    private let isShown = isatty(STDERR_FILENO) == 1
    private var shownAt = ContinuousClock.now

    init(of total: Int) { self.total = total }

    mutating func show(_ report: SimulationReport) {
        guard isShown, shownAt.duration(to: .now) > .milliseconds(200) else { return }
        shownAt = .now
        let line = "\r\u{1B}[K\(report.seeds) of \(total) seeds, \(Int(report.years)) years, \(report.failures.count) failing"
        FileHandle.standardError.write(Data(line.utf8))
    }

    func clear() { if isShown { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) } }
}
