/// Which of two evils a person chose for a leaked token.
package enum LeakMode: String, Sendable, CaseIterable {
    /// Revoke at once, then replace: consumers fail in between.
    case containFirst = "contain-first"
    /// Replace, then revoke a minute after the new generation was published: whoever has the secret uses it until then.
    case replaceFirst = "replace-first"
}
