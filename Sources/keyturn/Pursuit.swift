import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Logging

/// Follows what a command asked for to its end: through the process that drives, or by driving itself where none does.
///
/// Nobody waits for ever: should the driver go away meanwhile, the lock becomes free and the command drives on.
struct Pursuit {
    let site: Site
    let requests: [Request]
    /// Is it over for this token, and how? Nil: not yet.
    let verdict: (Request, Token) throws -> Exit?

    private var journal: SQLiteJournal { site.house.journal }

    func follow() async throws -> Exit {
        let stop = StopFlag()
        return try await withStop(stop) {
            var told = Told(journal, Set(requests.map(\.token)))
            let http = HTTPClient()
            defer { http.shutdown() }
            while !stop.isSet {
                try told.tell()
                if let exit = try outcome() { return exit }
                do throws(DriverLock.Failure) {
                    let lock = try DriverLock(path: House.lockPath(site.configuration.settings))
                    lock.announce()
                    do { if let exit = try await drive(http, stop, &told) { return exit } } catch { throw .unusable("\(error)") }
                } catch {
                    guard case .taken = error else { throw Refusal(.permission, error.description) }
                    try wakeDriver()
                    try await Task.sleep(for: .milliseconds(100))
                }
            }
            return .waits
        }
    }

    /// Drives the requested tokens until they are through, stuck, or have to wait for longer than anybody watches.
    private func drive(_ http: HTTPClient, _ stop: StopFlag, _ told: inout Told) async throws -> Exit? {
        let keeper = try site.keeper(http: http, log: Logger(label: "keyturn"), isStopping: { stop.isSet })
        var isFirst = true
        while !stop.isSet {
            let outlook = try await keeper.pass(watches: isFirst, only: Set(requests.map(\.token)))
            isFirst = false
            try told.tell()
            if let exit = try outcome() { return exit }
            if let error = outlook.troubles.values.first {
                Terminal.error("keyturn: \(error)")
                return error.isUnreachable ? .unreachable : error.needsPerson ? .stuck : .unreachable
            }
            guard let next = outlook.nextLook, next.timeIntervalSinceNow < 30 else { return .waits }
            try await Task.sleep(for: .seconds(max(0.05, next.timeIntervalSinceNow)))
        }
        return .waits
    }

    private func wakeDriver() throws {
        guard DriverLock.wake(path: House.lockPath(site.configuration.settings)) == .forbidden else { return }
        throw Refusal(.permission, "the request is filed; the daemon runs as another user and cannot be woken: run as that user, or as root")
    }

    /// The worst of all tokens, once each has an end.
    private func outcome() throws -> Exit? {
        var worst = Exit.done
        for request in requests {
            guard let answered = try journal.request(request.number), answered.answeredAt != nil else { return gatewayTrouble() }
            if let refusal = answered.refusal {
                Terminal.error("keyturn: \(refusal)")
                worst = .failed
                continue
            }
            guard let token = try journal.token(request.token), let exit = try verdict(answered, token) else { return gatewayTrouble() }
            if exit.rawValue > worst.rawValue { worst = exit }
        }
        return worst
    }

    /// With the gateway out of reach, what is asked for may take days: say so and leave it to the driver.
    private func gatewayTrouble() -> Exit? {
        let gateways = Set(requests.compactMap { site.policies[$0.token]?.gateway.text })
        guard let findings = try? journal.openFindings() else { return nil }
        for open in findings where gateways.contains(open.finding.subject) {
            guard open.finding.code == .gatewayUnreachable || open.finding.code == .adminTokenRefused else { continue }
            // One that opened before the request may be over by now: the driver looks first.
            guard open.openedAt >= (requests.map(\.filedAt).min() ?? .distantPast) else { continue }
            Terminal.error("keyturn: \(open.finding.sentence); \(open.finding.help)")
            return open.finding.code == .adminTokenRefused ? .stuck : .unreachable
        }
        return nil
    }
}

/// Prints what the history says about some tokens, as it comes.
private struct Told {
    private let journal: SQLiteJournal
    private let tokens: Set<TokenName>
    private var last: Int64

    init(_ journal: SQLiteJournal, _ tokens: Set<TokenName>) {
        self.journal = journal
        self.tokens = tokens
        last = (try? journal.history(of: nil, after: 0, limit: 1).last?.number) ?? 0
    }

    mutating func tell() throws {
        for entry in try journal.history(of: nil, after: last, limit: 10000) {
            last = entry.number
            if tokens.contains(entry.token) { Terminal.print("\(entry.token): \(entry.sentence.oneLine)") }
        }
    }
}
