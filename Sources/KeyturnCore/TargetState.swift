package import Foundation

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
