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

    package var isEmpty: Bool { self == Limits() }

    package var description: String {
        let parts: [(String, String?)] = [
            ("day.requests", requestsPerDay.map(String.init)), ("day.amount", amountPerDay.map { "\($0)" }),
            ("month.requests", requestsPerMonth.map(String.init)), ("month.amount", amountPerMonth.map { "\($0)" }),
            ("request.tokens", tokensPerRequest.map(String.init)),
        ]
        return parts.compactMap { name, value in value.map { "\(name)=\($0)" } }.joined(separator: ",")
    }
}
