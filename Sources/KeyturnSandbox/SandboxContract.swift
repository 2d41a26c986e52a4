import FoundationEssentials

/// The gateway without the network: a request and the time go in, what to send comes out.
///
/// It answers what the document shows and no more; a field that a client finds here is one it may rely on, or one that
/// the console shows (`created_at`, `last_used`).
struct SandboxContract: Sendable {
    let configuration: SandboxConfiguration
    var capacity: Int?
    var table: TokenTable
    var dice: FaultDice
    var statistics = SandboxStatistics()

    init(_ configuration: SandboxConfiguration, table: TokenTable = TokenTable()) {
        self.configuration = configuration
        self.capacity = configuration.capacity
        self.table = table
        self.dice = FaultDice(configuration.faults, seed: configuration.seed)
    }

    /// Does what a request asks, unless a fault prevents it, and says what its sender gets to see.
    mutating func receive(_ visit: Visit, at now: Date) -> Reply {
        settle(at: now)
        statistics.count(visit.operation)
        let strike = dice.roll(visit.operation)
        let reply: Reply
        if let refusal = strike.refusal {
            reply = refusal.reply
        } else {
            let answer = answer(visit, strike, at: now)
            reply = strike.damage?.reply(of: answer) ?? .answer(answer)
        }
        if let status = reply.status { statistics.answers[status, default: 0] += 1 }
        return reply
    }

    /// Brings the table to `now`; whoever looks at it does this first.
    mutating func settle(at now: Date) {
        statistics.created += table.settle(at: now, capacity: capacity)
    }

    private mutating func answer(_ visit: Visit, _ strike: FaultDice.Strike, at now: Date) -> Answer {
        if SandboxOperation.administrative.contains(visit.operation) {
            guard visit.bearer == configuration.adminToken else { return .invalidKey }
            switch visit.operation {
            case .create: return create(visit, strike, at: now)
            case .revoke: return revoke(visit, strike, at: now)
            default: return list(visit)
            }
        }
        guard let index = visit.bearer.flatMap({ table.index(accepting: $0, at: now) }) else {
            if visit.operation == .chat { statistics.chatRefused += 1 }
            return .invalidKey
        }
        switch visit.operation {
        case .chat: return chat(visit, by: index, at: now)
        case .usage: return usage(visit, of: index, at: now)
        default: return ["data": .array(models(of: table.tokens[index]).map { ["id": .string($0)] })]
        }
    }

    /// Every model but what `no-models` took from this token.
    func models(of token: SandboxToken) -> [String] {
        token.lacksLastModel ? configuration.models.dropLast() : configuration.models
    }
}
