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
