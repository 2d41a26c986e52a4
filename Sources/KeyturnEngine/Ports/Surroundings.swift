package import KeyturnCore

/// What lies around a target: who else may read it, whether git would commit it, which copies of it lie beside it.
///
/// Asked at every watch, for every target: where nothing has changed it costs a few looks at files' stamps.
package protocol Surroundings: Sendable {
    /// What cannot be looked at is not exposed as far as anybody knows.
    func exposures(of target: TargetPolicy) -> [Exposure]

    /// Files beside a target that bear the names of its copies and have token-shaped strings in them.
    func copies(beside file: String) throws(KeyringError) -> [FileCopy]
}

/// A file beside a target, by what it may hold.
package struct FileCopy: Sendable, Equatable {
    package var path: String
    /// Of the token-shaped strings in it, 12 hex digits each.
    package var fingerprints: Set<String>

    package init(path: String, fingerprints: Set<String>) {
        self.path = path
        self.fingerprints = fingerprints
    }
}

/// Where nobody can look.
package struct UnseenSurroundings: Surroundings {
    package init() {}
    package func exposures(of target: TargetPolicy) -> [Exposure] { [] }
    package func copies(beside file: String) throws(KeyringError) -> [FileCopy] { [] }
}
