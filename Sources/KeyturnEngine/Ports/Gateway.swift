package import Foundation
package import KeyturnCore

/// An LLM gateway that keeps tokens: one conformer a kind, one instance an account.
///
/// An answer that is no answer (no connection, a time-out, 5xx, 429, something unreadable) is an error of this port and
/// says nothing about any token.
package protocol Gateway: Sendable {
    /// Creates one generation. Never repeated by the conformer, whatever happens on the way.
    func create(_ order: CreateOrder) async -> CreateOutcome

    /// Every token of the account, or an error: never a part.
    func list() async throws(GatewayError) -> Listing

    /// Ends a generation; one that is gone already is no error.
    func revoke(_ id: KeyID) async throws(GatewayError)

    /// Is this secret accepted now?
    func probe(_ secret: borrowing Secret) async throws(GatewayError) -> ProbeOutcome

    /// What the gateway counts for this secret's generation.
    func usage(_ secret: borrowing Secret) async throws(GatewayError) -> Reading

    /// The same, given up after `limit`: for who has more urgent things to do.
    func usage(_ secret: borrowing Secret, within limit: TimeSpan) async throws(GatewayError) -> Reading
}

extension Gateway {
    package func usage(_ secret: borrowing Secret, within limit: TimeSpan) async throws(GatewayError) -> Reading {
        try await usage(secret)
    }
}

package struct CreateOrder: Sendable, Equatable {
    package var name: String
    package var attributes: Attributes
    package var expiresAt: Date?

    package init(name: String, attributes: Attributes, expiresAt: Date?) {
        self.name = name
        self.attributes = attributes
        self.expiresAt = expiresAt
    }
}

package enum CreateOutcome: ~Copyable, Sendable {
    /// The id may be missing from the answer; it then has to be found by name.
    case created(KeyID?, Secret)
    /// Certain: nothing was made.
    case notCreated(GatewayError)
    /// It may have been made, or may be yet; its secret is lost.
    case unknown(String)
}

package enum ProbeOutcome: Sendable, Equatable {
    case accepted(models: Set<String>)
    /// The gateway does not know the secret (any more), in its own words.
    case refused(String)
}

/// Three ways for the caller to go on, and a fourth that only an exit code tells apart.
package enum GatewayError: Error, Sendable, Equatable, CustomStringConvertible {
    /// No connection: nothing reached it. Try again later.
    case unreachable(String)
    /// Nothing was learnt. Try again later, not before `retryAfter` seconds where it asked for a pause; zero where it asked
    /// for one (429) without saying how long.
    case inconclusive(String, retryAfter: TimeInterval?)
    /// The admin token is not accepted: nothing that needs it can be done until a person replaces it.
    case adminRefused(String)
    /// A clear no to this request; waiting does not change it.
    case rejected(String)

    package var description: String {
        switch self {
        case .unreachable(let why), .inconclusive(let why, _), .rejected(let why): why
        case .adminRefused(let why): "the admin token is refused: \(why)"
        }
    }

    package var retryAfter: TimeInterval? {
        if case .inconclusive(_, let seconds) = self { seconds } else { nil }
    }

    package var needsPerson: Bool {
        switch self {
        case .adminRefused, .rejected: true
        case .unreachable, .inconclusive: false
        }
    }
}
