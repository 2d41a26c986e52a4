package enum Billing: String, Sendable, CaseIterable {
    case usageBased = "usage_based"
    case payPerUse = "pay_per_use"
}

package enum Permissions: Sendable, Equatable {
    case full
    case readOnly
    /// Names of the gateway's own, `chat`, `completion` ...
    case only([String])
}

package enum Models: Sendable, Equatable {
    case all
    case only([String])

    package func allow(_ model: String) -> Bool {
        switch self {
        case .all: true
        case .only(let models): models.contains(model)
        }
    }
}

/// What a generation may do, as it is asked for when it is created.
package struct Attributes: Sendable, Equatable {
    package var billing: Billing
    package var permissions: Permissions
    package var models: Models
    /// Single addresses and CIDR ranges, as written in the policy and validated there; empty: from everywhere.
    package var allowIPs: [String]
    package var limits: Limits

    package init(
        billing: Billing = .usageBased, permissions: Permissions = .full, models: Models = .all, allowIPs: [String] = [],
        limits: Limits = Limits()
    ) {
        self.billing = billing
        self.permissions = permissions
        self.models = models
        self.allowIPs = allowIPs
        self.limits = limits
    }

    /// One line that differs whenever the attributes do: stored with a generation to see a change of the policy.
    package var signature: String {
        func sorted(_ list: [String]) -> String { list.sorted().joined(separator: ",") }
        let permissionsText =
            switch permissions {
            case .full: "full"
            case .readOnly: "read_only"
            case .only(let names): sorted(names)
            }
        let modelsText =
            switch models {
            case .all: "all"
            case .only(let names): sorted(names)
            }
        return "billing=\(billing.rawValue) permissions=\(permissionsText) models=\(modelsText) ips=\(sorted(allowIPs)) limits=\(limits)"
    }
}
