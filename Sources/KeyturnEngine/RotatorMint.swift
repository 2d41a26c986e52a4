import Foundation
import KeyturnCore

extension Rotator {
    /// Brings a new generation into the world, or proves why not.
    ///
    /// The order is the promise: everything that could fail later is tried before; the name is durable before the gateway
    /// hears of it; the secret is durable before anything else happens with it. The gateway is asked to create exactly
    /// once for one name. What a dead process left was settled when the pass began.
    func mint(_ token: inout Token) async throws -> Outcome {
        guard let policy, token.generations.allSatisfy({ $0.state != .intended }) else { return [] }
        guard let answer = desk.answer else { return .awaitsList(then: nil) }
        // Without the list nothing is tried, and nothing is the token's failure: the gateway is asked again by whoever
        // repeats the pass.
        guard case .success(let listing) = answer else { return [] }
        // A lost create that this list shows and the pass's first one did not: it is revoked before another one is made.
        let settled = token.generations.filter { $0.state == .abandoned }.compactMap { lost in
            identification.event(for: lost, at: token.gateway, in: listing, clockIsOff: desk.clockIsOff != nil)
        }
        guard settled.isEmpty else { return .happened(settled) }
        if let why = desk.clockIsOff { return [.heldBack(why: why, needsPerson: true, retryAfter: nil)] }
        if let why = obstacle(policy) { return [.heldBack(why: why, needsPerson: true, retryAfter: nil)] }

        let name = try freeName(policy, token, listing)
        let order = CreateOrder(
            name: name, attributes: policy.attributes, expiresAt: policy.expires.date(ofGenerationMadeAt: ports.now().wall))
        do throws(KeyringError) { try ports.keyring.reserve(name, of: token.gateway) } catch {
            let why = "nothing was created, because its secret could not be kept: \(error)"
            return [.heldBack(why: why, needsPerson: true, retryAfter: nil)]
        }
        let intent = Event.intended(
            name: name, expiresAt: order.expiresAt, signature: policy.attributes.signature,
            foreignIDs: listing.keys(named: name).compactMap(\.id)
        )
        let others = desk.capacity == nil ? 0 : try desk.othersAlive(ports.journal)
        guard try recorder.reserve(intent, of: &token, under: policy, others: others, capacity: desk.capacity) else {
            try ports.keyring.release(name, of: token.gateway)
            return [.heldBack(why: try desk.whyFull(ports.journal), needsPerson: true, retryAfter: nil)]
        }
        return .happened(try await create(order, token, before: listing))
    }

    private func create(_ order: CreateOrder, _ token: Token, before listing: Listing) async throws -> [Event] {
        let name = order.name
        switch await desk.gateway.create(order) {
        case .notCreated(.adminRefused(let why)):
            try ports.keyring.release(name, of: token.gateway)
            // The gateway's trouble and one finding, not each token's.
            desk.note(.adminRefused(why))
            return [.notMade(name, why: GatewayError.adminRefused(why).description, needsPerson: false, retryAfter: nil)]
        case .notCreated(let error):
            try ports.keyring.release(name, of: token.gateway)
            return [.notMade(name, why: error.description, needsPerson: error.needsPerson, retryAfter: error.retryAfter)]
        case .unknown(let why):
            try ports.keyring.release(name, of: token.gateway)
            return [.lost(name, why: why), .heldBack(why: "creating \(name) failed: \(why)", needsPerson: false, retryAfter: nil)]
        case .created(let told, let secret):
            // An id that was listed before cannot be that of something new: revoking by it would hit somebody else.
            let id = told.flatMap { listing.key($0) == nil ? $0 : nil }
            do throws(KeyringError) { try ports.keyring.put(name, of: token.gateway, id: id, secret: secret) } catch {
                // The disk broke between the reservation and now. What cannot be kept must not live.
                if let id { try? await desk.gateway.revoke(id) }
                let events: [Event] = [.lost(name, why: "its secret could not be kept: \(error)")]
                return events + (id.map { [.turnedUp(name, $0, .told)] } ?? []) + [
                    .heldBack(why: error.description, needsPerson: true, retryAfter: nil)
                ]
            }
            return [.minted(name, id, fingerprint: try ports.keyring.fingerprint(secret))]
        }
    }

    /// Finds out the id that the answer did not tell, as far as a new list shows it. What goes on meanwhile needs none.
    func identification(of name: String) -> Outcome.Finish {
        { [identification] answer, token in
            guard case .success(let listing) = answer, let generation = token.generation(name), generation.keyID == nil else { return [] }
            return switch try identification.sighting(of: generation, at: token.gateway, in: listing) {
            case .proven(let id): [.identified(name, id, .told)]
            case .alone(let id): [.identified(name, id, .alone)]
            case .unclear, .none: []
            }
        }
    }

    var identification: Identification { Identification(keyring: ports.keyring, now: ports.now) }

    /// What would stop the rotation after its create: a target that cannot be written, a consumer that cannot be told.
    private func obstacle(_ policy: TokenPolicy) -> String? {
        for target in policy.targets {
            do throws(DeliveryError) { try ports.delivery(target, policy).preflight() } catch { return error.description }
            do throws(ConsumerError) { try ports.consumer(target).preflight() } catch { return "\(target.id): \(error)" }
        }
        return nil
    }

    /// The month's name, or the first numbered one that neither the gateway nor our own past knows.
    private func freeName(_ policy: TokenPolicy, _ token: Token, _ listing: Listing) throws -> String {
        let month = ports.now().wall.formatted(Date.ISO8601FormatStyle(timeZone: .gmt).year().month())
        let used = try ports.journal.names(of: token.gateway, startingWith: policy.pattern.name(month: month, attempt: 1))
        let unmade = Set(token.generations.filter { $0.state == .unmade }.map(\.name))
        var attempt = 1
        while true {
            let name = policy.pattern.name(month: month, attempt: attempt)
            if listing.keys(named: name).isEmpty, !used.contains(name) || unmade.contains(name), desk.take(name) { return name }
            attempt += 1
        }
    }
}
