package import Foundation

/// 401s in a row. One says little: gateways answer it for a while after a create, and while they are ill.
package struct Refusals: Sendable, Equatable {
    package var count: Int
    package var since: Date

    package init(count: Int, since: Date) {
        self.count = count
        self.since = since
    }

    package static let needed = 3
    package static let span: TimeInterval = 300

    /// Three over at least five minutes.
    package func areFinal(at now: Date) -> Bool { count >= Refusals.needed && now.timeIntervalSince(since) >= Refusals.span }
}
