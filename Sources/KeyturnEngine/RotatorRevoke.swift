import Foundation
import KeyturnCore
import Logging

extension Rotator {
    /// What the gateway counts for a retiring generation. The secret itself is not tried on the models meanwhile, so that
    /// Keyturn's own calls do not look like a consumer's.
    func read(_ name: String, _ token: Token) async throws -> Outcome {
        guard let generation = token.generation(name) else { return [] }
        guard let answer = desk.answer, !needsNewerList(generation) else {
            return .awaitsList { answer, token in try await read(name, token, answer) }
        }
        return .happened(try await read(name, token, answer))
    }

    /// The last reading before a release speaks of the whole quiet time: it needs a list that was asked for after it, and not
    /// long ago. Of what an earlier reading does not show yet, the next one tells.
    private func needsNewerList(_ generation: Generation) -> Bool {
        let now = ports.now()
        guard let askedAt = desk.askedAt, let retirement = generation.retirement, retirement.isOver(at: now) else { return false }
        let end = max(retirement.overlap.until, retirement.quiet?.until ?? .distantPast)
        return askedAt.wall < end || abs(now.boot - askedAt.boot) > 60
    }

    private func read(_ name: String, _ token: Token, _ answer: Result<Listing, GatewayError>) async throws -> [Event] {
        // The list comes before our own reading, which the gateway may count as a use.
        guard let generation = token.generation(name), case .success(let listing) = answer else { return [] }
        var reading = Reading(today: nil, month: nil, lastUsedAt: nil)
        let askedAt = ports.now().wall
        if let secret = try ports.keyring.secret(name, of: token.gateway) {
            if try !identification.showsAlive(generation, at: token.gateway, in: listing) { return await release(unlisted: name, secret) }
            do throws(GatewayError) { reading = try await desk.gateway.usage(secret) } catch .rejected {
                // No such figure at this gateway, or the secret is refused: the list has the last word.
            } catch { return [.readFailed(name, why: error.description, retryAfter: error.retryAfter)] }
            // What serves as evidence serves the sums as well.
            if desk.clockIsOff == nil {
                try desk.book?.keep([UsageBook.Entry(generation, of: token, under: policy, reading, at: askedAt)], at: desk.name)
            }
            reading.trouble = nil
        }
        if let id = generation.keyID, let key = listing.key(id) {
            // A last use of which nobody knows when it was cannot be told to be ours, and counts as a consumer's.
            reading.lastUsedAt = key.lastUse(madeAt: generation.createdAt).map { ownUseApart($0, generation.retirement) } ?? key.lastUsedAt
        }
        return [.read(name, reading)]
    }

    /// Ended by somebody else there is nothing left to wait for. But a list may be wrong, and what consumers still use is
    /// not given up for one: the secret has to be refused, too. One whose secret is lost waits for its evidence like any other.
    private func release(unlisted name: String, _ secret: borrowing Secret) async -> [Event] {
        do throws(GatewayError) {
            guard case .accepted = try await desk.gateway.probe(secret) else { return [.released(name)] }
            return [.readFailed(name, why: "the gateway does not list it as alive and accepts its secret", retryAfter: nil)]
        } catch { return [.readFailed(name, why: error.description, retryAfter: error.retryAfter)] }
    }

    /// The gateway's last use, unless it is our own reading that it shows.
    private func ownUseApart(_ lastUsedAt: Date?, _ retirement: Retirement?) -> Date? {
        guard let lastUsedAt, let readAt = retirement?.readAt else { return lastUsedAt }
        // By our clock; seconds are for the way and for clocks that show no parts of them. What is used in these very seconds and
        // never again has been quiet since.
        let own = abs(lastUsedAt.addingTimeInterval(-desk.clockOffset).timeIntervalSince(readAt)) < 10
        return own ? retirement?.reading?.lastUsedAt : lastUsedAt
    }

    /// What it had been used for when it leaked and was about to be revoked; nothing where that is not to be had in time.
    private func lastReading(of generation: Generation, _ token: Token) async -> [Event] {
        let one = Token(name: token.name, environment: token.environment, gateway: token.gateway, generations: [generation])
        let readings = await LeakReadings(ports: ports, gateway: desk.gateway, token: one).generations(withLog: false)
        return readings.first?.before.map { [.read(generation.name, $0)] } ?? []
    }

    /// The last guard before a revocation by schedule: the clocks agree, and what replaces it is accepted now.
    func release(_ name: String, _ token: Token) async throws -> Outcome {
        // A person has said that it is in the wrong hands: neither clocks nor consumers have a say any more.
        if let generation = token.generation(name), let why = token.reasonToContain(generation, under: policy, at: ports.now()) {
            return .happened(await lastReading(of: generation, token) + [.contained(name, why: why)])
        }
        guard let answer = desk.answer else { return .awaitsList(then: nil) }
        guard case .success(let listing) = answer else { return [] }
        if let generation = token.generation(name), try !identification.showsAlive(generation, at: token.gateway, in: listing),
            let secret = try ports.keyring.secret(name, of: token.gateway)
        {
            return .happened(await release(unlisted: name, secret))
        }
        if let why = desk.clockIsOff { return [.readFailed(name, why: why, retryAfter: nil)] }
        guard let current = token.currentGeneration, current.state == .held,
            let secret = try ports.keyring.secret(current.name, of: token.gateway)
        else { return [.readFailed(name, why: "no secret that replaces it is at hand", retryAfter: nil)] }
        if let policy {
            // Somebody may have put the old content back: what consumers read now decides, not what was written once.
            for target in policy.targets {
                do throws(DeliveryError) {
                    // It is delivered again at once; the release waits ever longer, for a target that does not keep its content
                    // would otherwise be written for ever.
                    if try !ports.delivery(target, policy).holds(secret) {
                        return [.drifted(target.id), .readFailed(name, why: "\(target.id) did not hold \(current.name)", retryAfter: nil)]
                    }
                } catch { return [.readFailed(name, why: target.id.sentence(error.description), retryAfter: nil)] }
            }
        } else if let old = try ports.keyring.secret(name, of: token.gateway) {
            // Nothing is put right without a policy, so it is only waited for.
            for target in token.targets where target.leftAt == nil {
                do throws(DeliveryError) {
                    guard try !ports.stillHolds(target.id, old) else {
                        return [
                            .readFailed(name, why: "\(target.id) holds it again, and no policy says what belongs there", retryAfter: nil)
                        ]
                    }
                } catch { return [.readFailed(name, why: target.id.sentence(error.description), retryAfter: nil)] }
            }
        }
        do throws(GatewayError) {
            switch try await desk.gateway.probe(secret) {
            case .accepted: return [.released(name)]
            case .refused(let why):
                return [.readFailed(name, why: "\(current.name), which replaces it, is refused: \(why)", retryAfter: nil)]
            }
        } catch {
            return [
                .readFailed(name, why: "\(current.name), which replaces it, could not be tried: \(error)", retryAfter: error.retryAfter)
            ]
        }
    }

    /// Nothing is revoked that the gateway's own list does not show with our id and our name together. A list that knows
    /// the id not at all is asked for anew: it may be older than the create.
    func revoke(_ name: String, _ token: Token) async -> Outcome {
        guard let generation = token.generation(name), !desk.refusesAdmin else { return [] }
        switch desk.answer {
        case nil: return .awaitsList(then: nil)
        case .failure(let error)?: return .happened(failure(of: name, error))
        case .success(let listing)?:
            guard let id = generation.keyID, listing.key(id) != nil else {
                return .awaitsList { answer, token in await revoke(name, token, by: answer) }
            }
            return .happened(await revoke(name, token, by: .success(listing)))
        }
    }

    private func revoke(_ name: String, _ token: Token, by answer: Result<Listing, GatewayError>) async -> [Event] {
        guard let generation = token.generation(name) else { return [] }
        do throws(GatewayError) {
            let listing = try answer.get()
            guard let id = generation.keyID else { return resolve(generation, token, listing) }
            switch confirm(id, of: generation, listing) {
            // Written down before anything is sent: should its answer get lost, a list without it tells that it is gone.
            case .isOurs where generation.seenAt == nil: return [.identified(name, id, generation.identity ?? .told)]
            case .isOurs: break
            // A list may be older than the create.
            case .isGone where isYoung(generation, in: listing):
                return [.revokeFailed(name, why: "the gateway does not list it yet", needsPerson: false, retryAfter: nil)]
            // Nothing to revoke; that it is gone is seen when its secret is refused.
            case .isGone: return [.revokeAnswered(name)]
            case .isAnothers(let other):
                let why =
                    "the gateway lists \(id) under another name (\(other.prefix(80))): make sure whose it is and revoke it in the console"
                return [.revokeFailed(name, why: why, needsPerson: true, retryAfter: nil)]
            case .isUnclear: return [.confused(name)]
            }
            if let rest = timeToBeListed(generation, in: listing) {
                let why = "the gateway may not list it yet, and the key of its name may be another's: its id was only inferred"
                return [.revokeFailed(name, why: why, needsPerson: false, retryAfter: rest)]
            }
            // Whoever ended ours by hand left another one of its name to be taken for it.
            if generation.identity != .told, generation.acceptedAt != nil {
                let secret: Secret?
                do { secret = try ports.keyring.secret(name, of: token.gateway) } catch { return unreadable(name, error) }
                if let secret, case .refused = try await desk.gateway.probe(secret) { return [.confused(name)] }
            }
            await readLast(generation, token)
            try await desk.gateway.revoke(id)
            return [.revokeAnswered(name)]
        } catch { return failure(of: name, error) }
    }

    /// The longest that a revocation waits for a last reading.
    private static let lastReading = TimeSpan.seconds(3)

    /// Reads its use once more, for after the revocation nobody can: so a budget counts it to its end. It is tried once, with a
    /// limit, before the first revocation is sent; whatever comes of it the revocation goes on. Where it fails, the sums say
    /// "at least", and lack what was spent since the last reading, `watch.every` ago at most while all is well.
    private func readLast(_ generation: Generation, _ token: Token) async {
        guard generation.revokeAnsweredAt == nil, generation.attempts.failures == 0, generation.acceptedAt != nil, let book = desk.book,
            let secret = try? ports.keyring.secret(generation.name, of: token.gateway)
        else { return }
        let askedAt = ports.now().wall
        var reading = Reading(today: nil, month: nil, lastUsedAt: nil)
        do throws(GatewayError) {
            if desk.clockIsOff == nil { reading = try await desk.gateway.usage(secret, within: Rotator.lastReading) }
        } catch {
            // Refused: it has spent nothing since somebody ended it.
            if case .rejected = error { return }
        }
        do throws(JournalError) {
            try book.keep([UsageBook.Entry(generation, of: token, under: policy, reading, at: askedAt)], at: desk.name, ending: true)
        } catch {
            // What cannot be written ends the pass when the revocation is recorded.
            recorder.log.warning("the last reading of \(generation.name) was not kept: \(error)")
        }
    }

    /// A record that cannot be read is not one that is lost: the evidence that it holds is waited for.
    private func unreadable(_ name: String, _ error: KeyringError) -> [Event] {
        [.revokeFailed(name, why: "its record in the keyring cannot be read: \(error)", needsPerson: true, retryAfter: nil)]
    }

    private func failure(of name: String, _ error: GatewayError) -> [Event] {
        if case .adminRefused = error {
            // The gateway's trouble and one finding, not each token's.
            desk.note(error)
            return []
        }
        return [.revokeFailed(name, why: error.description, needsPerson: error.needsPerson, retryAfter: error.retryAfter)]
    }

    /// May its create still be on its way into the gateway's lists? Not once the gateway has shown it.
    private func isYoung(_ generation: Generation, in listing: Listing) -> Bool {
        guard generation.seenAt == nil, let id = generation.keyID, listing.key(id) == nil else { return false }
        return (listing.gatewayTime ?? ports.now().wall).timeIntervalSince(generation.intendedAt) < Sighting.longestWay
    }

    /// Seconds until ours has to be among the listed keys of its name, where nothing but being the only one tells it: no secret that
    /// was ever accepted, no id that was told. Nil where it has to be by now. (A lost create may never be among them.)
    private func timeToBeListed(_ generation: Generation, in listing: Listing) -> TimeInterval? {
        guard generation.identity != .told, generation.acceptedAt == nil, generation.fingerprint != nil else { return nil }
        let age = (listing.gatewayTime ?? ports.now().wall).timeIntervalSince(generation.intendedAt)
        return age < Sighting.longestWay ? Sighting.longestWay - age : nil
    }

    private enum Confirmation {
        case isOurs, isGone, isAnothers(String), isUnclear
    }

    private func confirm(_ id: KeyID, of generation: Generation, _ listing: Listing) -> Confirmation {
        // An id that was only inferred is ours as long as no other key has borne its name.
        if generation.identity != .told, listing.newcomers(for: generation).contains(where: { $0.id != id }) { return .isUnclear }
        if let listed = listing.key(id) { return listed.name == generation.name ? .isOurs : .isAnothers(listed.name) }
        // A list without ids can only be asked for the name.
        return listing.keys(named: generation.name).contains { $0.id == nil && $0.isAlive } ? .isOurs : .isGone
    }

    /// A generation whose create did not tell its id: it is the only one of its name that can be ours, or it is for a
    /// person to say which.
    private func resolve(_ generation: Generation, _ token: Token, _ listing: Listing) -> [Event] {
        let name = generation.name
        let sighting: Sighting
        do { sighting = try identification.sighting(of: generation, at: token.gateway, in: listing) } catch {
            return unreadable(name, error)
        }
        switch sighting {
        case .proven(let id): return [.identified(name, id, .told)]
        case .alone(let id): return [.identified(name, id, .alone)]
        case .none:
            // It was created, so a list that does not show it yet may show it later.
            if generation.fingerprint != nil, listing.newcomers(for: generation).isEmpty,
                ports.now().wall.timeIntervalSince(generation.intendedAt) < Sighting.longestWay
            {
                return [.revokeFailed(name, why: "the gateway does not list it yet", needsPerson: false, retryAfter: nil)]
            }
            return [.revokeAnswered(name)]
        case .unclear:
            let ids = listing.newcomers(for: generation).map { $0.id?.text ?? "no id" }.prefix(5).joined(separator: ", ")
            let why =
                "which key of its name (\(ids)) is ours is not known: revoke it in the gateway's console, or give the other one another name"
            return [.revokeFailed(name, why: why, needsPerson: true, retryAfter: nil)]
        }
    }

    /// A revocation is over when the secret is refused and the list shows it ended or gone: one that was asked for after the
    /// revocation was answered.
    func seeRefused(_ name: String, _ token: Token) async -> Outcome {
        do throws(GatewayError) {
            let secret: Secret?
            do { secret = try ports.keyring.secret(name, of: token.gateway) } catch { return .happened(unreadable(name, error)) }
            if let secret, case .accepted = try await desk.gateway.probe(secret) {
                return [
                    .revokeFailed(
                        name, why: "the gateway accepted its revocation and still accepts its secret", needsPerson: false, retryAfter: nil)
                ]
            }
        } catch { return .happened(failure(toSee: name, error)) }
        // A refusal alone may be the gateway's bad hour: its list has to agree before the secret is forgotten.
        if desk.refusesAdmin { return [] }
        return .awaitsList { answer, token in
            guard let generation = token.generation(name) else { return [] }
            do throws(GatewayError) {
                let listing = try answer.get()
                do throws(KeyringError) {
                    if try !identification.showsAlive(generation, at: token.gateway, in: listing) { return [.seenRefused(name)] }
                } catch { return unreadable(name, error) }
                let why = "the gateway accepted its revocation and still lists it as alive"
                return [.revokeFailed(name, why: why, needsPerson: false, retryAfter: nil)]
            } catch { return failure(toSee: name, error) }
        }
    }

    private func failure(toSee name: String, _ error: GatewayError) -> [Event] {
        if case .adminRefused = error { return [] }
        return [.revokeFailed(name, why: error.description, needsPerson: error.needsPerson, retryAfter: error.retryAfter)]
    }
}
