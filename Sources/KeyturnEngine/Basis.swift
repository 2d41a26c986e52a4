import KeyturnCore

/// What an administrator wrote and a token's failures may be owed to, its policy and the settings of its gateway, as digests
/// that are the same in every process of one version. Made once for a configuration, since making one takes its time.
struct Basis: Sendable {
    private let gateways: [GatewayName: GatewaySettings]
    private let digests: [TokenName: String]

    init(_ policies: some Sequence<TokenPolicy>, _ gateways: [GatewayName: GatewaySettings]) {
        self.gateways = gateways
        digests = Dictionary(policies.map { ($0.name, Basis.digest($0, gateways[$0.gateway])) }) { first, _ in first }
    }

    func digest(of token: Token, under policy: TokenPolicy?) -> String {
        if let policy, policy.gateway == token.gateway, let digest = digests[policy.name] { return digest }
        return Basis.digest(policy, gateways[token.gateway])
    }

    /// Of what Swift prints of the values, so that no member of them is forgotten.
    private static func digest(_ policy: TokenPolicy?, _ gateway: GatewaySettings?) -> String {
        // What is told, and what may be spent, never kept anything from going well, and the digests in older journals know nothing of it.
        var policy = policy
        policy?.notifyBefore = []
        policy?.budget = nil
        let text = String(describing: policy).replacing(", notifyBefore: [], budget: nil", with: "", maxReplacements: 1)
        return String(Spread.bits("\(text) \(String(describing: gateway))"), radix: 16)
    }
}
