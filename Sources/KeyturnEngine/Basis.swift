import KeyturnCore

/// What an administrator wrote and a token's failures may be owed to: its policy and the settings of its gateway.
enum Basis {
    /// The same in every process of one version; what Swift prints of the values, so that no member of them is forgotten.
    static func digest(_ policy: TokenPolicy?, _ gateway: GatewaySettings?) -> String {
        String(Spread.bits("\(String(describing: policy)) \(String(describing: gateway))"), radix: 16)
    }
}
