/// What becomes of a token that no policy asks for any more. Kept in the journal, since its policy is gone by then.
package enum WhenRemoved: Sendable, Equatable {
    /// It stays alive and is told of.
    case keep
    /// Its policy said otherwise, but many left at once: it stays alive until a person decides. No policy says this.
    case undecided
    /// It is ended so long after it was missed first, unless it comes back.
    case revoke(after: TimeSpan)
}
