/// A well-formed answer: a status and a JSON body.
struct Answer: Equatable, Sendable {
    var status = 200
    /// Seconds, for a `Retry-After` header.
    var retryAfter: Int?
    var body: SandboxJSON

    /// The shape of every error the document shows: an object `error` with a `message`.
    static func error(_ status: Int, _ message: String, retryAfter: Int? = nil) -> Answer {
        Answer(status: status, retryAfter: retryAfter, body: ["error": ["message": .string(message), "code": .string(code(status))]])
    }

    /// Said to a wrong admin token and to a token that is unknown, revoked, expired or not yet valid alike.
    static let invalidKey = error(401, "Invalid API Key")

    private static func code(_ status: Int) -> String {
        switch status {
        case 200: "request_failed"
        case 400: "invalid_request"
        case 401: "invalid_api_key"
        case 403: "token_limit_reached"
        case 404: "not_found"
        case 413: "request_too_large"
        case 429: "rate_limit_exceeded"
        default: "server_error"
        }
    }

    /// The same with `key` replaced, or taken out when `value` is nil, in the body and in the objects of its `data`.
    func replacing(_ key: String, with value: SandboxJSON?) -> Answer {
        guard case .object(var members) = body else { return self }
        if members[key] != nil { members[key] = value }
        if case .array(let items) = members["data"] {
            members["data"] = .array(items.map { Answer(body: $0).replacing(key, with: value).body })
        }
        var answer = self
        answer.body = .object(members)
        return answer
    }
}
