package import KeyturnCore

/// One target: a place where a secret lies for its consumers. One conformer a format, made from a `TargetPolicy`.
///
/// Every call may be repeated, and after a crash will be.
package protocol Delivery: Sendable {
    /// Proves, as far as that can be done without touching what is there, that `publish` can succeed. It is asked before
    /// a generation is created, so that nothing is created which cannot be delivered.
    func preflight() throws(DeliveryError)

    /// Puts the secret in its place in one atomic step. Where the same bytes, owner and mode are there already, nothing
    /// is written.
    func publish(_ secret: borrowing Secret) throws(DeliveryError)

    /// Does the place hold exactly this secret now?
    func holds(_ secret: borrowing Secret) throws(DeliveryError) -> Bool

    /// The secret that lies there, nil when there is none; for `adopt` and `verify`. A format from which it cannot be told
    /// (a template) throws.
    func published() throws(DeliveryError) -> Secret?

    /// Takes the secret away, the whole file where nothing else is in it. For a temporary token that has ended.
    func remove() throws(DeliveryError)
}

/// Why a target could not be written or read: the path, what happened and what to do, never content.
package struct DeliveryError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
