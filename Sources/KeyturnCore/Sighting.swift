package import Foundation

/// What a gateway's list says about a generation whose id nobody has told: by its name, by the time, by the masked key.
package enum Sighting: Sendable, Equatable {
    /// No living key can be it.
    case none
    /// Exactly one key bears its name that was not there before it, and it fits.
    case alone(KeyID)
    /// The list shows enough of the key to know it.
    case proven(KeyID)
    /// A key bears its name and may be it or somebody else's: never touched, a person is told.
    case unclear

    /// Seconds after its intent in which a create may still land.
    package static let longestWay: TimeInterval = 3600

    /// Seconds that the gateway's clock may differ from ours.
    package static let tolerance: TimeInterval = 300
}

extension Listing {
    /// Keys under a generation's name that were not there before our create, whatever became of them: ours is one of
    /// these, and so is whoever else took the name.
    package func newcomers(for generation: Generation) -> [ListedKey] {
        keys(named: generation.name).filter { key in key.id.map { !generation.foreignIDs.contains($0) } ?? true }
    }

    /// `now`: of the host's clock, for a gateway that shows none. `fits`: what a masked key says where the secret is at hand; nil
    /// where it says nothing.
    package func sighting(of generation: Generation, at now: Date, fits: (ListedKey) -> Bool? = { _ in nil }) -> Sighting {
        let newcomers = newcomers(for: generation).filter { fits($0) != false }
        let known = newcomers.filter { fits($0) == true }
        if known.count == 1, let id = known[0].id { return known[0].isAlive ? .proven(id) : .none }
        guard newcomers.contains(where: \.isAlive) else { return .none }
        // Dead ones count: which of them was ours is not known any more.
        guard newcomers.count == 1, generation.identity != .ambiguous, let id = newcomers[0].id else { return .unclear }
        // The secret of a lost create was never in anybody's hands: what is used is somebody else's.
        if generation.fingerprint == nil, newcomers[0].lastUsedAt != nil { return .unclear }
        return isOfItsTime(newcomers[0], generation, now) ? .alone(id) : .unclear
    }

    /// A key that is older than our wish for it is somebody else's, and so is one that was made long after: no create is on
    /// its way for an hour, while a person may well take the name that we gave up. Where no time is shown it was made when it
    /// is seen first, for all that is known.
    ///
    /// A time without a zone is no proof either way: it excludes a key that is too old or too young in every zone, and says
    /// no more about the others than none.
    private func isOfItsTime(_ key: ListedKey, _ generation: Generation, _ now: Date) -> Bool {
        // A secret that we hold was created for sure: then no time excludes the only key of its name.
        guard let created = key.createdAt ?? (generation.fingerprint == nil ? gatewayTime ?? now : nil) else { return true }
        let age = created.timeIntervalSince(generation.intendedAt)
        return age >= -Sighting.tolerance - key.doubt && age <= Sighting.longestWay + key.doubt
    }

    /// Is a generation still alive by the list: by its id, or by its name where its id is not known or not shown? `fits`: as for
    /// `sighting`; a key that cannot be ours does not keep ours alive.
    package func showsAlive(_ generation: Generation, at now: Date, fits: (ListedKey) -> Bool? = { _ in nil }) -> Bool {
        if keys(named: generation.name).contains(where: { $0.isAlive && $0.id == nil }) { return true }
        if let id = generation.keyID { return key(id)?.isAlive ?? false }
        return newcomers(for: generation).contains { $0.isAlive && isOfItsTime($0, generation, now) && fits($0) != false }
    }
}

extension Generation {
    /// What a sighting means for a generation whose id was not told; nil where it changes nothing.
    package func event(after sighting: Sighting, in listing: Listing, clockIsOff: Bool) -> Event? {
        guard identity != .told, state == .abandoned || isLiving else { return nil }
        switch sighting {
        case .proven(let id): return .identified(name, id, .told)
        case .alone(let id):
            if state == .abandoned { return .turnedUp(name, id, .alone) }
            // The one that we took for ours has left the list, and another key bears its name.
            if let keyID { return keyID == id ? nil : .confused(name) }
            return .identified(name, id, .alone)
        case .unclear:
            let isContested = listing.newcomers(for: self).count > 1
            return isContested && identity != .ambiguous ? .confused(name) : nil
        case .none:
            // By the gateway's clock: ours may jump, and what is given up is not looked for any more.
            guard state == .abandoned, !clockIsOff, let time = listing.gatewayTime,
                time.timeIntervalSince(intendedAt) > Sighting.longestWay + Sighting.tolerance
            else { return nil }
            return .neverCame(name)
        }
    }
}
