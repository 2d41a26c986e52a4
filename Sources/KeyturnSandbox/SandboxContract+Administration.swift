import FoundationEssentials

/// `/v1/api-keys`: what the admin token may do.
extension SandboxContract {
    mutating func create(_ visit: Visit, _ strike: FaultDice.Strike, at now: Date) -> Answer {
        guard let fields = visit.fields else { return .error(400, "The body must be a JSON object") }
        guard let name = fields["name"]?.text, !name.isEmpty else { return .error(400, "name must be a text") }
        var order = TokenOrder(name: name, attributes: fields)
        switch fields["expires_at"] {
        case nil, .null: break
        case .string(let text):
            guard let date = try? Date(text, strategy: .iso8601) else { fallthrough }
            order.expiresAt = date
        default: return .error(400, "expires_at must be a time such as 2025-12-31T23:59:59Z")
        }
        guard table.alive < capacity ?? .max else {
            return .error(403, "Token limit reached: this account holds \(table.alive) tokens")
        }
        for twist in strike.twists {
            switch twist {
            case .lateValidity(let seconds): order.validityLag = seconds
            case .noModels: order.lacksLastModel = true
            case .laggingRevocation: break
            }
        }
        let delay = strike.damage?.delay ?? 0
        let token = table.issue(order, at: now, delay: delay)
        if delay <= 0 { statistics.created += 1 }
        return ["id": .string(token.id), "name": .string(token.name), "key": .string(token.secret)]
    }

    func list(_ visit: Visit) -> Answer {
        let rows = table.tokens.map { token -> SandboxJSON in
            [
                "id": .string(token.id), "name": .string(token.name), "status": .string(token.status.rawValue),
                "created_at": .string(token.createdAt.utcText),
                "last_used": token.lastUsedAt.map { .string($0.utcText) } ?? .null,
            ]
        }
        guard let size = configuration.pageSize else { return ["data": .array(rows)] }
        guard let page = Int(visit.query["page"] ?? "1"), page >= 1, page <= 1_000_000 else {
            return .error(400, "page must be a number from 1")
        }
        let rest = rows.dropFirst((page - 1) * size)
        return ["data": .array(Array(rest.prefix(size))), "page": .number(Decimal(page)), "has_more": .bool(rest.count > size)]
    }

    mutating func revoke(_ visit: Visit, _ strike: FaultDice.Strike, at now: Date) -> Answer {
        var lag: TimeInterval = 0
        for case .laggingRevocation(let seconds) in strike.twists { lag = seconds }
        switch table.remove(id: visit.id ?? "", at: now, lag: lag) {
        case .revoked, .deleted: return [:]
        case .unknown: return .error(404, "API key not found")
        }
    }
}
