/// What goes over the wire for one request: decided as a value, carried out in `SandboxRoutes`.
enum Reply: Equatable, Sendable {
    case answer(Answer)
    /// Status 200 and these bytes under a Content-Length of `announced`; when that is more, the connection closes after them.
    case bytes([UInt8], announced: Int)
    /// Status 200 and a body that starts like a list and goes on for 64 MiB.
    case flood
    /// The connection is closed without a byte of an answer.
    case cut
    /// As `cut`, with a TCP reset.
    case reset
    /// Nothing, until the client goes or the server stops.
    case hang

    /// The status a client reads, nil where it reads none.
    var status: Int? {
        switch self {
        case .answer(let answer): answer.status
        case .bytes, .flood: 200
        case .cut, .reset, .hang: nil
        }
    }
}

extension Fault.Refusal {
    var reply: Reply {
        switch self {
        case .reset: .reset
        case .hang: .hang
        case .errorIn200: .answer(.error(200, "The request could not be processed"))
        case .deadAdmin: .answer(.invalidKey)
        case .tooManyRequests(let seconds): .answer(.error(429, "Too many requests", retryAfter: seconds))
        case .failure(let status): .answer(.error(status, "The gateway is not available"))
        }
    }
}

extension Fault.Damage {
    /// What becomes of an answer. A refusal has no key and no id to lose, but it can be lost, cut and garbled all the same.
    func reply(of answer: Answer) -> Reply {
        switch self {
        case .lostAnswer, .lateCommit: return .cut
        case .hang: return .hang
        case .oversized: return .flood
        case .failure(let status): return .answer(.error(status, "The gateway is not available"))
        case .figures(let text):
            guard answer.body["today_usage"] != nil else { return .answer(answer) }
            let bytes = Array("{\"month_usage\":\(text),\"today_usage\":\(text)}".utf8)
            return .bytes(bytes, announced: bytes.count)
        case .currency(let text):
            guard case .object(var fields) = answer.body, fields["today_usage"] != nil else { return .answer(answer) }
            fields["currency"] = .string(text)
            var other = answer
            other.body = .object(fields)
            return .answer(other)
        case .garbage:
            let page = Array("<html>\u{0}\u{1}{{{ not JSON".utf8)
            return .bytes(page, announced: page.count)
        case .truncated:
            let half = firstHalf(of: answer)
            return .bytes(half, announced: half.count)
        case .shortBody: return .bytes(firstHalf(of: answer), announced: answer.body.bytes().count)
        case .missingID: return .answer(answer.replacing("id", with: nil))
        case .missingKey: return .answer(answer.replacing("key", with: nil))
        case .maskedKey: return .answer(answer.replacing("key", with: "sk-abc***xyz"))
        }
    }

    /// How much later than its request a create takes effect, in seconds.
    var delay: Double {
        if case .lateCommit(let seconds) = self { seconds } else { 0 }
    }

    private func firstHalf(of answer: Answer) -> [UInt8] {
        let bytes = answer.body.bytes()
        return Array(bytes.prefix(bytes.count / 2))
    }
}
