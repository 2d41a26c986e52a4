import KeyturnCore

/// Living keys at a gateway that bear a name of ours and are not ours: made by hand, under another program, or revived.
/// They are told of, one finding a token, and never touched.
struct Strangers {
    private let tokens: [String: (token: TokenName, generation: Generation)]
    private let patterns: [String: [TokenPolicy]]
    /// Of our generations in use: one that was renamed in the gateway's console is told of as that.
    private let ours: Set<KeyID>

    init(_ tokens: [Token], _ policies: some Collection<TokenPolicy>) {
        let generations = tokens.flatMap { token in token.generations.map { ($0.name, (token: token.name, generation: $0)) } }
        self.tokens = Dictionary(generations) { first, _ in first }
        ours = Set(tokens.compactMap { $0.currentGeneration?.keyID })
        patterns = Dictionary(grouping: policies, by: \.pattern.prefix)
    }

    /// Names of living keys that no generation at hand accounts for: what the journal's past says of them is still to be asked.
    func unaccounted(in listing: Listing) -> Set<String> {
        Set(listing.keys.filter { $0.isAlive && tokens[$0.name] == nil }.map(\.name))
    }

    /// `past`: which of the unaccounted names were generations of ours, and whose.
    func findings(in listing: Listing, past: [String: PastGeneration], environments: [TokenName: String]) -> [Finding] {
        var strangers: [TokenName: [ListedKey]] = [:]
        for key in listing.keys where key.isAlive {
            if let token = token(meantBy: key, past) { strangers[token, default: []].append(key) }
        }
        return strangers.sorted { $0.key < $1.key }.map { token, keys in
            let shown = keys.prefix(3).map { "\($0.name) (\($0.id?.text ?? "no id"))" }.joined(separator: ", ")
            let rest = keys.count > 3 ? " and \(keys.count - 3) more" : ""
            return Finding(
                code: .unknownKey, severity: .warning, token: token, environment: environments[token],
                sentence: "at the gateway lives \(shown)\(rest), named like a generation of \(token) and not Keyturn's; it is not touched",
                help: "if nobody needs it, revoke it in the gateway's console; `keyturn adopt` takes over a token that is in use"
            )
        }
    }

    /// The token whose name a key bears without being its generation; nil for our own keys and for those that mean nothing to us.
    private func token(meantBy key: ListedKey, _ past: [String: PastGeneration]) -> TokenName? {
        if let id = key.id, ours.contains(id) { return nil }
        if let (token, generation) = tokens[key.name] {
            // Without an id it is not known which is ours: told of as such.
            guard let known = generation.keyID, let id = key.id else { return nil }
            return id == known ? nil : token
        }
        if let past = past[key.name] { return past.generation.keyID == key.id && key.id != nil ? nil : past.token }
        // Each place where a month may stand, so that a list costs no more than its own length.
        let text = key.name
        for start in text.indices where text[start].isNumber {
            if let fitting = patterns[String(text[..<start])]?.first(where: { $0.pattern.matches(text) }) { return fitting.name }
        }
        return nil
    }
}
