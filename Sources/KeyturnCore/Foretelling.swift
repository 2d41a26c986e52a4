package import Foundation

/// What a policy wants to be told of ahead of time (`notify_before`): an expiry, a coming rotation.
package struct Foretelling: Sendable, Equatable {
    package enum Event: Sendable, Equatable {
        case expiry
        case rotation
    }

    package var event: Event
    package var at: Date
    /// Which of the policy's spans it is told by.
    package var before: TimeSpan

    /// What is ahead of the generation in use at `now`, each by the shortest span that has begun: a shorter one takes the place of a
    /// longer one, so that who comes late is told once.
    package static func all(of generation: Generation, under policy: TokenPolicy, at now: Date) -> [Foretelling] {
        var ahead: [Foretelling] = []
        func add(_ event: Event, _ date: Date?) {
            guard let date, date > now else { return }
            let begun = policy.notifyBefore.filter { date.addingTimeInterval(-$0.approximateSeconds) <= now }
            guard let before = begun.min(by: { $0.approximateSeconds < $1.approximateSeconds }) else { return }
            ahead.append(Foretelling(event: event, at: date, before: before))
        }
        let rotation = Schedule(of: generation, under: policy).next(from: now)
        // What is replaced in time does not expire for anybody.
        if let expiry = generation.expiresAt, rotation.map({ $0 >= expiry }) ?? true {
            add(.expiry, expiry)
        } else {
            add(.rotation, rotation)
        }
        return ahead
    }
}
