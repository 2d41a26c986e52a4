import Foundation
import KeyturnCore
import Logging

/// Writes what happened, first to the journal and then to the log: nothing is told that is not kept.
struct Recorder: Sendable {
    let journal: any Journal
    let now: @Sendable () -> Moment
    let log: Logger

    /// Advances a token by events that happened together and makes that durable in one transaction.
    func record(_ events: [Event], of token: inout Token, under policy: TokenPolicy?) throws {
        var next = token
        let entries = try take(events, of: &next, under: policy)
        try journal.record(next, entries.map(\.entry))
        token = next
        tell(entries)
    }

    /// The same for an intent, which also needs a free place of the account. False: there is none, and nothing was recorded.
    func reserve(_ event: Event, of token: inout Token, under policy: TokenPolicy, others: Int, capacity: Int?) throws -> Bool {
        var next = token
        let entries = try take([event], of: &next, under: policy)
        let unknownSince = now().wall.addingTimeInterval(-Recorder.unknownCountsFor)
        guard try journal.reserve(next, entries.map(\.entry), others: others, capacity: capacity, unknownSince: unknownSince) else {
            return false
        }
        token = next
        tell(entries)
        return true
    }

    /// Seconds that a create of unknown outcome takes a place of the account, unless it turns up: far longer than any
    /// request lasts on its way.
    static let unknownCountsFor: Double = 900

    private typealias Told = (entry: HistoryEntry, level: Logger.Level)

    private func take(_ events: [Event], of token: inout Token, under policy: TokenPolicy?) throws -> [Told] {
        var entries: [Told] = []
        for event in events {
            let moment = now()
            try token.advance(event, for: policy, at: moment)
            // A file alone has nobody to tell: the history must not say that somebody was told.
            if case .took(let id, _) = event, policy?.targets.first(where: { $0.id == id })?.then == nil { continue }
            let entry = HistoryEntry(
                at: moment.wall, token: token.name, environment: token.environment, rotation: token.rotation?.id,
                generation: event.generation,
                code: event.code, sentence: event.sentence
            )
            entries.append((entry, event.level))
        }
        return entries
    }

    private func tell(_ entries: [Told]) {
        for (entry, level) in entries {
            var fields: Logger.Metadata = [
                LogKeys.token: "\(entry.token)", LogKeys.environment: "\(entry.environment)", LogKeys.code: "\(entry.code)",
            ]
            if let rotation = entry.rotation { fields[LogKeys.rotation] = "\(rotation)" }
            if let generation = entry.generation { fields[LogKeys.generation] = "\(generation)" }
            log.log(level: level, "\(entry.sentence)", metadata: fields)
        }
    }
}

extension Event {
    /// `notice` for milestones, `info` for steps, `warning` for what is tried again; errors are findings, not events.
    var level: Logger.Level {
        switch self {
        case .started, .minted, .seenRefused, .adopted, .ended, .resumed, .turnedUp: .notice
        case .notMade, .lost, .held, .refusedOnce, .refused, .targetFailed, .readFailed, .revokeFailed, .oldRefused, .drifted,
            .trialRefused:
            .warning
        case .urged, .intended, .identified, .accepted, .published, .took, .confirmed, .oldAccepted, .released, .revokeAnswered, .removed:
            .info
        case .read, .trialAccepted: .debug
        }
    }
}
