import Glibc
package import KeyturnCore

/// Where secrets of ours are to lie: the keyring, and each target for what was delivered there. Files are known by what they are, not
/// by the path that leads there.
package struct ExpectedPlaces {
    struct Identity: Hashable {
        var device: UInt64
        var inode: UInt64

        init(_ status: stat) { (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino)) }

        init?(of path: String) {
            var status = stat()
            guard unsafe stat(path, &status) == 0 else { return nil }
            self.init(status)
        }
    }

    private var keyring: Identity?
    private var targets: [Identity: Set<String>] = [:]

    /// `tokens`: as the journal knows them; `policies`: what delivers to which files.
    package init(keyring path: String, tokens: [Token], policies: [TokenName: TokenPolicy]) {
        keyring = Identity(of: path)
        for token in tokens {
            let files = token.targets.filter { $0.leftAt == nil }.map(\.id.file) + (policies[token.name]?.targets.map(\.file) ?? [])
            let names = Set(token.targets.compactMap(\.generation) + [token.current, token.desired].compactMap(\.self))
            for identity in Set(files.compactMap(Identity.init(of:))) { targets[identity, default: []].formUnion(names) }
        }
    }

    /// `folder`: the one that the file was found in.
    func isExpected(_ generation: String, in file: Identity?, of folder: Identity?) -> Bool {
        (folder != nil && folder == keyring) || file.flatMap { targets[$0] }?.contains(generation) == true
    }
}
