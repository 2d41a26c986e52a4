package import Foundation

/// Every call that the engine makes of the world; a fault or a death may meet each of them.
package enum PortCall: String, CaseIterable, Sendable {
    case create, list, revoke, probe, usage
    case preflight, publish, remove, consumerPreflight, take, confirm, secretInFile, stillHolds
    case checkKeyring, reserveRecord, putRecord, releaseRecord, readRecord, listRecords, wipeRecord
    case readJournal, record, reserve, answer, reconcile, keepReadings
    case hand, readOutbox, writeOutbox

    /// What tells people of findings.
    static let ofOutbox: Set<PortCall> = [.hand, .readOutbox, .writeOutbox]

    /// Can its effect break a promise? Looking at something breaks none.
    var changesTheWorld: Bool {
        switch self {
        case .create, .revoke, .publish, .remove, .take, .putRecord, .wipeRecord, .record, .reserve, .keepReadings: true
        case .list, .probe, .usage, .preflight, .consumerPreflight, .confirm, .secretInFile, .stillHolds, .checkKeyring, .reserveRecord,
            .releaseRecord, .readRecord, .listRecords, .readJournal, .answer, .reconcile,
            .hand, .readOutbox, .writeOutbox:
            false
        }
    }
}

/// What may go wrong with one call. Which of them an operation knows: `Fault.possible(for:)`.
package enum Fault: Equatable, Sendable {
    /// The process ends before the call has any effect, or right after all of it.
    case diesBefore
    case diesAfter
    /// A clear failure, nothing done: a full disk, a consumer's error, the gateway's no.
    case fails(String)
    /// It was done, and the answer says that it failed.
    case failsAfter(String)
    case unreachable
    /// The request got lost on its way, or the answer on its way back.
    case lostBefore
    case lostAfter
    /// The answer is lost, and the gateway acts only so many seconds later.
    case late(TimeInterval)
    case serverError
    case tooMany(retryAfter: TimeInterval)
    case adminRefused
    /// 403: an empty balance, a forbidden address.
    case forbidden
    /// Done, and answered with something that cannot be read.
    case garbage
    /// Done, and the answer has no id.
    case withoutID
    /// Answered with yes, and not done.
    case withoutEffect

    /// One word for the figures.
    package var kind: String {
        switch self {
        case .diesBefore: "death before"
        case .diesAfter: "death after"
        case .fails: "failure"
        case .failsAfter: "failure after the effect"
        case .unreachable: "no connection"
        case .lostBefore: "lost request"
        case .lostAfter: "lost answer"
        case .late: "late effect"
        case .serverError: "server error"
        case .tooMany: "too many requests"
        case .adminRefused: "admin refused"
        case .forbidden: "forbidden"
        case .garbage: "unreadable answer"
        case .withoutID: "no id"
        case .withoutEffect: "no effect"
        }
    }

    /// What the simulation may throw at an operation.
    package static func possible(for operation: PortCall, _ dice: inout Dice) -> [Fault] {
        let deaths: [Fault] = [.diesBefore, .diesAfter]
        let answers: [Fault] = [.unreachable, .serverError, .tooMany(retryAfter: dice.seconds(1...600)), .lostBefore]
        switch operation {
        case .create:
            return deaths + answers + [
                .lostAfter, .lostAfter, .late(dice.seconds(1...1200)), .garbage, .withoutID, .withoutID, .adminRefused,
                .fails("422 not like this"),
            ]
        case .list: return deaths + answers + [.adminRefused]
        case .revoke: return deaths + answers + [.lostAfter, .adminRefused, .withoutEffect]
        case .probe, .usage: return deaths + answers + [.forbidden]
        case .preflight, .consumerPreflight: return [.diesBefore, .fails("not writable")]
        case .publish, .remove: return deaths + [.fails("no space left on device")]
        case .take: return deaths + [.fails("exit status 1"), .fails("exit status 1"), .failsAfter("timed out")]
        case .confirm: return deaths + [.fails("not yet")]
        case .checkKeyring: return [.diesBefore, .fails("input/output error")]
        case .reserveRecord, .putRecord: return deaths + [.fails("no space left on device")]
        case .wipeRecord, .releaseRecord, .readRecord, .listRecords: return deaths + [.fails("input/output error")]
        case .record, .reserve, .answer, .reconcile, .keepReadings: return deaths + [.fails("disk full")]
        case .readJournal: return [.diesBefore, .fails("database is locked")]
        case .secretInFile: return deaths
        case .hand: return deaths + [.unreachable, .lostBefore, .lostAfter, .fails("550 no such user")]
        case .readOutbox: return [.diesBefore, .fails("database is locked")]
        case .writeOutbox: return deaths + [.fails("disk full")]
        case .stillHolds: return deaths + [.fails("input/output error")]
        }
    }
}
