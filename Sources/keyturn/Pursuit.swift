import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Logging

/// Follows what a command asked for to its end: through the process that drives, or by driving itself where none does.
///
/// Nobody waits for ever: should the driver go away meanwhile, the lock becomes free and the command drives on.
struct Pursuit: Sendable {
    let site: Site
    let requests: [Request]
    /// Seconds that it stays for, where nobody else drives and the next thing to do is that far ahead.
    var patience: TimeInterval = 30
    /// Is it over for this token, and how? Nil: not yet. With the rotation that the answer names.
    let verdict: @Sendable (Request, Token, Rotation?) throws -> Exit?

    private var journal: SQLiteJournal { site.house.journal }

    func follow() async throws -> Exit {
        let stop = StopFlag()
        return try await withStop(stop) {
            var told = Told(journal, Set(requests.map(\.token)))
            let http = HTTPClient()
            defer { http.shutdown() }
            let patience = ContinuousClock.now + Pursuit.patience
            var nextWake = ContinuousClock.now
            var view = View(journal, requests)
            while !stop.isSet {
                try told.tell()
                let now = try view.now()
                if let exit = try outcome(now) { return exit }
                if let lock = try lock() {
                    lock.announce()
                    do { return try await drive(http, stop, &told) } catch {
                        try withdraw(because: "\(error)")
                        throw error
                    }
                }
                if !now.isHeard {
                    if ContinuousClock.now > patience { return notHeard() }
                    // Each wake costs the driver a pass, and the gateway perhaps a list: one a second until it has heard.
                    if ContinuousClock.now >= nextWake {
                        try wakeDriver()
                        nextWake = ContinuousClock.now + .seconds(1)
                    }
                    Terminal.progress("waiting for the process that drives to take it up; Ctrl-C leaves it to it")
                } else {
                    Terminal.progress("under way in the process that drives; Ctrl-C leaves it to it")
                }
                // However much there is to look at, looking takes a tenth of the time at most.
                try? await Task.sleep(for: max(.milliseconds(100), view.cost * 9))
            }
            return .waits
        }
    }

    /// How long a driver may take to look at a request.
    private static let patience = Duration.seconds(60)

    /// Nil while another process drives.
    private func lock() throws -> DriverLock? {
        do throws(DriverLock.Failure) { return try DriverLock(path: House.lockPath(site.configuration.settings)) } catch {
            guard case .taken = error else { throw Refusal(.permission, error.description) }
            return nil
        }
    }

    private func notHeard() -> Exit {
        Terminal.error("keyturn: the request is filed, and the process that drives has not looked at it yet: see its log")
        return .waits
    }

    /// What could not even be begun must not begin by itself on another day. A leak must.
    private func withdraw(because why: String) throws {
        for request in requests where request.verb != .leak {
            guard var pending = try journal.request(request.number), pending.answeredAt == nil else { continue }
            pending.refusal = "withdrawn by the command: \(why)"
            try journal.answer(pending, at: Date())
        }
    }

    /// Drives the requested tokens until they are through, stuck, or have to wait for longer than anybody watches.
    private func drive(_ http: HTTPClient, _ stop: StopFlag, _ told: inout Told) async throws -> Exit {
        let keeper = try site.keeper(http: http, log: Logger(label: "keyturn"), isStopping: { stop.isSet })
        while !stop.isSet {
            let outlook = try await told.telling { try await keeper.pass(watches: false, only: Set(requests.map(\.token))) }
            if let finding = outlook.findings.first(where: { $0.code == .keyringUnknown }) {
                Terminal.error("keyturn: \(finding.sentence); \(finding.help)")
                try withdraw(because: finding.sentence)
                return .stuck
            }
            let now = try journal.follow(requests.map(\.number))
            if let exit = try outcome(now) { return exit }
            if !outlook.troubles.isEmpty, let exit = try gatewayTrouble(now, isSeen: true) { return exit }
            guard let next = outlook.nextLook, next.timeIntervalSinceNow < patience else { return .waits }
            let rest = max(0.05, next.timeIntervalSinceNow)
            if rest > 1 { Terminal.progress("going on in \(Age.text(rest))") }
            try? await Task.sleep(for: .seconds(rest))
        }
        return .waits
    }

    private func wakeDriver() throws {
        guard DriverLock.wake(path: House.lockPath(site.configuration.settings)) == .forbidden else { return }
        throw Refusal(
            .permission, "the request is filed; the daemon runs as another user and cannot be woken: run as that user, or as root")
    }

    /// The worst of all tokens, once each has an end.
    private func outcome(_ now: Followed) throws -> Exit? {
        var worst = Exit.done
        var refusals: [String] = []
        for request in now.requests {
            guard request.answeredAt != nil else { return try gatewayTrouble(now) }
            if let refusal = request.refusal {
                refusals.append(refusal)
                continue
            }
            let rotation = request.rotation.flatMap { now.rotations[$0] }
            guard let token = now.tokens[request.token], let exit = try verdict(request, token, rotation) else {
                return try gatewayTrouble(now)
            }
            if exit.rawValue > worst.rawValue { worst = exit }
        }
        for refusal in refusals { Terminal.error("keyturn: \(refusal)") }
        if !refusals.isEmpty, worst == .done { worst = .failed }
        // What a gateway holds up is better told of the gateway than of each token.
        return try worst == .stuck ? gatewayTrouble(now) ?? worst : worst
    }

    /// With the gateway out of reach, what is asked for may take days: say so and leave it to the driver.
    /// `isSeen`: what the findings say has been looked at since the request was filed.
    private func gatewayTrouble(_ now: Followed, isSeen: Bool = false) throws -> Exit? {
        let troubles: Set<Finding.Code> = [.gatewayUnreachable, .adminTokenRefused, .keyringUnknown]
        let findings = now.findings.filter { troubles.contains($0.finding.code) }
        if findings.isEmpty { return nil }
        let gateways = Set(now.requests.compactMap { (now.tokens[$0.token]?.gateway ?? site.policies[$0.token]?.gateway)?.text })
        // Out of reach is what the last list came to; whether the admin token is still refused is not known then.
        let isAway = { (open: OpenFinding) in open.finding.code == .gatewayUnreachable }
        for open in findings.filter(isAway) + findings.filter({ !isAway($0) })
        where open.finding.code == .keyringUnknown || gateways.contains(open.finding.subject) {
            // One that opened before the request may be over by now: the driver looks first.
            guard isSeen || open.openedAt >= (requests.map(\.filedAt).min() ?? .distantPast) || now.hasFailed else { continue }
            Terminal.error("keyturn: \(open.finding.sentence); \(open.finding.help)")
            // Nothing was begun, and nothing must begin by itself on the day that the keyring is back.
            if open.finding.code == .keyringUnknown { try withdraw(because: open.finding.sentence) }
            return open.finding.code == .gatewayUnreachable ? .unreachable : .stuck
        }
        return nil
    }
}

/// Looks at some requests again only where another process has written since.
private struct View {
    private let journal: SQLiteJournal
    private let numbers: [Int64]
    private var version: Int?
    private var last: Followed?
    /// What the last look took.
    private(set) var cost = Duration.zero

    init(_ journal: SQLiteJournal, _ requests: [Request]) {
        self.journal = journal
        numbers = requests.map(\.number)
    }

    mutating func now() throws -> Followed {
        // Before what it stands for: what is written in between is looked at once more.
        let version = try journal.version()
        if let last, version == self.version { return last }
        let begun = ContinuousClock.now
        let now = try journal.follow(numbers)
        cost = ContinuousClock.now - begun
        (self.version, last) = (version, now)
        return now
    }
}

extension Followed {
    /// A driver has taken up everything that was asked for.
    fileprivate var isHeard: Bool { requests.allSatisfy { $0.answeredAt != nil } }

    /// A driver has tried since it took a request up, which forgets what failed before, and did not get through; or it has
    /// not even begun, though nothing but the gateway's list could keep it.
    fileprivate var hasFailed: Bool {
        requests.contains { request in
            guard let answeredAt = request.answeredAt, let token = tokens[request.token] else { return false }
            let revocations = token.generations.filter { $0.state == .revoking }.map(\.attempts.failures)
            if ([token.rotation?.attempts.failures ?? 0] + revocations).contains(where: { $0 > 0 }) { return true }
            // Where it is the admin token that is refused, no revocation counts that as its own failure.
            let isUntried = token.generations.contains {
                $0.state == .revoking && $0.revokeAnsweredAt == nil && $0.attempts.failures == 0
            }
            let isListless = token.rotation?.phase == .minting && token.rotation?.generation == nil
            return (isListless || isUntried) && Date().timeIntervalSince(answeredAt) > 3
        }
    }
}

/// Prints what the history says about some tokens, as it comes.
private struct Told: Sendable {
    private let journal: SQLiteJournal
    private let tokens: Set<TokenName>
    private var last: Int64

    init(_ journal: SQLiteJournal, _ tokens: Set<TokenName>) {
        self.journal = journal
        self.tokens = tokens
        last = (try? journal.history(of: nil, after: 0, limit: 1).last?.number) ?? 0
    }

    /// Tells what happens while a body runs, not only after it: a consumer's `then` may take minutes.
    mutating func telling<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        let result = try await withThrowingTaskGroup(of: Result?.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await body() }
            while true {
                group.addTask {
                    try? await Task.sleep(for: .milliseconds(100))
                    return nil
                }
                if let finished = try await group.next(), let result = finished { return result }
                try tell()
            }
        }
        try tell()
        return result
    }

    mutating func tell() throws {
        for entry in try journal.history(of: nil, after: last, limit: 10000) {
            last = entry.number
            if tokens.contains(entry.token) { Terminal.print("\(entry.token): \(entry.sentence.oneLine)") }
        }
    }
}
