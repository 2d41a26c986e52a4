import Foundation

/// Many seeds, one worker a processor.
package struct Seeds: Sendable {
    private let seeds: Range<UInt64>
    private let size: Scenario.Size
    private let workers: Int

    package init(_ seeds: Range<UInt64>, size: Scenario.Size, workers: Int = ProcessInfo.processInfo.activeProcessorCount) {
        self.seeds = seeds
        self.size = size
        self.workers = max(1, workers)
    }

    /// Runs them all, or until `goesOn`, which is shown the sum so far after each batch, says no.
    package func run(while goesOn: (SimulationReport) -> Bool = { _ in true }) async -> SimulationReport {
        await withTaskGroup(of: SimulationReport.self) { group in
            var sum = SimulationReport()
            var next = seeds.lowerBound
            func begin() {
                guard next < seeds.upperBound else { return }
                let batch = next..<min(next + 8, seeds.upperBound)
                next = batch.upperBound
                group.addTask { [size] in
                    var sum = SimulationReport()
                    for seed in batch {
                        var simulation = Simulation(seed: seed, size: size)
                        sum += await simulation.run()
                    }
                    return sum
                }
            }
            for _ in 0..<workers { begin() }
            for await report in group {
                sum += report
                if goesOn(sum) { begin() }
            }
            return sum
        }
    }
}
