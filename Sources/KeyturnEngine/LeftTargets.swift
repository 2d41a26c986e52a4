import KeyturnCore

/// Targets that left a policy while their token stayed in it: nobody delivers there any more, and what lies there opens the door
/// until its generation is revoked.
extension Keeper {
    /// Writes down which targets have left their token's policy, and which are back.
    func followTargets(of token: inout Token, under policy: TokenPolicy, _ recorder: Recorder) throws {
        let wanted = Set(policy.targets.map(\.id))
        for state in token.targets where (state.leftAt == nil) != wanted.contains(state.id) {
            let event: Event = state.leftAt == nil ? .targetLeft(state.id) : .targetReturned(state.id)
            try recorder.record([event], of: &token, under: policy)
        }
    }

    /// Looks whether they still hold a living secret, and forgets those that do not. A place that cannot be read is no place
    /// without one.
    func lookAtLeftTargets(_ tokens: inout [Token], _ recorder: Recorder) throws -> [Finding] {
        var findings: [Finding] = []
        for index in tokens.indices {
            for state in tokens[index].targets where state.leftAt != nil {
                do {
                    if let generation = try generation(in: state.id, of: tokens[index]) {
                        findings.append(left(state.id, of: tokens[index], "holds the secret of \(generation), which is alive"))
                    } else {
                        try recorder.record([.targetVacated(state.id)], of: &tokens[index], under: policies[tokens[index].name])
                    }
                } catch let error as DeliveryError {
                    findings.append(left(state.id, of: tokens[index], "may hold a living secret: \(state.id.apart(error.description))"))
                } catch is KeyringError {
                    // Told as such; what lies there is asked again at the next watch.
                }
            }
        }
        return findings
    }

    /// The living generation whose secret lies there.
    private func generation(in place: TargetID, of token: Token) throws -> String? {
        for generation in token.generations.reversed() where generation.isLiving {
            guard let secret = try ports.keyring.secret(generation.name, of: token.gateway) else { continue }
            if try ports.stillHolds(place, secret) { return generation.name }
        }
        return nil
    }

    private func left(_ place: TargetID, of token: Token, _ what: String) -> Finding {
        Finding(
            code: .leftTarget, severity: .warning, token: token.name, environment: token.environment, subject: place.description,
            sentence: "\(place) has left the policy of \(token.name) and \(what)",
            help:
                "take it out of there once nobody reads it; nothing is delivered there any more, and what lies there ends with its generation"
        )
    }
}
