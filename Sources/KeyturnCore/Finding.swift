/// Something a person should know.
package struct Finding: Sendable, Equatable {
    package enum Code: String, Sendable, CaseIterable {
        case tokenStuck = "token-stuck"
        case adminTokenRefused = "admin-token-refused"
        case gatewayUnreachable = "gateway-unreachable"
        case clockOff = "clock-off"
        case keyringUnknown = "keyring-unknown"
        case secretUnreadable = "secret-unreadable"
        case attributesUnconfirmed = "attributes-unconfirmed"
        case attributesDiffer = "attributes-differ"
        case ambiguousKey = "ambiguous-key"
        case overlapTooLong = "overlap-too-long"
        case manyDead = "many-dead"
        case leftPolicies = "left-policies"
        case leftTarget = "left-target"
        case gatewayChanged = "gateway-changed"
        case gatewayMissing = "gateway-missing"
        case strayRecord = "stray-record"
        case unknownKey = "unknown-key"
        case revocationLate = "revocation-late"
        case manyRemoved = "many-removed"
        case reloadRefused = "reload-refused"
        case historyBroken = "history-broken"
        case courierFailing = "courier-failing"
        case expiryAhead = "expiry-ahead"
        case rotationAhead = "rotation-ahead"
        case exposedTarget = "exposed-target"
        case strayCopy = "stray-copy"
        case usageUnreadable = "usage-unreadable"
        case budgetCrossed = "budget-crossed"
        case budgetSpent = "budget-spent"
        case budgetForecast = "budget-forecast"
        case leakOpen = "leak-open"
    }

    package var code: Code
    package var severity: Severity
    /// The token it is about, or nil for a gateway or the host.
    package var token: TokenName?
    package var environment: String?
    /// What tells findings of one code and token apart: a generation, a gateway.
    package var subject: String
    package var sentence: String
    /// What to type, or to do.
    package var help: String
    package var telling: Telling

    /// - Parameter telling: nil: as all of its code are told.
    package init(
        code: Code, severity: Severity, token: TokenName? = nil, environment: String? = nil, subject: String = "", sentence: String,
        help: String, telling: Telling? = nil
    ) {
        self.code = code
        self.severity = severity
        self.token = token
        self.environment = environment
        self.subject = subject
        self.sentence = sentence
        self.help = help
        self.telling = telling ?? code.telling
    }

    /// Findings with the same key are one finding, whatever their sentence says today.
    package var key: String { [code.rawValue, token?.text ?? "", subject].joined(separator: " ") }
}
