extension FaultRow {
    private static let everywhere = SandboxOperation.faultable
    private static let admin = SandboxOperation.administrative

    /// Every kind there is, in the order in which help and errors list them.
    static let all: [FaultRow] = [
        FaultRow("reset", everywhere, .none(.instead(.reset)), "resets the connection before anything is done"),
        FaultRow("hang", everywhere, .none(.instead(.hang)), "does nothing and never answers"),
        FaultRow(
            "429",
            everywhere,
            .seconds { .instead(.tooManyRequests(retryAfter: $0)) },
            "too many requests; 429=7 adds Retry-After: 7"
        ),
        FaultRow("500", everywhere, .none(.instead(.failure(500))), "answers 500 before anything is done"),
        FaultRow("502", everywhere, .none(.instead(.failure(502))), "answers 502 before anything is done"),
        FaultRow("503", everywhere, .none(.instead(.failure(503))), "answers 503 before anything is done"),
        FaultRow("error-in-200", everywhere, .none(.instead(.errorIn200)), "does nothing and says so with status 200"),
        FaultRow("dead-admin", admin, .none(.instead(.deadAdmin)), "answers 401 to the admin token"),

        FaultRow(
            "lost-answer",
            [.create],
            of: everywhere,
            .none(.afterwards(.lostAnswer)),
            "does it and cuts the connection without a byte"
        ),
        FaultRow("late-commit", [.create], .span(5) { .afterwards(.lateCommit($0)) }, "cuts the connection, and makes the token later"),
        FaultRow("hang-after", [.create], of: everywhere, .none(.afterwards(.hang)), "does it and never answers"),
        FaultRow("500-after", [.create], of: everywhere, .none(.afterwards(.failure(500))), "does it and answers 500"),
        FaultRow("502-after", [.create], of: everywhere, .none(.afterwards(.failure(502))), "does it and answers 502"),
        FaultRow("503-after", [.create], of: everywhere, .none(.afterwards(.failure(503))), "does it and answers 503"),
        FaultRow("garbage", everywhere, .none(.afterwards(.garbage)), "does it and answers 200 with bytes that are no JSON"),
        FaultRow("truncated", everywhere, .none(.afterwards(.truncated)), "does it and answers half of the JSON as if it were all"),
        FaultRow("short-body", everywhere, .none(.afterwards(.shortBody)), "does it and closes in the middle of the body announced"),
        FaultRow("oversized", everywhere, .none(.afterwards(.oversized)), "does it and answers 64 MiB"),
        FaultRow("missing-id", [.create], of: [.create, .list], .none(.afterwards(.missingID)), "does it and answers without ids"),
        FaultRow("missing-key", [.create], .none(.afterwards(.missingKey)), "does it and answers without the key"),
        FaultRow("masked-key", [.create], .none(.afterwards(.maskedKey)), "does it and answers sk-abc***xyz for the key"),

        FaultRow(
            "figures", [.usage], .text("1e30") { .afterwards(.figures($0)) },
            "answers figures=TEXT for both counters: null, -5, 1e30, NaN, \"lots\""),
        FaultRow("currency", [.usage], .text("EUR") { .afterwards(.currency($0)) }, "says currency=TEXT beside the counters"),

        FaultRow("late-validity", [.create], .span(3) { .twist(.lateValidity($0)) }, "a new token is refused for so long"),
        FaultRow("lagging-revocation", [.revoke], .span(3) { .twist(.laggingRevocation($0)) }, "a revoked token is accepted for so long"),
        FaultRow("no-models", [.create], .none(.twist(.noModels)), "a new token lacks the last model"),
    ]
}
