import Foundation
import KeyturnCore
import Testing

struct UsageCostTests {
    private let noon = Date(timeIntervalSince1970: 1_764_000_000)

    private func lines(_ costs: [Decimal]) -> [UsageLine] {
        costs.enumerated().map { UsageLine(at: noon.addingTimeInterval(Double($0) * 3600 + 60), cost: $1) }
    }

    @Test func `what an hour cost is the sum of its calls, and one without a cost is a call all the same`() {
        let usage = UsageCost(of: lines([1]) + [UsageLine(at: noon.addingTimeInterval(61), cost: nil)] + lines([2]), isPart: false)
        #expect(usage.hours.map(\.calls) == [3])
        #expect(usage.hours.map(\.cost) == [3])
    }

    @Test func `at risk are the hours after the last normal one`() throws {
        let usage = UsageCost(of: lines([1, 2, 1, 2, 1, 2, 1, 90, 80]), isPart: false)
        let risk = try #require(usage.atRisk(before: noon.addingTimeInterval(9 * 3600)))
        #expect(risk.cost == 170)
        #expect(risk.calls == 2)
        #expect(risk.since == usage.hours[7].begin)
    }

    @Test func `nothing is at risk where all is normal, and nothing is said of too few hours`() throws {
        #expect(UsageCost(of: lines([1, 1, 1, 1, 1, 2]), isPart: false).atRisk(before: .distantFuture)?.cost == 0)
        #expect(UsageCost(of: lines([1, 1, 1, 1, 90]), isPart: false).atRisk(before: .distantFuture) == nil)
        #expect(UsageCost(of: [], isPart: false).atRisk(before: .distantFuture) == nil)
    }

    @Test func `what comes after the moment in question is not counted`() throws {
        let usage = UsageCost(of: lines([1, 1, 1, 1, 1, 1, 90, 500]), isPart: false)
        #expect(usage.atRisk(before: noon.addingTimeInterval(7 * 3600))?.cost == 90)
    }
}
