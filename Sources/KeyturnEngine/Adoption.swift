import KeyturnCore

/// Takes over a generation that exists: found at the gateway by name, its secret read from a file.
struct Adoption: Sendable {
    let ports: Ports
    let desk: Desk
    let policy: TokenPolicy
    /// Every generation that the journal holds: one secret is never two tokens'.
    let known: [Generation]

    /// Nil when it was taken over; else why not, for the person who asked.
    func adopt(_ request: Request, _ token: inout Token, _ recorder: Recorder) async throws -> String? {
        // Taken over already, by a driver that died before it could answer.
        if let open = token.rotation, open.isOpen, open.cause == .adopted, request.generation.map({ $0 == open.generation }) ?? true {
            return nil
        }
        guard token.currentGeneration == nil, token.rotation?.isOpen != true else {
            let one = token.current ?? token.rotation?.generation ?? "one under way"
            return "\(token.name) has a generation already: \(one); `keyturn revoke \(token.name)` would end it, for another to be adopted"
        }
        let file = request.file ?? ""
        do {
            guard let secret = try ports.secretInFile(file, policy) else { return "there is no secret in \(file)" }
            let listing = try await desk.listed()
            guard case .accepted = try await desk.probe(secret) else { return "the gateway refuses the secret in \(file)" }
            let fingerprint = try ports.keyring.fingerprint(secret)
            if let owner = known.first(where: { $0.fingerprint == fingerprint && $0.isLiving }) {
                return "the secret in \(file) is that of \(owner.name), which keyturn holds already"
            }
            if try ports.journal.isLeaked(fingerprint: fingerprint) {
                return "the secret in \(file) is one that leaked: it is never taken up again"
            }
            if let target = try await targetWithAnother(secret) {
                return
                    "\(target) holds another secret, which the gateway accepts: adopt that one (--from the target's file), or take it out of there first"
            }
            let fitting = listing.keys.filter { key in
                key.isAlive && key.id != nil && request.generation.map { key.name == $0 } ?? policy.pattern.matches(key.name)
            }
            let possible = fitting.filter { $0.mask?.fits(secret) ?? true }
            if possible.isEmpty, !fitting.isEmpty { return "the gateway lists \(fitting[0].name) with another key than the one in \(file)" }
            // The list may show enough of each key to say which; else its name has to.
            let proven = possible.filter { $0.mask?.tells == true }
            guard let key = proven.first ?? possible.first, let id = key.id, !secret.isTold(by: id.text),
                proven.count == 1 || possible.count == 1
            else {
                return explain(possible, request)
            }
            guard try ports.journal.states(of: token.gateway, names: [key.name]).isEmpty else {
                return "\(key.name) is in the journal already"
            }
            try ports.keyring.put(key.name, of: token.gateway, id: id, secret: secret)
            let adopted = Event.adopted(
                name: key.name, id, proven.isEmpty ? .alone : .told,
                // Its secret is accepted, so it is none of those that are dead.
                foreignIDs: listing.keys(named: key.name).filter { !$0.isAlive }.compactMap(\.id), createdAt: key.createdAt,
                expiresAt: key.expiresAt, fingerprint: fingerprint,
                signature: policy.attributes.signature
            )
            let resumes: [Event] = token.ending == nil ? [] : [.resumed]
            try recorder.record(resumes + [.started(.adopted, reason: request.reason), adopted], of: &token, under: policy)
            return nil
        } catch let error as DeliveryError {
            return error.description
        } catch let error as GatewayError {
            return error.description
        } catch let error as KeyringError {
            return error.description
        }
    }

    /// A target of the token whose living secret an adoption would overwrite, and nobody would hold any more.
    private func targetWithAnother(_ secret: borrowing Secret) async throws(GatewayError) -> TargetID? {
        for target in policy.targets {
            let delivery = ports.delivery(target, policy)
            // What cannot be read, or told (a template), is found by the rotation's own checks.
            guard (try? delivery.holds(secret)) == false, let other = try? delivery.published() else { continue }
            if case .accepted = try await desk.probe(other) { return target.id }
        }
        return nil
    }

    private func explain(_ fitting: [ListedKey], _ request: Request) -> String {
        if let name = request.generation {
            return fitting.isEmpty ? "the gateway lists no living \(name)" : "the gateway lists \(name) several times"
        }
        if fitting.isEmpty {
            return "the gateway lists no living token whose name fits \(policy.name)'s pattern: name it with --generation"
        }
        return "several fit: \(fitting.prefix(8).map(\.name).joined(separator: ", ")); say which with --generation NAME"
    }
}
