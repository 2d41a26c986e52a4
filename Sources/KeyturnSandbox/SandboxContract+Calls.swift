import FoundationEssentials

/// What a token may do: spend, and ask what it has spent.
extension SandboxContract {
    mutating func chat(_ visit: Visit, by index: Int, at now: Date) -> Answer {
        let models = models(of: table.tokens[index])
        let model = visit.fields?["model"]?.text ?? models.first ?? "none"
        statistics.chatAccepted += 1
        guard models.contains(model) else { return .error(404, "The model \(model) does not exist") }
        table.record(SandboxCall(timestamp: now, model: model, tokens: 2, cost: configuration.price), at: index)
        return [
            "id": .string("chatcmpl-\(statistics.chatAccepted)"), "object": "chat.completion",
            "created": .number(Decimal(Int(now.timeIntervalSince1970))), "model": .string(model),
            "choices": [["index": 0, "message": ["role": "assistant", "content": "ok"], "finish_reason": "stop"]],
            "usage": ["prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2],
        ]
    }

    /// `/v1/usage`, and `/v1/usage/logs` when the path ends in `logs`. Days and months are those of UTC.
    func usage(_ visit: Visit, of index: Int, at now: Date) -> Answer {
        let token = table.tokens[index]
        if visit.id == "logs" { return logs(visit, of: token) }
        let before = configuration.usage(of: token.name)
        return [
            "today_usage": .number(before.today + token.spent(on: now.utcDay)),
            "month_usage": .number(before.month + token.spent(in: now.utcMonth)),
        ]
    }

    /// The newest calls first; both dates belong to the range.
    private func logs(_ visit: Visit, of token: SandboxToken) -> Answer {
        guard let limit = Int(visit.query["limit"] ?? "100"), limit >= 0 else { return .error(400, "limit must be a number") }
        let first = visit.query["start_date"] ?? ""
        let last = visit.query["end_date"] ?? "9999"
        let calls = token.calls.reversed().filter { (first...max(first, last)).contains($0.timestamp.utcDay) }
        return [
            "data": .array(
                calls.prefix(limit).map { call in
                    [
                        "timestamp": .string(call.timestamp.utcText), "model": .string(call.model),
                        "tokens": .number(Decimal(call.tokens)), "cost": .number(call.cost),
                    ]
                }
            )
        ]
    }
}

extension Answer: ExpressibleByDictionaryLiteral {
    /// A 200 with this object.
    init(dictionaryLiteral elements: (String, SandboxJSON)...) {
        self.init(body: .object(Dictionary(elements) { _, last in last }))
    }
}
