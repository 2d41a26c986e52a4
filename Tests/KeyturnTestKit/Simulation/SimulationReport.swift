package import Foundation

/// The figures of one run, or of many together.
package struct SimulationReport: Sendable, Equatable {
    package struct Failure: Sendable, Equatable {
        package let seed: UInt64
        package let size: Scenario.Size
        package let violations: [String]
    }

    package private(set) var seeds = 1
    /// Of virtual time.
    package private(set) var seconds: TimeInterval
    package private(set) var passes: Int
    package private(set) var finished: Int
    package private(set) var abandoned: Int
    package private(set) var created: Int
    package private(set) var revoked: Int
    package private(set) var deaths: Int
    package private(set) var faults: [String: Int]
    package private(set) var incidents: [String: Int]
    package private(set) var failures: [Failure]

    package init(
        seconds: TimeInterval, passes: Int, finished: Int, abandoned: Int, created: Int, revoked: Int, deaths: Int, faults: [String: Int],
        incidents: [String: Int], failures: [Failure]
    ) {
        self.seconds = seconds
        self.passes = passes
        self.finished = finished
        self.abandoned = abandoned
        self.created = created
        self.revoked = revoked
        self.deaths = deaths
        self.faults = faults
        self.incidents = incidents
        self.failures = failures
    }

    /// Of no run at all.
    package init() {
        self.init(
            seconds: 0, passes: 0, finished: 0, abandoned: 0, created: 0, revoked: 0, deaths: 0, faults: [:], incidents: [:], failures: [])
        seeds = 0
    }

    package static func += (sum: inout SimulationReport, other: SimulationReport) {
        sum.seeds += other.seeds
        sum.seconds += other.seconds
        sum.passes += other.passes
        sum.finished += other.finished
        sum.abandoned += other.abandoned
        sum.created += other.created
        sum.revoked += other.revoked
        sum.deaths += other.deaths
        sum.faults.merge(other.faults, uniquingKeysWith: +)
        sum.incidents.merge(other.incidents, uniquingKeysWith: +)
        sum.failures += other.failures
    }

    package var years: Double { seconds / 86400 / 365.25 }
}
