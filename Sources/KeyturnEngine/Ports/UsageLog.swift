package import Foundation
package import KeyturnCore

/// A power that some gateways have: they show what each call with a secret cost.
package protocol UsageLog: Sendable {
    /// Calls from `start` to `end`, the newest ones where there are more than it shows; `isPart` says so. Bounded by the conformer.
    func usageLog(
        _ secret: borrowing Secret, from start: Date, to end: Date
    ) async throws(GatewayError) -> (lines: [UsageLine], isPart: Bool)
}
