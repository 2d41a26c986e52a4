import KeyturnCore

/// What a step came to.
enum Outcome: Sendable, ExpressibleByArrayLiteral {
    /// What happened; nothing: what it needs (the gateway's list, the admin token) is not to be had in this pass.
    case happened([Event])
    /// It goes on with a list that is asked for after this: `then` finishes it; nil: it is taken anew. The list is asked for when
    /// all others have come as far, once for all who wait.
    case awaitsList(then: Finish?)

    /// With what the gateway answered to the list, and the token as it is by then.
    typealias Finish = @Sendable (Result<Listing, GatewayError>, Token) async throws -> [Event]

    init(arrayLiteral events: Event...) { self = .happened(events) }
}

/// A step that waits for a list.
struct Parked: Sendable {
    /// Nil where nothing waits for what comes of it.
    var step: Step?
    var finish: Outcome.Finish?
}
