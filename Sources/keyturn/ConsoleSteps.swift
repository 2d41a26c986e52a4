import Foundation
import KeyturnAdapters
import KeyturnCore

/// What a person does in the gateway's console to end what leaked, where Keyturn cannot.
struct ConsoleSteps {
    private let token: Token
    private let site: Site
    private let isTakenUp: Bool

    /// - Parameter isTakenUp: a driver has marked what leaked; until then all that exists is to be ended.
    init(for token: Token, _ site: Site, isTakenUp: Bool) {
        self.token = token
        self.site = site
        self.isTakenUp = isTakenUp
    }

    private var generations: [Generation] {
        token.generations.filter { ($0.isLiving || $0.state == .abandoned) && ($0.isLeaked || !isTakenUp) }
    }

    var lines: [String] {
        let generations = generations
        guard !generations.isEmpty else { return [] }
        let url = site.configuration.settings.gateways[token.gateway]?.url
        var lines = ["", "In a hurry, end these by hand; what is ended there is seen, and the rest goes on by itself:"]
        lines.append("  1. log in to the console of \(token.gateway)\(url.map { ": \($0)" } ?? "")")
        lines.append("  2. open \"API Keys\" in the menu on the left, and revoke exactly these:")
        for generation in generations {
            let id = generation.keyID.map { "id \($0)" } ?? "its id is not known: compare the key, and touch none that you do not know"
            let key = mask(of: generation).map { ", key \($0)" } ?? ""
            let lost = generation.state == .abandoned ? " (may not exist: the answer to its create was lost)" : ""
            lines.append("       \(generation.name), \(id)\(key)\(lost)")
        }
        return lines
    }

    /// As consoles show keys: enough to find it, too little to use it. Nil where the keyring does not give it.
    private func mask(of generation: Generation) -> String? {
        guard let secret = try? site.house.keyring.secret(generation.name, of: token.gateway) else { return nil }
        return secret.withBytes { span -> String? in
            let bytes = unsafe span.withUnsafeBytes { unsafe Array($0) }
            guard bytes.count >= 24 else { return nil }
            return String(decoding: bytes.prefix(5), as: UTF8.self) + "****" + String(decoding: bytes.suffix(4), as: UTF8.self)
        }
    }
}
