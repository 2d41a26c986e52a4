package import Foundation

/// Limits that the gateway is asked to hold; nil is no limit.
package struct Limits: Sendable, Equatable, CustomStringConvertible {
    package var requestsPerDay: Int?
    package var amountPerDay: Decimal?
    package var requestsPerMonth: Int?
    package var amountPerMonth: Decimal?
    package var tokensPerRequest: Int?

    package init(
        requestsPerDay: Int? = nil, amountPerDay: Decimal? = nil, requestsPerMonth: Int? = nil, amountPerMonth: Decimal? = nil,
        tokensPerRequest: Int? = nil
    ) {
        self.requestsPerDay = requestsPerDay
        self.amountPerDay = amountPerDay
        self.requestsPerMonth = requestsPerMonth
        self.amountPerMonth = amountPerMonth
        self.tokensPerRequest = tokensPerRequest
    }

    /// One of the limits, told from the others by its name.
    struct Kind: Sendable {
        let name: String
        fileprivate let value: @Sendable (Limits) -> Decimal?
    }

    static let kinds = [
        Kind(name: "day.requests") { $0.requestsPerDay.map { Decimal($0) } }, Kind(name: "day.amount") { $0.amountPerDay },
        Kind(name: "month.requests") { $0.requestsPerMonth.map { Decimal($0) } }, Kind(name: "month.amount") { $0.amountPerMonth },
        Kind(name: "request.tokens") { $0.tokensPerRequest.map { Decimal($0) } },
    ]

    func value(of kind: Kind) -> Decimal? { kind.value(self) }

    package var isEmpty: Bool { self == Limits() }

    package var description: String {
        Limits.kinds.compactMap { kind in value(of: kind).map { "\(kind.name)=\($0)" } }.joined(separator: ",")
    }
}
