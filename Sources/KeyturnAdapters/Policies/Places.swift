package import KeyturnCore

/// Where things stand in settings and policies, for what is said about them once they were read.
package struct Places: Sendable {
    package enum Part: Hashable, Sendable {
        /// A key of the settings, `mail`.
        case settings(String)
        case capacity(GatewayName)
        /// Of the policy in that file.
        case budget(String)
        case token(TokenName)
        /// A key of a token as it holds for it: its own, else that of the defaults.
        case rule(TokenName, String)
        case target(TokenName, TargetID)
    }

    private var all: [Part: FilePosition] = [:]

    package init() {}

    package subscript(part: Part) -> FilePosition? { all[part] }

    /// What stands twice is found where it stands first.
    mutating func note(_ part: Part, _ place: FilePosition?) { all[part] = all[part] ?? place }

    mutating func merge(_ other: Places) { all.merge(other.all) { first, _ in first } }
}
