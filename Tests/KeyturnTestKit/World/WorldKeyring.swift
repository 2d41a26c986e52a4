import Foundation
package import KeyturnCore
import KeyturnEngine

/// What lies in the keyring.
package struct KeyringState: Sendable {
    package struct Record: Sendable, Equatable {
        package var id: KeyID?
        package var secret: String
    }

    /// Nil: it is not there at all.
    package var records: [GatewayName: [String: Record]]? = [:]
    /// Names whose record cannot be read, though it is there.
    package var unreadable: Set<String> = []
    /// Records that somebody else took away.
    package private(set) var stolen: Set<String> = []
    package fileprivate(set) var reserved: Set<String> = []

    package func record(_ name: String, of gateway: GatewayName) -> Record? { records?[gateway]?[name] }

    /// Takes a record away, as a hand on the disk would.
    package mutating func steal(_ name: String, of gateway: GatewayName) {
        records?[gateway]?[name] = nil
        stolen.insert(name)
    }
}

struct WorldKeyring: Keyring {
    let world: World
    let process: Int

    private func call<Result: Sendable>(
        _ operation: PortCall, _ detail: String = "", _ body: (inout KeyringState) throws(KeyringError) -> Result
    ) throws(KeyringError) -> Result {
        try world.call(operation, by: process, detail, dead: KeyringError("dead")) { state, fault throws(KeyringError) in
            if case .fails(let why) = fault { throw KeyringError("keyring: \(why)") }
            guard state.keyring.records != nil else { throw KeyringError("the keyring is missing") }
            return try body(&state.keyring)
        }
    }

    func check() throws(KeyringError) { try call(.checkKeyring) { _ in } }

    func reserve(_ name: String, of gateway: GatewayName) throws(KeyringError) {
        try call(.reserveRecord, name) { _ = $0.reserved.insert(name) }
    }

    func release(_ name: String, of gateway: GatewayName) throws(KeyringError) {
        try call(.releaseRecord, name) { _ = $0.reserved.remove(name) }
    }

    func put(_ name: String, of gateway: GatewayName, id: KeyID?, secret: borrowing Secret) throws(KeyringError) {
        let text = secret.text
        try call(.putRecord, name) { keyring in
            keyring.reserved.remove(name)
            keyring.records?[gateway, default: [:]][name] = KeyringState.Record(id: id, secret: text)
        }
    }

    func secret(_ name: String, of gateway: GatewayName) throws(KeyringError) -> Secret? {
        try record(name, gateway).map { Secret($0.secret) }
    }

    func id(_ name: String, of gateway: GatewayName) throws(KeyringError) -> KeyID? { try record(name, gateway)?.id }

    private func record(_ name: String, _ gateway: GatewayName) throws(KeyringError) -> KeyringState.Record? {
        try call(.readRecord, name) { keyring throws(KeyringError) in
            if keyring.unreadable.contains(name) { throw KeyringError("\(name).key is damaged") }
            return keyring.record(name, of: gateway)
        }
    }

    func names(of gateway: GatewayName) throws(KeyringError) -> Set<String> {
        try call(.listRecords) { Set($0.records?[gateway]?.keys.sorted() ?? []) }
    }

    func wipe(_ name: String, of gateway: GatewayName) throws(KeyringError) {
        try call(.wipeRecord, name) { $0.records?[gateway]?[name] = nil }
    }

    func fingerprint(_ secret: borrowing Secret) throws(KeyringError) -> String {
        let hex = String(Spread.bits(secret.text), radix: 16)
        return String((String(repeating: "0", count: 16) + hex).suffix(12))
    }
}
