/// One request as the contract sees it, without HTTP.
struct Visit: Sendable {
    let operation: SandboxOperation
    /// What follows `Bearer ` in the Authorization header.
    var bearer: String?
    /// The last part of the path where it names a token.
    var id: String?
    var query: [String: String] = [:]
    var body: [UInt8] = []

    /// The body's object; nil when it is none.
    var fields: [String: SandboxJSON]? {
        if case .object(let fields) = SandboxJSON(bytes: body) { fields } else { nil }
    }
}
