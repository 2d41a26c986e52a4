import KeyturnCore
import Testing

@Suite struct UsePatternTests {
    /// Weeks of the same hours, then the last ones.
    private func pattern(_ hours: Int, of amount: Double = 1, then last: [Double], least: Double = 0.5) -> UsePattern.Anomaly? {
        let amounts = [Double](repeating: amount, count: hours) + last
        return UsePattern(amounts, hourOfWeek: (amounts.count - 1) % 168, least: least).anomaly()
    }

    @Test func `an hour far above its like sticks out, one that is only high does not`() {
        #expect(pattern(400, then: [10]) == .hour(amount: 10, usual: 1))
        #expect(pattern(400, then: [2.6]) == nil)
        #expect(pattern(400, then: [0]) == nil)
    }

    @Test func `less than a week of a past says nothing`() {
        #expect(pattern(167, then: [1000]) == nil)
        #expect(pattern(168, then: [1000]) != nil)
        #expect(UsePattern([], hourOfWeek: 0, least: 1).anomaly() == nil)
    }

    @Test func `little money bothers nobody`() {
        #expect(pattern(400, of: 0.001, then: [0.4]) == nil)
        #expect(pattern(400, of: 0.001, then: [0.6]) != nil)
    }

    @Test func `what happened once, however large, moves nothing`() {
        var amounts = [Double](repeating: 1, count: 600)
        amounts[300] = 1_000_000
        #expect(UsePattern(amounts + [10], hourOfWeek: 600 % 168, least: 0.5).anomaly() == .hour(amount: 10, usual: 1))
    }

    @Test func `the first use of a token that was idle for weeks sticks out, its usual hour of the week does not`() {
        #expect(pattern(400, of: 0, then: [3]) == .hour(amount: 3, usual: 0))
        var amounts = [Double](repeating: 0, count: 8 * 168)
        for week in 0..<8 { amounts[week * 168 + 30] = 3 }
        #expect(UsePattern(amounts + [Double](repeating: 0, count: 30) + [3], hourOfWeek: 30, least: 0.5).anomaly() == nil)
    }

    @Test func `a day of hours that are each only high is found as a day`() {
        // Numbers of which sums are exact.
        let high = [Double](repeating: 2.875, count: 24)
        #expect(pattern(1344, then: high) == .day(amount: 69, usual: 24))
        #expect(pattern(1344, then: Array(high.prefix(8))) == nil)
    }
}
