import Synchronization

/// What a row of kills has come to: how many and where, and everything that may not be.
final class Reckoning: Sendable {
    /// Everything that may not be, by kind.
    enum Wrong: String, CaseIterable, Sendable {
        case failedCall = "failed calls"
        /// Alive at the gateway under our name, and no secret of it in the keyring.
        case orphan = "orphans"
        /// Alive beside its successor, though nothing needs it any more.
        case forgotten = "forgotten revocations"
        case touched = "others' tokens touched"
        /// It never came to rest, or said what it should not.
        case unsettled = "not settled"
    }

    private struct Figures {
        var kills: [String: Int] = [:]
        var calls = 0
        var stalled = 0
        var missed = 0
        var ends: [String: Int] = [:]
        var wrongs: [Wrong: [String]] = [:]
    }

    private let figures = Mutex(Figures())
    /// Of kills, for the progress.
    private let planned: Int

    init(planned: Int) { self.planned = planned }

    var kills: Int { figures.withLock { $0.kills.values.reduce(0, +) } }
    var missed: Int { figures.withLock { $0.missed } }
    var wrongs: [String] { figures.withLock { $0.wrongs.values.flatMap(\.self) } }

    func count(kill: String) {
        let kills = figures.withLock { figures in
            figures.kills[kill, default: 0] += 1
            return figures.kills.values.reduce(0, +)
        }
        if kills.isMultiple(of: 10) { print("kills: \(kills) of \(planned), \(wrongs.count) wrong") }
    }

    /// The step at which a process was to die did not come: it was killed at the end of its life.
    func countMissed() { figures.withLock { $0.missed += 1 } }

    func count(_ traffic: Traffic, _ where: String) {
        figures.withLock {
            $0.calls += traffic.allCalls
            $0.stalled += traffic.stalled
        }
        for failure in traffic.failures { add(.failedCall, failure, `where`) }
    }

    func count(end: String) { figures.withLock { $0.ends[end, default: 0] += 1 } }

    func add(_ wrong: Wrong, _ what: String, _ where: String) {
        figures.withLock { $0.wrongs[wrong, default: []].append("\(`where`): \(what)") }
    }

    /// For people: the figures, and kills by step.
    var report: String {
        figures.withLock { figures in
            let kills = figures.kills.values.reduce(0, +)
            var lines = figures.kills.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { "  \(pad($0.value)) \($0.key)" }
            lines.append("kills: \(kills), of which steps that did not come: \(figures.missed)")
            lines.append("calls of consumers: \(figures.calls), too slow to follow their target: \(figures.stalled)")
            lines.append("end states: " + figures.ends.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
            for wrong in Wrong.allCases {
                let found = figures.wrongs[wrong] ?? []
                lines.append("\(wrong.rawValue): \(found.count)")
                lines += found.prefix(20).map { "  \($0)" }
            }
            return lines.joined(separator: "\n")
        }
    }

    private func pad(_ number: Int) -> String { String(repeating: " ", count: max(0, 4 - String(number).count)) + String(number) }
}
