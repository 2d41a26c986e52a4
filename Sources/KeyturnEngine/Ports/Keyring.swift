package import KeyturnCore

/// Where secrets are kept until they are seen refused: name, id and secret of a generation as one record.
package protocol Keyring: Sendable {
    /// Is it there, readable, and the one the journal belongs to? An unknown keyring is not an empty one: while it is
    /// unknown nothing is created and nothing revoked.
    func check() throws(KeyringError)

    /// Makes room for one record on the disk, so that the secret that comes back from a create can be kept.
    func reserve(_ name: String, of gateway: GatewayName) throws(KeyringError)

    /// Keeps a record, durably, over what was reserved or is there.
    func put(_ name: String, of gateway: GatewayName, id: KeyID?, secret: borrowing Secret) throws(KeyringError)

    /// Gives up what was reserved.
    func release(_ name: String, of gateway: GatewayName) throws(KeyringError)

    /// The secret, or nil where a whole keyring does not have it.
    func secret(_ name: String, of gateway: GatewayName) throws(KeyringError) -> Secret?

    /// The id kept with a secret; nil where there is no such record or it has none.
    func id(_ name: String, of gateway: GatewayName) throws(KeyringError) -> KeyID?

    /// Names of all records of a gateway.
    func names(of gateway: GatewayName) throws(KeyringError) -> Set<String>

    /// Overwrites and removes a record; a missing one is no error.
    func wipe(_ name: String, of gateway: GatewayName) throws(KeyringError)

    /// The first 12 hex digits of HMAC-SHA-256 under the host's own key.
    func fingerprint(_ secret: borrowing Secret) throws(KeyringError) -> String
}

/// What is wrong with the keyring, naming the file and the way out.
package struct KeyringError: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
