import Foundation
import KeyturnCore
import Logging

/// Writes what happened, first to the journal and then to the log: nothing is told that is not kept.
struct Recorder: Sendable {
    let journal: any Journal
    let basis: Basis
    let now: @Sendable () -> Moment
    let log: Logger

    /// Advances a token by events that happened together and makes that durable in one transaction.
    /// `step`: the one that brought them about, where one did.
    ///
    /// Not inlined: Swift 6.3.1's optimizer ends by a signal while it splits asynchronous functions that this was inlined into.
    @inline(never)
    func record(_ events: [Event], of token: inout Token, under policy: TokenPolicy?, step: Step? = nil) throws {
        var next = token
        let entries = try take(events, of: &next, under: policy)
        try journal.record(next, entries)
        token = next
        tell(entries, events, step: step)
    }

    /// The same for an intent, which also needs a free place of the account. False: there is none, and nothing was recorded.
    func reserve(_ event: Event, of token: inout Token, under policy: TokenPolicy, others: Int, capacity: Int?) throws -> Bool {
        var next = token
        let entries = try take([event], of: &next, under: policy)
        let unknownSince = now().wall.addingTimeInterval(-Recorder.unknownCountsFor)
        guard try journal.reserve(next, entries, others: others, capacity: capacity, unknownSince: unknownSince) else { return false }
        token = next
        tell(entries, [event], step: .mint)
        return true
    }

    /// The same for what opens an incident, in one transaction with it. Not inlined, as `record`.
    @inline(never)
    func open(_ incident: LeakIncident, _ events: [Event], of token: inout Token, under policy: TokenPolicy?) throws {
        var next = token
        let entries = try take(events, of: &next, under: policy)
        try journal.open(incident, of: next, entries)
        token = next
        tell(entries, events, step: nil)
    }

    /// Says that an incident is over: nothing that happens to the token, but something that its history has to tell.
    func close(_ incident: LeakIncident, of token: Token, _ sentence: String) throws {
        let entry = HistoryEntry(
            at: now().wall, token: token.name, environment: token.environment, rotation: nil, generation: nil, code: "leak-over",
            sentence: sentence)
        try journal.close(incident.number, of: token, entry)
        log.notice(
            "\(sentence)",
            metadata: [
                LogKeys.token: "\(token.name)", LogKeys.environment: "\(token.environment)", LogKeys.code: "\(entry.code)",
            ])
    }

    /// Seconds that a create of unknown outcome takes a place of the account, unless it turns up: far longer than any
    /// request lasts on its way.
    static let unknownCountsFor: Double = 900

    private func take(_ events: [Event], of token: inout Token, under policy: TokenPolicy?) throws -> [HistoryEntry] {
        var entries: [HistoryEntry] = []
        token.basis = basis.digest(of: token, under: policy)
        for event in events {
            let moment = now()
            let wasOpen = token.rotation?.isOpen == true
            try token.advance(event, for: policy, at: moment)
            var sentence = event.sentence
            if wasOpen, let rotation = token.rotation, !rotation.isOpen {
                sentence += rotation.phase == .finished ? "; the rotation is finished" : "; the rotation is given up"
            }
            entries.append(
                HistoryEntry(
                    at: moment.wall, token: token.name, environment: token.environment, rotation: token.rotation?.id,
                    generation: event.generation,
                    code: event.code, sentence: sentence
                )
            )
        }
        return entries
    }

    private func tell(_ entries: [HistoryEntry], _ events: [Event], step: Step?) {
        for (entry, event) in zip(entries, events) {
            var fields: Logger.Metadata = [
                LogKeys.token: "\(entry.token)", LogKeys.environment: "\(entry.environment)", LogKeys.code: "\(entry.code)",
            ]
            if let rotation = entry.rotation { fields[LogKeys.rotation] = "\(rotation)" }
            if let step { fields[LogKeys.step] = "\(step.word)" }
            if let generation = entry.generation { fields[LogKeys.generation] = "\(generation)" }
            log.log(level: event.level, "\(entry.sentence)", metadata: fields)
        }
    }
}

extension Event {
    /// `notice` for milestones, `info` for steps, `warning` for what is tried again; errors are findings, not events.
    var level: Logger.Level {
        switch self {
        case .left, .returned, .targetLeft, .targetReturned, .started, .minted, .seenRefused, .adopted, .ended, .resumed, .turnedUp,
            .contained:
            .notice
        case .notMade, .lost, .heldBack, .refusedOnce, .refused, .targetFailed, .readFailed, .revokeFailed, .oldRefused, .drifted,
            .trialRefused, .leftAlone, .confused, .resurfaced, .leaked:
            .warning
        case .urged, .rebased, .intended, .identified, .neverCame, .accepted, .published, .took, .confirmed, .oldAccepted, .released,
            .revokeAnswered, .removed, .targetVacated, .noLongerDue:
            .info
        case .read, .trialAccepted: .debug
        }
    }
}
