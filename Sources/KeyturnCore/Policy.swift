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
    /// So long before an expiry or a rotation it is told of; empty: it is not.
    package var notifyBefore: [TimeSpan]
    /// Its own, beside that of its environment.
    package var budget: BudgetPolicy?
    package var targets: [TargetPolicy]

    package var name: TokenName { pattern.stableName }

    package init(
        environment: String, project: String, purpose: String, gateway: GatewayName, pattern: NamingPattern, rotate: RotateRule,
        overlap: Overlap = Overlap(), attributes: Attributes = Attributes(), expires: Expiry = .never,
        whenRemoved: WhenRemoved = .keep, adopt: Bool = false, notifyBefore: [TimeSpan] = [], budget: BudgetPolicy? = nil,
        targets: [TargetPolicy]
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
        self.notifyBefore = notifyBefore
        self.budget = budget
        self.targets = targets
    }

    /// Does it still wait for `adopt`? The token as the journal knows it.
    package func isToAdopt(_ token: Token?) -> Bool { adopt && (token?.serial ?? 0) == 0 }
}
