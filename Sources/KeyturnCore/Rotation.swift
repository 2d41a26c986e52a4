package import Foundation

/// One replacement, from the decision to the moment that every target is applied. What it replaced lives on as retiring
/// generations with evidence of their own, so that a new rotation never has to wait for, or touch, an old overlap.
package struct Rotation: Sendable, Equatable {
    package enum Phase: String, Sendable, CaseIterable {
        /// Can become: verifying, abandoned.
        case minting
        /// Can become: publishing, withdrawing.
        case verifying
        /// Can become: applying, withdrawing.
        case publishing
        /// Can become: finished, withdrawing.
        case applying
        /// Can become: abandoned.
        case withdrawing
        case finished
        case abandoned
    }

    package enum Cause: String, Sendable, CaseIterable {
        case first
        case scheduled
        case expiring
        case requested
        case changed
        case dead
        case adopted
        case leaked
    }

    /// `TOKEN#N`.
    package var id: String
    package var cause: Cause
    package var reason: String?
    package var startedAt: Date
    package var endedAt: Date?
    package var phase: Phase
    /// The name of the generation it brings; nil until one is intended.
    package var generation: String?
    package var attempts: Attempts
    /// The new secret's refusals in a row: right after create they may be the gateway's lag.
    package var refusals: Refusals?
    /// While withdrawing: was the old secret found alive, so that targets get it back? nil until it was asked.
    package var restores: Bool?

    package init(
        id: String, cause: Cause, reason: String? = nil, startedAt: Date, endedAt: Date? = nil, phase: Phase = .minting,
        generation: String? = nil,
        attempts: Attempts = Attempts(), refusals: Refusals? = nil, restores: Bool? = nil
    ) {
        self.id = id
        self.cause = cause
        self.reason = reason
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.phase = phase
        self.generation = generation
        self.attempts = attempts
        self.refusals = refusals
        self.restores = restores
    }

    package var isOpen: Bool { phase != .finished && phase != .abandoned }
}
