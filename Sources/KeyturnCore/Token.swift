package import Foundation

/// All that the journal knows of one token: its generations, the rotation under way, and what lies in its targets.
///
/// A value without effects: `step(for:at:)` says what is to be done next, `advance(_:for:at:)` takes in what happened.
/// Nothing is stored as "being done", so that a process which dies anywhere is continued by asking for the step again.
package struct Token: Sendable, Equatable {
    package enum Ending: String, Sendable {
        /// `revoke TOKEN`: its targets are left as they are.
        case requested
        /// A temporary token's time was up: its targets are removed.
        case expired
        /// It left the policies, which had said `when_removed: {revoke_after: ...}`; its targets are left as they are.
        case leftPolicies = "removed"
    }

    package var name: TokenName
    package var environment: String
    package var gateway: GatewayName
    /// Rotations so far; numbers them.
    package var serial: Int
    /// The name of the generation that the targets are meant to hold; a finished rotation changes it.
    package var current: String?
    package var ending: Ending?
    package var endedAt: Date?
    /// Of the policy that asked for it last.
    package var whenRemoved: WhenRemoved
    /// When its policy was missed first; nil while one asks for it.
    package var leftAt: Date?
    /// Every generation that is not revoked, and those revoked in this run; oldest first.
    package var generations: [Generation]
    /// The open one.
    package var rotation: Rotation?
    package var targets: [TargetState]
    /// Rotations abandoned in a row.
    package var attempts: Attempts
    /// A digest of the policy and of the gateway's settings under which something last happened to it.
    package var basis: String?

    package init(
        name: TokenName, environment: String, gateway: GatewayName, serial: Int = 0, current: String? = nil, ending: Ending? = nil,
        endedAt: Date? = nil, whenRemoved: WhenRemoved = .keep, leftAt: Date? = nil, generations: [Generation] = [],
        rotation: Rotation? = nil, targets: [TargetState] = [], attempts: Attempts = Attempts(), basis: String? = nil
    ) {
        self.name = name
        self.environment = environment
        self.gateway = gateway
        self.serial = serial
        self.current = current
        self.ending = ending
        self.endedAt = endedAt
        self.whenRemoved = whenRemoved
        self.leftAt = leftAt
        self.generations = generations
        self.rotation = rotation
        self.targets = targets
        self.attempts = attempts
        self.basis = basis
    }

    /// Does something of it wait because it failed?
    package var isBackingOff: Bool {
        var all = [attempts] + targets.map(\.attempts) + generations.filter { $0.state == .revoking }.map(\.attempts)
        if let rotation, rotation.isOpen { all.append(rotation.attempts) }
        return all.contains { $0.failures > 0 }
    }

    package func generation(_ name: String?) -> Generation? {
        guard let name else { return nil }
        return generations.first { $0.name == name }
    }

    package func target(_ id: TargetID) -> TargetState {
        targets.first { $0.id == id } ?? TargetState(id: id)
    }

    /// When it is ended because no policy asks for it; nil while one does, or where it is kept.
    package var removalDue: Date? {
        guard let leftAt, ending == nil, case .revoke(let span) = whenRemoved else { return nil }
        return span.after(leftAt)
    }

    /// Does it live on though no policy asks for it, only because it left together with many?
    package var isUndecided: Bool {
        leftAt != nil && ending == nil && whenRemoved == .undecided && generations.contains(where: \.isLiving)
    }

    package var currentGeneration: Generation? { generation(current) }

    /// Is its secret still to be taken out of a target, which it is known by?
    package func isToRemove(_ generation: String) -> Bool {
        ending == .expired && targets.contains { $0.generation == generation && $0.leftAt == nil }
    }

    /// What the targets are to hold now; nil where they are to be left alone.
    package var desired: String? {
        guard let rotation, rotation.isOpen else { return ending == nil && currentGeneration?.state == .held ? current : nil }
        switch rotation.phase {
        case .publishing, .applying: return rotation.generation
        case .withdrawing: return rotation.restores == true ? current : nil
        case .minting, .verifying: return currentGeneration?.state == .held ? current : nil
        case .finished, .abandoned: return current
        }
    }
}
