import Foundation
import KeyturnCore
import KeyturnEngine

/// The body of a create. `name`, `billing_method`, `permissions` and `expires_at` are documented for it; limits and
/// models have their documented shape from the console; the list of addresses has none. What the gateway does not
/// understand it will not show afterwards, and that becomes a finding.
struct LaozhangOrder: Encodable {
    private struct Amounts: Encodable {
        var requests: Int?
        var amount: Decimal?
    }

    private enum CodingKeys: String, CodingKey {
        case name, permissions
        case billing = "billing_method"
        case expiresAt = "expires_at"
        case daily = "daily_limit"
        case monthly = "monthly_limit"
        case tokensPerRequest = "max_tokens_per_request"
        case models = "allowed_models"
        case addresses = "ip_whitelist"
    }

    private var name: String
    private var billing: String
    private var permissions: [String]?
    private var expiresAt: String?
    private var daily: Amounts?
    private var monthly: Amounts?
    private var tokensPerRequest: Int?
    private var models: [String]?
    private var addresses: [String]?

    init(_ order: CreateOrder) {
        let attributes = order.attributes
        let limits = attributes.limits
        name = order.name
        billing = attributes.billing.rawValue
        switch attributes.permissions {
        case .full: permissions = nil
        case .readOnly: permissions = ["read_only"]
        case .only(let names): permissions = names
        }
        expiresAt = order.expiresAt?.formatted(.iso8601)
        if limits.requestsPerDay != nil || limits.amountPerDay != nil {
            daily = Amounts(requests: limits.requestsPerDay, amount: limits.amountPerDay)
        }
        if limits.requestsPerMonth != nil || limits.amountPerMonth != nil {
            monthly = Amounts(requests: limits.requestsPerMonth, amount: limits.amountPerMonth)
        }
        tokensPerRequest = limits.tokensPerRequest
        if case .only(let names) = attributes.models { models = names }
        if !attributes.allowIPs.isEmpty { addresses = attributes.allowIPs }
    }
}
