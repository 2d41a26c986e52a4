package import Foundation
package import KeyturnCore

/// A way to tell people of findings: one conformer a way, one instance an entry of the settings.
package protocol Courier: Sendable {
    /// As journal, findings and people call it, `mail`; no part of it is a secret.
    var name: String { get }

    /// The severity it begins with.
    var severity: Severity { get }

    /// Hands a message over. Returns when it was accepted, and always returns within a minute or two, however the other side behaves.
    /// The same message may come again where the outcome was unclear.
    func hand(over message: Message) async throws(CourierError)
}

/// Why a message was not handed over, in the ways that matter to who goes on: may it have been accepted, and does waiting help?
package enum CourierError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Not accepted: nobody there, or asked to come again, in so many seconds where it said so.
    case unreachable(String, retryAfter: TimeInterval? = nil)
    /// Not accepted, and only a person can change that.
    case refused(String)
    /// It may have been accepted.
    case unclear(String)

    package var description: String {
        switch self {
        case .unreachable(let why, _), .refused(let why), .unclear(let why): why
        }
    }
}
