package import Foundation
import KeyturnCore
import Logging

/// Carries what the outbox owes to people: composes, marks, hands over and records, one message after the other for a courier.
///
/// A death between mark and record leaves a message of which nobody knows whether it was accepted. It is handed over once more, with
/// the same id: a finding told twice is a nuisance, one told to nobody is a hole, and the receiver can tell by the id.
package struct Post: Sendable {
    package let couriers: [any Courier]
    let journal: any Journal
    let now: @Sendable () -> Moment
    let log: Logger
    let unrecorded: Unrecorded
    let isStopping: @Sendable () -> Bool

    /// Writes down who the couriers are; from then on findings that open are owed to them.
    func enlist() throws(JournalError) { try journal.enlist(couriers.map(\.name), at: now().wall) }

    /// For who begins to drive. `urges`: what failed is tried again at once, since somebody may have mended it.
    package func open(urges: Bool = false) throws(JournalError) {
        try enlist()
        if urges { try journal.urge() }
        try tellOfCouriers()
    }

    /// A courier that has nothing to do for now.
    package struct Rest: Sendable {
        /// When it will owe something again, as far as it can be told; nil: never by itself.
        package var until: Date?
        /// It began or ceased to fail, which others are to tell.
        package var hasTold = false
    }

    /// All couriers at once, until each has nothing to say or has failed. Returns when one will owe something again.
    @discardableResult
    package func round() async -> Date? {
        var rests: [String: Rest] = [:]
        var chosen = couriers
        // What one has to tell of another it learns when that one has rested.
        for _ in 0..<2 where !chosen.isEmpty {
            await withTaskGroup(of: (String, Rest).self) { group in
                for courier in chosen { group.addTask { (courier.name, await deliver(by: courier)) } }
                for await (name, rest) in group { rests[name] = rest }
            }
            let changed = Set(rests.filter(\.value.hasTold).keys)
            chosen = changed.isEmpty ? [] : couriers.filter { changed != [$0.name] }
        }
        return rests.values.compactMap(\.until).min()
    }

    /// Everything that one courier owes now.
    package func deliver(by courier: any Courier) async -> Rest {
        var hasTold = false
        do {
            while !isStopping() {
                let progress = try await next(by: courier)
                hasTold = hasTold || progress.hasTold
                if !progress.goesOn { return Rest(until: progress.until, hasTold: hasTold) }
            }
        } catch {
            // Where the journal cannot be written nothing is handed over: who has nothing on record must not speak.
            log.error("\(courier.name): \(error)")
            return Rest(until: now().wall.addingTimeInterval(60), hasTold: hasTold)
        }
        return Rest(hasTold: hasTold)
    }

    private struct Progress {
        var goesOn = false
        var until: Date?
        var hasTold = false
    }

    private func next(by courier: any Courier) async throws(JournalError) -> Progress {
        if let record = unrecorded[courier.name] {
            try journal.took(record.dispatch, record.notices, by: courier.name, at: record.at)
            unrecorded[courier.name] = nil
        }
        let start = now().wall
        guard let desk = try journal.desk(of: courier.name, takenSince: start.addingTimeInterval(-3600)) else { return Progress() }
        guard desk.state.attempts.isDue(at: start) else { return Progress(until: desk.state.attempts.notBefore) }
        let (dispatch, later) = try dispatch(desk, courier, start)
        guard let dispatch else { return Progress(until: later) }
        do throws(CourierError) { try await courier.hand(over: try message(of: dispatch, desk, courier)) } catch {
            return try rest(after: error, dispatch, desk, courier)
        }
        let told = desk.notices.compactMap { notice in dispatch.words[notice.number].flatMap { notice.saying($0, at: start) } }
        let record = Unrecorded.Record(dispatch: dispatch, notices: told, at: now().wall)
        unrecorded[courier.name] = record
        try journal.took(dispatch, told, by: courier.name, at: record.at)
        unrecorded[courier.name] = nil
        log.info("\(courier.name) took \(dispatch.id)")
        return Progress(goesOn: true, hasTold: desk.state.attempts.failures > 0 ? try tellOfCouriers() : false)
    }

    /// The message that is to be handed over now: the one whose outcome is not known, else a new one, marked.
    private func dispatch(_ desk: CourierDesk, _ courier: any Courier, _ now: Date) throws(JournalError) -> (Dispatch?, later: Date?) {
        if let underWay = desk.underWay { return (underWay, nil) }
        let wasFailing = desk.state.failingSince != nil
        let owed = Owed(desk.notices, from: courier.severity, taken: desk.taken, wasFailing: wasFailing, at: now)
        if !owed.settled.isEmpty { try journal.settle(owed.settled, of: courier.name) }
        // Who is known to fail and has nothing to say any more says that it can again: nothing else would show it.
        guard !owed.next.isEmpty || (desk.state.attempts.isStuck && owed.later == nil) else { return (nil, owed.later) }
        let dispatch = Dispatch(of: owed.next, host: try journal.host(), at: now)
        try journal.begin(dispatch, by: courier.name)
        return (dispatch, nil)
    }

    private func message(of dispatch: Dispatch, _ desk: CourierDesk, _ courier: any Courier) throws(CourierError) -> Message {
        let open: [OpenFinding]
        do throws(JournalError) { open = try journal.openFindings() } catch { throw .unreachable("\(error)") }
        let items = desk.notices.compactMap { notice in dispatch.words[notice.number].map { Owed.Item(notice, $0) } }
        let told = Set(items.map(\.notice.finding.key))
        let others = open.map(\.finding).filter { $0.severity >= courier.severity && $0.telling != .kept && !told.contains($0.key) }
        return Message(
            id: dispatch.id, thread: dispatch.thread, at: dispatch.begunAt,
            items: items.sorted {
                ($0.word == .passed ? 1 : 0, $1.notice.finding.severity) < ($1.word == .passed ? 1 : 0, $0.notice.finding.severity)
            },
            others: others.sorted { $0.severity > $1.severity }, failingSince: desk.state.attempts.isStuck ? desk.state.failingSince : nil
        )
    }

    private func rest(
        after error: CourierError, _ dispatch: Dispatch, _ desk: CourierDesk, _ courier: any Courier
    ) throws(JournalError) -> Progress {
        let moment = now().wall
        // A no to the second attempt says nothing about the first: what was unclear once is so until it is accepted.
        var (attempts, needsPerson, isUnclear, retryAfter) = (desk.state.attempts, false, desk.underWay != nil, TimeInterval?.none)
        switch error {
        case .unreachable(_, let seconds): retryAfter = seconds
        case .refused: needsPerson = true
        case .unclear: isUnclear = true
        }
        attempts.failed("\(error)", needsPerson: needsPerson, retryAfter: retryAfter, of: courier.name, at: moment)
        let since = desk.state.failingSince ?? moment
        try journal.failed(dispatch, by: courier.name, attempts, since: since, isUnclear: isUnclear)
        log.warning("\(courier.name) did not take \(dispatch.id): \(error)")
        return Progress(until: attempts.notBefore, hasTold: try tellOfCouriers())
    }

    // MARK: Who fails

    /// Did anything change?
    @discardableResult
    private func tellOfCouriers() throws(JournalError) -> Bool {
        let findings = try journal.couriers().filter(\.attempts.isStuck).map { state in
            Finding(
                code: .courierFailing, severity: .error, subject: state.name,
                sentence: "nothing can be told by \(state.name) since \((state.failingSince ?? now().wall).formatted(.iso8601)): "
                    + (state.attempts.lastError ?? "it fails"),
                help: "`keyturn test-mail` tries it; what is open is in `keyturn status`, and told as soon as it can be"
            )
        }
        return try Teller(journal: journal, now: now, log: log).tell(findings, judged: { $0.code == .courierFailing })
    }
}
