package import KeyturnCore

/// What the journal knows of secrets, which it never held: their fingerprints. For who meets a string and asks whether it is ours.
package protocol FingerprintLedger: Sendable {
    /// Every generation whose secret was ever held, revoked ones too, by token and then by age.
    func fingerprinted() throws(JournalError) -> [FingerprintedGeneration]
}

/// A generation as its secret's finder needs to know it.
package struct FingerprintedGeneration: Sendable, Equatable {
    package var token: TokenName
    package var environment: String
    package var gateway: GatewayName
    package var name: String
    /// 12 hex digits.
    package var fingerprint: String
    package var state: Generation.State

    package init(
        token: TokenName, environment: String, gateway: GatewayName, name: String, fingerprint: String, state: Generation.State
    ) {
        self.token = token
        self.environment = environment
        self.gateway = gateway
        self.name = name
        self.fingerprint = fingerprint
        self.state = state
    }

    /// May its secret open the door still?
    package var isAlive: Bool { state != .revoked }
}
