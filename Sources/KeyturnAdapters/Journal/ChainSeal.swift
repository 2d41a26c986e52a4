package import KeyturnCore

/// What rows of the history are chained with.
package enum ChainSeal: Sendable {
    /// Hashes that prove nothing: for a journal in memory and for tests of something else.
    case unkeyed
    /// Why there is no key, and the way out: no row can be written.
    case missing(String)
    case keys(ChainKeys)
    /// There are keys, and the newest row is under another one, of this id: no row can be written.
    case estranged(ChainKeys, String)

    /// Rows chained without a key.
    static let noKey = "none"

    var keyID: String? {
        switch self {
        case .unkeyed: ChainSeal.noKey
        case .missing, .estranged: nil
        case .keys(let keys): keys.id
        }
    }

    /// Why no row can be written, and the way out; nil where one can.
    var obstacle: String? {
        switch self {
        case .unkeyed, .keys: nil
        case .missing(let why): why
        case .estranged(let keys, let id):
            "its history is under the key \(id), and the keyring has \(keys.id): restore keys/history.key from a backup; if it is lost, "
                + "`keyturn history --verify --accept-loss REASON` goes on with the one that is there"
        }
    }

    /// Nil for a key that is not here. Nothing counts as sealed without one where there are keys.
    func code(_ keyID: String, _ bytes: [UInt8]) -> [UInt8]? {
        switch self {
        case .unkeyed: keyID == ChainSeal.noKey ? ChainedRow.origin : nil
        case .missing: nil
        case .keys(let keys), .estranged(let keys, _): keys.code(keyID, bytes)
        }
    }
}

/// The keys of a host's history: one in use, and those that it replaced.
package struct ChainKeys: Sendable {
    /// Of the one in use.
    package var id: String
    /// HMAC-SHA-256 under the key of an id; nil where that key is not here.
    package var code: ChainWalk.Code
    /// Ids of those that were replaced.
    package var retired: Set<String>

    package init(id: String, retired: Set<String> = [], code: @escaping ChainWalk.Code) {
        self.id = id
        self.retired = retired
        self.code = code
    }
}
