/// What a request asks of the gateway: what statistics count and what a fault may strike.
package enum SandboxOperation: String, CaseIterable, Hashable, Sendable {
    case create, list, revoke, models, usage, chat

    /// `chat` is left out on purpose: a demo or test must be able to say that no call of a consumer failed except for its token.
    static let faultable: Set<SandboxOperation> = [.create, .list, .revoke, .models, .usage]
    /// Those that want the admin token as bearer; the others want a token of the table.
    static let administrative: Set<SandboxOperation> = [.create, .list, .revoke]
}
