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

/// 401s in a row. One says little: gateways answer it for a while after a create, and while they are ill.
package struct Refusals: Sendable, Equatable {
    package var count: Int
    package var since: Date

    package init(count: Int, since: Date) {
        self.count = count
        self.since = since
    }

    package static let needed = 3
    package static let span: TimeInterval = 300

    /// Three over at least five minutes.
    package func areFinal(at now: Date) -> Bool { count >= Refusals.needed && now.timeIntervalSince(since) >= Refusals.span }
}

/// What lies in one target, as far as the journal knows.
package struct TargetState: Sendable, Equatable {
    package var id: TargetID
    /// The generation last published there.
    package var generation: String?
    package var deliveredAt: Date?
    /// When its `then` succeeded for that generation.
    package var takenAt: Date?
    /// When its `confirm` did too: applied.
    package var appliedAt: Date?
    /// When the policy was first seen without it, with a secret of ours still in it; nil while the policy names it.
    package var leftAt: Date?
    package var attempts: Attempts

    package init(
        id: TargetID, generation: String? = nil, deliveredAt: Date? = nil, takenAt: Date? = nil, appliedAt: Date? = nil,
        leftAt: Date? = nil, attempts: Attempts = Attempts()
    ) {
        self.id = id
        self.generation = generation
        self.deliveredAt = deliveredAt
        self.takenAt = takenAt
        self.appliedAt = appliedAt
        self.leftAt = leftAt
        self.attempts = attempts
    }
}
