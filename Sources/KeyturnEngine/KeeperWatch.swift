import Foundation
import KeyturnCore
import Logging

extension Keeper {
    /// Compares journal and gateway: creates that turned up, ids that were missing, secrets in use that are dead.
    func lookOutside(
        _ tokens: inout [Token], _ facts: inout [TokenName: Facts], _ desks: [GatewayName: Desk], _ recorder: Recorder, watches: Bool
    ) async throws {
        for (name, desk) in desks {
            let mine = tokens.indices.filter { tokens[$0].gateway == name }
            guard watches || mine.contains(where: { wantsListing(tokens[$0]) }) else { continue }
            guard case .success(let listing) = await desk.list() else { continue }
            for index in mine { try compare(&tokens[index], listing, recorder) }
            for index in mine where secretIsGone(tokens[index]) {
                facts[tokens[index].name, default: Facts()].secretIsGone = true
            }
            let dead = try await findDead(mine, &tokens, listing, desk, recorder, watches: watches)
            // Many dead at once is more likely an ill gateway than many ill tokens: a person decides.
            guard dead.count <= max(3, mine.count / 10) else {
                try reportMany(dead.count, name)
                continue
            }
            for (token, why) in dead { facts[token, default: Facts()].dead = why }
        }
    }

    private func wantsListing(_ token: Token) -> Bool {
        token.rotation?.phase == .minting || token.generations.contains { $0.state == .abandoned && isRecent($0) || $0.isLiving && $0.keyID == nil }
    }

    /// A lost create is looked for with every list; for its sake alone lists are asked for only during the first hour.
    private func isRecent(_ generation: Generation) -> Bool { ports.now().wall.timeIntervalSince(generation.intendedAt) < 3600 }

    private func secretIsGone(_ token: Token) -> Bool {
        guard let current = token.currentGeneration, current.state == .held else { return false }
        guard let secret = try? ports.keyring.secret(current.name, of: token.gateway) else { return (try? ports.keyring.check()) != nil }
        _ = secret.count
        return false
    }

    private func compare(_ token: inout Token, _ listing: Listing, _ recorder: Recorder) throws {
        for generation in token.generations {
            switch generation.state {
            case .abandoned:
                let candidates = Desk.candidates(for: generation, in: listing)
                if candidates.count == 1, let id = candidates[0].id {
                    try recorder.record([.turnedUp(generation.name, id)], of: &token, under: policies[token.name])
                }
            case .held, .retiring, .revoking:
                guard generation.keyID == nil else { continue }
                let candidates = Desk.candidates(for: generation, in: listing)
                if candidates.count == 1, let id = candidates[0].id {
                    try recorder.record([.identified(generation.name, id)], of: &token, under: policies[token.name])
                }
            case .unmade, .intended, .revoked: break
            }
        }
    }

    /// Tokens whose secret in use is dead: the list shows it ended or gone and it is refused, or it was refused three times
    /// over five minutes. The list has just been answered, so the admin token is accepted and 401 means something.
    private func findDead(
        _ mine: [Int], _ tokens: inout [Token], _ listing: Listing, _ desk: Desk, _ recorder: Recorder, watches: Bool
    ) async throws -> [(TokenName, String)] {
        var dead: [(TokenName, String)] = []
        for index in mine {
            let token = tokens[index]
            guard let current = token.currentGeneration, current.state == .held, token.ending == nil, policies[token.name] != nil else { continue }
            let listed = current.keyID.flatMap { listing.key($0) }
            let isListedDead = current.keyID != nil && listed?.isAlive != true
            guard watches || isListedDead || current.refusals != nil else { continue }
            guard let secret = try ports.keyring.secret(current.name, of: token.gateway) else { continue }
            guard let outcome = try? await desk.gateway.probe(secret) else { continue }
            switch outcome {
            case .accepted:
                if current.refusals != nil { try recorder.record([.trialAccepted(current.name)], of: &tokens[index], under: policies[token.name]) }
            case .refused(let why):
                if isListedDead {
                    dead.append((token.name, listed == nil ? "\(current.name) is gone from the gateway" : "\(current.name) was ended at the gateway"))
                    continue
                }
                try recorder.record([.trialRefused(current.name, why: why)], of: &tokens[index], under: policies[token.name])
                if tokens[index].currentGeneration?.refusals?.areFinal(at: ports.now().wall) == true {
                    dead.append((token.name, "\(current.name) is refused: \(why)"))
                }
            }
        }
        return dead
    }

    private func reportMany(_ count: Int, _ gateway: GatewayName) throws {
        let finding = Finding(
            code: .manyDead, severity: .error, subject: gateway.text,
            sentence: "\(count) tokens at \(gateway) seem dead at once; none is replaced by itself",
            help: "look at the gateway, then `keyturn rotate TOKEN` for those that are really dead"
        )
        let changes = try ports.journal.reconcile([finding], judged: { $0.key == finding.key }, at: ports.now().wall)
        for finding in changes.opened { log.error("\(finding.sentence); \(finding.help)", metadata: finding.fields) }
    }

    /// Records of generations that were seen refused, left by a process that died before it wiped them.
    func wipeLeftovers(_ tokens: [Token]) throws {
        for gateway in ports.gateways.keys {
            let living = Set(tokens.filter { $0.gateway == gateway }.flatMap { token in token.generations.filter { $0.state != .revoked }.map(\.name) })
            let others = try ports.keyring.names(of: gateway).subtracting(living)
            guard !others.isEmpty else { continue }
            for (name, state) in try ports.journal.states(of: gateway, names: others) where state == .revoked {
                try ports.keyring.wipe(name, of: gateway)
            }
        }
    }
}
