/// How far a finding is told beyond the journals, which have all of them.
package enum Telling: String, Sendable, CaseIterable {
    /// When it opens, again after 1, 2, 4, 8 ... days while it stays open, and when it is over.
    case whileOpen = "while-open"
    /// When it opens, and nothing more: it ends with its period, by itself.
    case once
    /// As `once`, whatever severity a courier begins with: a policy asks for it.
    case asked
    /// Not at all: the journals and the audits have it.
    case kept
}

extension Finding.Code {
    /// How findings of this code are told, unless one says otherwise itself.
    package var telling: Telling {
        switch self {
        case .expiryAhead, .rotationAhead: .asked
        case .budgetCrossed, .budgetSpent: .once
        case .budgetForecast: .kept
        default: .whileOpen
        }
    }
}
