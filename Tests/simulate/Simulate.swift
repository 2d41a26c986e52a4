import ArgumentParser
import Foundation
import KeyturnTestKit

/// Lives through as many seeds as one likes and says what came of it.
@main struct Simulate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "The whole engine through virtual years of trouble, a seed at a time.",
        discussion: "Exits with 1 when a promise was broken; each failing seed is printed with the command that repeats it."
    )

    @Option(help: "How many seeds.") var seeds = 1000
    @Option(help: "The first of them.") var from: UInt64 = 1
    @Option(help: "Only this seed.") var seed: UInt64?
    @Flag(help: "Weeks and few tokens for each, as the tests do it.") var short = false
    @Flag(help: "With --seed: every call, fault and incident, one a line.") var trace = false
    @Option(help: "Failing seeds after which it stops.") var failures = 10

    private var size: Scenario.Size { short ? .short : .long }

    func run() async throws {
        if let seed { return try await replay(seed) }
        let started = ContinuousClock.now
        var progress = Progress(of: seeds)
        let report = await Seeds(from..<from + UInt64(max(0, seeds)), size: size).run { report in
            progress.show(report)
            return report.failures.count < failures
        }
        progress.clear()
        for failure in report.failures { tell(failure) }
        print(report.table(in: started.duration(to: .now)))
        if !report.failures.isEmpty { throw ExitCode(1) }
    }

    private func replay(_ seed: UInt64) async throws {
        var simulation = Simulation(seed: seed, size: size, keepsTrace: trace)
        let report = await simulation.run()
        if trace { for line in simulation.world.with({ $0.trace }) { print(line) } }
        print(report.table(in: nil))
        for failure in report.failures { tell(failure) }
        if !report.failures.isEmpty { throw ExitCode(1) }
    }

    private func tell(_ failure: SimulationReport.Failure) {
        print("seed \(failure.seed):")
        for violation in failure.violations { print("  \(violation)") }
        print("  again: \(failure.command)")
    }
}
