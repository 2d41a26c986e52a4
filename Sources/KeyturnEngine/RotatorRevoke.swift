import Foundation
import KeyturnCore

extension Rotator {
    /// What the gateway counts for a retiring generation. The secret itself is not tried on the models meanwhile, so that
    /// Keyturn's own calls do not look like a consumer's.
    func read(_ name: String, _ token: Token) async throws -> [Event] {
        guard let generation = token.generation(name) else { return [] }
        let listing: Listing
        // Before our own reading, which the gateway may count as a use.
        do throws(GatewayError) { listing = try await desk.listed() } catch { return [] }
        var reading = Reading(today: nil, month: nil, lastUsedAt: nil)
        if let secret = try ports.keyring.secret(name, of: token.gateway) {
            do throws(GatewayError) { reading = try await desk.gateway.usage(secret) } catch .rejected {
                // No such figure at this gateway, or the secret is refused: the list has the last word.
            } catch { return [.readFailed(name, why: error.description, retryAfter: error.retryAfter)] }
        }
        if let id = generation.keyID, let key = listing.key(id) {
            reading.lastUsedAt = ownUseApart(key.lastUsedAt, generation.retirement)
        }
        return [.read(name, reading)]
    }

    /// The gateway's last use, unless it is our own reading that it shows.
    private func ownUseApart(_ lastUsedAt: Date?, _ retirement: Retirement?) -> Date? {
        guard let lastUsedAt, let readAt = retirement?.readAt else { return lastUsedAt }
        return abs(lastUsedAt.timeIntervalSince(readAt)) < 60 ? retirement?.reading?.lastUsedAt : lastUsedAt
    }

    /// The last guard before a revocation by schedule: the clocks agree, and what replaces it is accepted now.
    func release(_ name: String, _ token: Token) async throws -> [Event] {
        do throws(GatewayError) { _ = try await desk.listed() } catch { return [] }
        if let why = desk.clockIsOff(at: ports.now().wall) { return [.readFailed(name, why: why, retryAfter: nil)] }
        guard let current = token.currentGeneration, current.state == .held,
            let secret = try ports.keyring.secret(current.name, of: token.gateway)
        else { return [.readFailed(name, why: "no secret that replaces it is at hand", retryAfter: nil)] }
        do throws(GatewayError) {
            switch try await desk.gateway.probe(secret) {
            case .accepted: return [.released(name)]
            case .refused(let why): return [.readFailed(name, why: "\(current.name), which replaces it, is refused: \(why)", retryAfter: nil)]
            }
        } catch { return [.readFailed(name, why: "\(current.name), which replaces it, could not be tried: \(error)", retryAfter: error.retryAfter)] }
    }

    func revoke(_ name: String, _ token: Token) async throws -> [Event] {
        guard let generation = token.generation(name) else { return [] }
        if desk.refusesAdmin { return [] }
        do throws(GatewayError) {
            guard let id = generation.keyID else { return try await resolve(generation) }
            if case .success(let listing)? = desk.answer, let listed = listing.key(id), listed.name != name {
                let why = "the gateway lists \(id) under another name (\(listed.name.prefix(80))): make sure whose it is and revoke it in the console"
                return [.revokeFailed(name, why: why, needsPerson: true, retryAfter: nil)]
            }
            try await desk.gateway.revoke(id)
            return [.revokeAnswered(name)]
        } catch .adminRefused(let why) {
            // The gateway's trouble and one finding, not each token's.
            desk.note(.adminRefused(why))
            return []
        } catch { return [.revokeFailed(name, why: error.description, needsPerson: error.needsPerson, retryAfter: error.retryAfter)] }
    }

    /// A generation whose create did not tell its id: it is the only one of its name that can be ours, or it is for a
    /// person to say which.
    private func resolve(_ generation: Generation) async throws(GatewayError) -> [Event] {
        let candidates = Desk.candidates(for: generation, in: try await desk.list().get())
        switch candidates.count {
        case 0:
            // It was created, so a list that does not show it yet may show it later.
            if generation.fingerprint != nil, ports.now().wall.timeIntervalSince(generation.intendedAt) < Desk.longestWay {
                return [.revokeFailed(generation.name, why: "the gateway does not list it yet", needsPerson: false, retryAfter: nil)]
            }
            return [.revokeAnswered(generation.name)]
        case 1: return candidates[0].id.map { [.identified(generation.name, $0)] } ?? []
        default:
            let ids = candidates.compactMap(\.id?.text).prefix(5).joined(separator: ", ")
            let why = "several keys bear its name (\(ids)) and which one is ours is not known: revoke it in the gateway's console"
            return [.revokeFailed(generation.name, why: why, needsPerson: true, retryAfter: nil)]
        }
    }

    /// A revocation is over when the secret is refused; where there is no secret, when the list shows it ended or gone.
    func seeRefused(_ name: String, _ token: Token) async throws -> [Event] {
        guard let generation = token.generation(name) else { return [] }
        do throws(GatewayError) {
            if let secret = try? ports.keyring.secret(name, of: token.gateway) {
                switch try await desk.gateway.probe(secret) {
                case .refused: return [.seenRefused(name)]
                case .accepted:
                    return [.revokeFailed(name, why: "the gateway accepted its revocation and still accepts its secret", needsPerson: false, retryAfter: nil)]
                }
            }
            if desk.refusesAdmin { return [] }
            let listing = try await desk.list().get()
            let isAlive = generation.keyID.map { listing.key($0)?.isAlive ?? false } ?? !Desk.candidates(for: generation, in: listing).isEmpty
            if !isAlive { return [.seenRefused(name)] }
            return [.revokeFailed(name, why: "the gateway accepted its revocation and still lists it as alive", needsPerson: false, retryAfter: nil)]
        } catch .adminRefused { return [] } catch { return [.revokeFailed(name, why: error.description, needsPerson: error.needsPerson, retryAfter: error.retryAfter)] }
    }
}
