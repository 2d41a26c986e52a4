/// Who reads a target and is told of a change: its `then`, and its `confirm`.
package protocol Consumer: Sendable {
    /// Says why `take` could never succeed (the program is not there, a unit cannot be reloaded by this version), before
    /// a generation is created for it.
    func preflight() throws(ConsumerError)

    /// Carries out the target's `then`. Documented for administrators as something that may run twice.
    func take() async throws(ConsumerError)

    /// Asks `confirm` whether the consumer uses what it was given; returns normally when it does, or when nothing asks.
    func confirm() async throws(ConsumerError)
}

/// Why a consumer has not taken a secret up: what was run, how it ended, its last output bounded and made printable.
package struct ConsumerError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
