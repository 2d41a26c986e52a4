package import Foundation

/// One policy file: the tokens of one environment.
package struct Policy: Sendable, Equatable {
    /// The file it was read from, for messages.
    package var file: String
    package var environment: String
    package var gateway: GatewayName
    package var budget: BudgetPolicy?
    package var tokens: [TokenPolicy]

    package init(file: String, environment: String, gateway: GatewayName, budget: BudgetPolicy?, tokens: [TokenPolicy]) {
        self.file = file
        self.environment = environment
        self.gateway = gateway
        self.budget = budget
        self.tokens = tokens
    }
}

/// One token as a policy asks for it, defaults filled in.
package struct TokenPolicy: Sendable, Equatable {
    package var environment: String
    package var project: String
    package var purpose: String
    package var gateway: GatewayName
    package var pattern: NamingPattern
    package var rotate: RotateRule
    package var overlap: Overlap
    package var attributes: Attributes
    package var expires: Expiry
    package var whenRemoved: WhenRemoved
    /// Nothing is issued before `adopt` has taken over the token that exists, or somebody asks for a new one.
    package var adopt: Bool
    package var targets: [TargetPolicy]

    package var name: TokenName { pattern.stableName }

    package init(
        environment: String, project: String, purpose: String, gateway: GatewayName, pattern: NamingPattern, rotate: RotateRule,
        overlap: Overlap = Overlap(), attributes: Attributes = Attributes(), expires: Expiry = .never,
        whenRemoved: WhenRemoved = .keep, adopt: Bool = false, targets: [TargetPolicy]
    ) {
        self.environment = environment
        self.project = project
        self.purpose = purpose
        self.gateway = gateway
        self.pattern = pattern
        self.rotate = rotate
        self.overlap = overlap
        self.attributes = attributes
        self.expires = expires
        self.whenRemoved = whenRemoved
        self.adopt = adopt
        self.targets = targets
    }

    /// Does it still wait for `adopt`? The token as the journal knows it.
    package func isToAdopt(_ token: Token?) -> Bool { adopt && (token?.serial ?? 0) == 0 }
}

/// What becomes of a token that no policy asks for any more. Kept in the journal, since its policy is gone by then.
package enum WhenRemoved: Sendable, Equatable {
    /// It stays alive and is told of.
    case keep
    /// It is ended so long after it was missed first, unless it comes back.
    case revoke(after: TimeSpan)
}

package enum RotateRule: Sendable, Equatable {
    /// `rotate: never`: issued once; replaced only when asked, dead or changed.
    case never
    /// Jitter delays a token's due date by a fixed share of itself that only its name decides.
    case every(TimeSpan, window: Window?, jitter: TimeSpan)
}

/// How long the replaced generation lives beside the new one, once every target of the new one is applied.
package struct Overlap: Sendable, Equatable {
    package var atLeast: TimeSpan
    package var quietFor: TimeSpan
    /// When a person is asked, because evidence for a revoke still lacks.
    package var atMost: TimeSpan

    package init(atLeast: TimeSpan = .hours(24), quietFor: TimeSpan = .zero, atMost: TimeSpan = .days(14)) {
        self.atLeast = atLeast
        self.quietFor = quietFor
        self.atMost = atMost
    }
}

package enum Expiry: Sendable, Equatable {
    case never
    /// Counted from the creation of each generation.
    case after(TimeSpan)
    case on(Date)

    package func date(ofGenerationMadeAt created: Date) -> Date? {
        switch self {
        case .never: nil
        case .after(let span): span.after(created)
        case .on(let date): date
        }
    }
}

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

/// An exact amount with its currency, `40 USD`.
package struct Money: Sendable, Hashable {
    package var amount: Decimal
    package var currency: String
    package init(amount: Decimal, currency: String) {
        self.amount = amount
        self.currency = currency
    }
}

package struct BudgetPolicy: Sendable, Equatable {
    package var day: Money?
    package var month: Money?
    /// Percent of the budget, ascending.
    package var alertAt: [Decimal]
    package init(day: Money?, month: Money?, alertAt: [Decimal]) {
        self.day = day
        self.month = month
        self.alertAt = alertAt
    }
}

/// A place that a secret is delivered to.
package struct TargetPolicy: Sendable, Equatable {
    package var file: String
    package var format: Format
    /// Names, or numbers as text; nil keeps what an existing file has.
    package var owner: String?
    package var group: String?
    /// Permission bits; nil keeps what an existing file has, 0600 for a new one.
    package var mode: UInt16?
    package var then: Then?
    package var confirm: Command?

    package init(
        file: String, format: Format, owner: String? = nil, group: String? = nil, mode: UInt16? = nil, then: Then? = nil,
        confirm: Command? = nil
    ) {
        self.file = file
        self.format = format
        self.owner = owner
        self.group = group
        self.mode = mode
        self.then = then
        self.confirm = confirm
    }

    /// What tells targets of one token apart: two of them may lie in one file under different keys.
    package var id: TargetID {
        switch format {
        case .raw, .template: TargetID(file: file, key: nil)
        case .dotenv(let key), .json(let key): TargetID(file: file, key: key)
        }
    }
}

package struct TargetID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var file: String
    package var key: String?
    package init(file: String, key: String?) {
        self.file = file
        self.key = key
    }
    package var description: String { key.map { "\(file) (\($0))" } ?? file }
    /// What is wrong with it, in one sentence.
    package func sentence(_ why: String) -> String { "\(self): \(apart(why))" }
    /// An error of the file without its beginning, which names the file itself: for where that is said already.
    package func apart(_ why: String) -> String { why.hasPrefix("\(file): ") ? String(why.dropFirst(file.count + 2)) : why }
    package static func < (one: TargetID, other: TargetID) -> Bool { (one.file, one.key ?? "") < (other.file, other.key ?? "") }
}

package enum Format: Sendable, Equatable {
    /// The file is the secret, with nothing before or after it.
    case raw
    /// The line of one variable.
    case dotenv(key: String)
    /// One string value, by JSON Pointer (RFC 6901).
    case json(pointer: String)
    /// The file is made from a text with `{{secret}}` in it; the policy holds the text or names a file.
    case template(Template)

    package enum Template: Sendable, Equatable {
        case text(String)
        case file(String)
    }
}

/// A program and its arguments as given, no shell.
package struct Command: Sendable, Equatable {
    package var arguments: [String]
    package var timeout: TimeSpan
    package init(arguments: [String], timeout: TimeSpan = .seconds(30)) {
        self.arguments = arguments
        self.timeout = timeout
    }
}

/// What makes a consumer take up a delivered secret.
package enum Then: Sendable, Equatable {
    case run(Command)
    /// A signal (1 ... 64) to the process whose number stands in a file.
    case signal(Int32, pidFile: String)
    case reload(unit: String)
    case restart(unit: String)
}
