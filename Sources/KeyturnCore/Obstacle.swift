package import Foundation

/// An open finding that stands in the way of many tokens at once: none of them failed, and none goes on.
package struct Obstacle: Sendable, Equatable {
    package var finding: Finding
    package var openedAt: Date

    /// Nil: the finding is no such one.
    package init?(_ finding: Finding, openedAt: Date) {
        guard [.adminTokenRefused, .gatewayUnreachable, .keyringUnknown].contains(finding.code) else { return nil }
        self.finding = finding
        self.openedAt = openedAt
    }

    /// It needs a person, or lasts longer than a restart or a deployment of the gateway's does.
    fileprivate func isStuck(at now: Moment) -> Bool { finding.severity == .error || now.wall.timeIntervalSince(openedAt) > 600 }

    /// The worst of those that hold up a token, where something of it is to be done at its gateway now.
    package static func worst(of all: [Obstacle], for token: Token, _ verdict: Verdict?, at now: Moment) -> Obstacle? {
        guard needsGateway(token, verdict, at: now) else { return nil }
        return all.filter { $0.finding.code == .keyringUnknown || $0.finding.subject == token.gateway.text }
            .max { $0.finding.severity < $1.finding.severity }
    }

    private static func needsGateway(_ token: Token, _ verdict: Verdict?, at now: Moment) -> Bool {
        switch verdict {
        case .start, .end: return true
        case .underWay, .waits, .rests, nil: break
        }
        if let rotation = token.rotation, rotation.isOpen, [.minting, .verifying].contains(rotation.phase) { return true }
        return token.generations.contains { generation in
            switch generation.state {
            case .revoking: true
            case .retiring: generation.retirement?.overlap.isOver(at: now) ?? true
            case .unmade, .intended, .abandoned, .held, .revoked: false
            }
        }
    }
}

extension TokenStatus {
    /// The same, with what holds up the token from outside. What needs a person is stuck, what is tried again is a reason; an
    /// error of the token's own stays.
    package func heeding(_ obstacle: Obstacle?, at now: Moment) -> TokenStatus {
        guard let obstacle, stuck == nil else { return self }
        var status = self
        status.reason = obstacle.finding.sentence
        if obstacle.isStuck(at: now) { (status.stuck, status.state) = (status.reason, .stuck) }
        return status
    }
}
