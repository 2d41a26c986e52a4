import Foundation
import KeyturnCore

/// One token as `status --json` shows it; its keys are a contract.
struct TokenReport: Encodable {
    struct Generation: Encodable {
        /// Its state and its error are for people.
        private enum CodingKeys: CodingKey { case id, name, createdAt, expiresAt, fingerprint, revokeAfter, releasedAt }

        var name: String
        var id: Nullable<String>
        var state: String
        var createdAt: Nullable<Date>
        var expiresAt: Nullable<Date>
        var fingerprint: Nullable<String>
        /// Only for previous ones: when the overlap's time is over, as far as the clocks tell now.
        var revokeAfter: Nullable<Date>?
        /// Only for previous ones: since when it is to be revoked.
        var releasedAt: Nullable<Date>?
        var error: Nullable<String>

        init(_ generation: KeyturnCore.Generation, isPrevious: Bool, _ now: Moment) {
            name = generation.name
            id = Nullable(generation.keyID?.text)
            state = generation.state.rawValue
            createdAt = Nullable(generation.createdAt)
            expiresAt = Nullable(generation.expiresAt)
            fingerprint = Nullable(generation.fingerprint)
            revokeAfter = isPrevious ? Nullable(generation.retirement?.overlap.end(seenAt: now)) : nil
            releasedAt = isPrevious ? Nullable(generation.releasedAt) : nil
            error = Nullable(generation.attempts.lastError)
        }
    }

    struct Target: Encodable {
        private enum CodingKeys: CodingKey { case file, deliveredAt, applied }

        var file: String
        var key: Nullable<String>
        var deliveredAt: Nullable<Date>
        var applied: Bool
        var error: Nullable<String>
    }

    var token: String
    var environment: String
    var state: String
    var reason: Nullable<String>
    var stuck: Nullable<String>
    var generation: Nullable<Generation>
    var previous: [Generation]
    var nextRotation: Nullable<Date>
    var targets: [Target]

    init(of token: Token, _ site: Site, _ obstacles: [Obstacle], _ now: Moment) {
        let status = site.status(of: token, heeding: obstacles, at: now)
        self.token = token.name.text
        environment = token.environment
        state = status.state.rawValue
        reason = Nullable(status.reason)
        stuck = Nullable(status.stuck)
        let shown = token.currentGeneration ?? token.generation(token.rotation?.generation)
        generation = Nullable(shown.map { Generation($0, isPrevious: false, now) })
        previous = token.generations
            .filter { $0.name != shown?.name && $0.isLiving }
            .map { Generation($0, isPrevious: true, now) }
        nextRotation = Nullable(status.nextRotation)
        let ids = site.policies[token.name]?.targets.map(\.id) ?? token.targets.map(\.id)
        targets = ids.map { id in
            let target = token.target(id)
            return Target(
                file: id.file, key: Nullable(id.key), deliveredAt: Nullable(target.deliveredAt),
                applied: target.appliedAt != nil && target.generation == (token.desired ?? token.current),
                error: Nullable(target.attempts.lastError)
            )
        }
    }

    var colour: Colour? {
        switch TokenStatus.State(rawValue: state) {
        case .stuck: .red
        case .rotating, .overlapping, .revoking: .yellow
        case .ended: .dim
        default: nil
        }
    }
}
