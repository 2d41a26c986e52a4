import Foundation
package import KeyturnCore
import KeyturnEngine

/// The promises, asked of the world after every event.
extension WorldState {
    mutating func checkInvariants(after event: String) {
        let before = violations.count
        for (name, account) in accounts { checkKeys(of: account, name, event) }
        for (id, place) in places where place.isIssued && place.isManaged { checkPlace(id, place, event) }
        // In whatever order they were found, a seed tells them in one.
        if violations.count > before { violations[before...].sort() }
    }

    /// No token is lost or forgotten: whatever is alive, or may yet land, is held with its secret, in the revocation
    /// queue, or journaled as abandoned.
    private mutating func checkKeys(of account: Account, _ gateway: GatewayName, _ event: String) {
        let living = account.living(at: now).filter { $0.maker == .keyturn }
        for key in living + account.underWay.map(\.key) {
            let state = journal.generation(key.name, of: gateway)?.state
            switch state {
            case .intended, .abandoned, .revoking: break
            case .held, .retiring:
                let record = keyring.record(key.name, of: gateway)
                guard keyring.records != nil, record?.secret != key.secret, !keyring.stolen.contains(key.name) else { break }
                violate("\(key.id) (\(key.name)) is alive and \(state?.rawValue ?? ""), and its secret is not in the keyring", after: event)
            case .unmade, .revoked, nil:
                // Doomed: the gateway has promised to end it. And where its twin was taken for it, it is told of as unknown.
                guard key.refusedFrom == nil, !account.keys.contains(where: { $0.isTwin && $0.name == key.name }) else { break }
                violate("\(key.id) (\(key.name)) is alive and \(state?.rawValue ?? "unknown to the journal")", after: event)
            }
        }
    }

    /// What a consumer reads, and what it uses, is a token that works: none that Keyturn ended.
    private mutating func checkPlace(_ id: TargetID, _ place: Place, _ event: String) {
        // What a person has put there is theirs; that it is found in time is asked when something is released.
        let held = place.editedAt == nil ? place.content : nil
        let used = place.usesEdited ? nil : place.inUse
        for (what, secret) in [("holds", held), ("consumer uses", used)] {
            guard let secret, let (gateway, key) = key(withSecret: secret), key.endedBy == .keyturn else { continue }
            // A token that was ended leaves its targets as they are, until it is taken up again and delivered anew.
            if let token = journal.owner(of: key.name, at: gateway), journal.isEnded(token) { ended.insert(key.secret) }
            guard !ended.contains(key.secret) else { continue }
            violate("\(id) \(what) \(key.name), which Keyturn revoked", after: event)
        }
    }

    package func key(withSecret secret: String) -> (GatewayName, Key)? {
        for (name, account) in accounts { if let key = account.key(withSecret: secret) { return (name, key) } }
        return nil
    }

    /// No secret in what is told: history, findings, log.
    package mutating func checkSilence() {
        let secrets = accounts.values.flatMap(\.keys).map(\.secret)
        let told = journal.history.map(\.sentence) + journal.openFindings.map { "\($0.finding.sentence) \($0.finding.help)" } + log
        for line in told where line.contains("sk-") {
            for secret in secrets where line.contains(secret) { violate("a secret is told: \(line)") }
        }
    }
}
