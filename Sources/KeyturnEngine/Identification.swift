import KeyturnCore

/// Finds out, from a gateway's list, which key a generation is whose id no answer has told.
struct Identification: Sendable {
    let keyring: any Keyring
    let now: @Sendable () -> Moment

    /// What a list tells of one generation; with the masked key compared where the list shows one and the secret is held.
    func sighting(of generation: Generation, at gateway: GatewayName, in listing: Listing) throws(KeyringError) -> Sighting {
        let fits = try fits(generation, gateway, listing)
        return listing.sighting(of: generation, at: now().wall) { key in key.id.flatMap { fits[$0] } }
    }

    /// Does a list show it alive: by its id, or by a name that no key bears which cannot be it?
    func showsAlive(_ generation: Generation, at gateway: GatewayName, in listing: Listing) throws(KeyringError) -> Bool {
        let fits = generation.keyID == nil ? try fits(generation, gateway, listing) : [:]
        return listing.showsAlive(generation, at: now().wall) { key in key.id.flatMap { fits[$0] } }
    }

    /// What happens to the generation by that; nothing while its record cannot be read, for that may hold the proof.
    func event(for generation: Generation, at gateway: GatewayName, in listing: Listing, clockIsOff: Bool) -> Event? {
        guard let sighting = try? sighting(of: generation, at: gateway, in: listing) else { return nil }
        return generation.event(after: sighting, in: listing, clockIsOff: clockIsOff)
    }

    /// For each listed key under the generation's name: false where it cannot be ours, or its id would tell the secret; true where its
    /// mask proves it.
    private func fits(_ generation: Generation, _ gateway: GatewayName, _ listing: Listing) throws(KeyringError) -> [KeyID: Bool] {
        let named = listing.keys(named: generation.name)
        guard !named.isEmpty, let secret = try keyring.secret(generation.name, of: gateway) else { return [:] }
        var fits: [KeyID: Bool] = [:]
        for key in named {
            guard let id = key.id else { continue }
            if secret.isTold(by: id.text) {
                fits[id] = false
            } else if let mask = key.mask {
                if !mask.fits(secret) { fits[id] = false } else if mask.tells { fits[id] = true }
            }
        }
        return fits
    }
}
