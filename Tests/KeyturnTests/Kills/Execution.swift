import Foundation
import KeyturnSandbox
import KeyturnTestHost
import Synchronization

/// One death of one process: a life that is cut short at a step, a second process that carries on, and the judgement.
struct Execution: Sendable {
    let life: Life
    let step: Killpoint.Step
    let side: Killpoint.Order.Side

    var name: String { "\(life.name), after \(step.after): \(side.rawValue) \(step.name) (\(step.times))" }

    /// Lives a life to its end and tells its steps.
    static func steps(of life: Life) async throws -> [Killpoint.Step] {
        var steps: [Killpoint.Step] = []
        try await Account.with(faults: life.faults) { account in
            try account.writeLife(every: life.every)
            let daemon = try account.host.daemon("-v", environment: try Killpoint.environment(account.host, record: "steps"))
            try await live(life, account, daemon) { try life.isLived(account) }
            steps = try Killpoint.steps(of: account.host, record: "steps")
            daemon.send(SIGKILL)
            try await daemon.ended()
        }
        return steps
    }

    private static func live(
        _ life: Life, _ account: Account, _ daemon: Child, until isOver: @escaping @Sendable () throws -> Bool
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await life.meanwhile(account, daemon) }
            defer { group.cancelAll() }
            do { try await until("\(life.name) is lived", within: .seconds(90), isOver) } catch {
                throw Unexpected("\(error)\n\(daemon.said)")
            }
        }
    }

    func run(_ reckoning: Reckoning) async throws {
        try await Account.with(faults: life.faults) { account in
            let others = ["test-webapp-api", "test-webapp-apis-2020-01", "console"].map { account.gateway.addForeign(name: $0) }
            try account.writeLife(every: life.every)
            try await Traffic.during(account, of: [Targets.all[0]]) { traffic in
                try await die(account, reckoning)
                reckoning.count(kill: name)
                try account.writeLife(every: "90d")
                try? FileManager.default.removeItem(atPath: account.host.path("deaf"))
                let heir = try account.host.daemon("-v")
                if life.leaks { try await endLeak(account, reckoning) }
                let judge = Judge(account: account, others: others.map(\.id), reckoning: reckoning, where: name)
                await judge.awaitRest(of: [Targets.all[0].token], targets: ["targets/copy"])
                let calls = traffic.calls
                try await until("a consumer calls with what it has now") { traffic.calls > calls + 1 }
                if life.killsTokens { reckoning.count(end: "rescued") } else { reckoning.count(traffic, name) }
                judge.hear(heir)
                heir.send(SIGTERM)
                try await heir.ended()
            }
        }
    }

    /// Whatever was said before the death is carried out after it, to the end: what existed then is revoked.
    private func endLeak(_ account: Account, _ reckoning: Reckoning) async throws {
        do {
            try await until("the leak is over", within: .seconds(60)) {
                // One that died before anybody said so left an overlap of an hour.
                try account.host.hurryOverlaps()
                return try account.host.openLeaks() == 0
            }
        } catch { reckoning.add(.forgotten, "\(error)", name) }
        let leaked = try account.host.leakedNames()
        for key in account.generations(of: Life.token) where leaked.contains(key.name) && key.status != .revoked {
            reckoning.add(.forgotten, "\(key.name) leaked and lives", name)
        }
    }

    private func die(_ account: Account, _ reckoning: Reckoning) async throws {
        let order = Killpoint.Order(step: step.name, times: step.times, side: side)
        let daemon = try account.host.daemon("-v", environment: try Killpoint.environment(account.host, record: "life", order))
        let lived = Mutex<ContinuousClock.Instant?>(nil)
        try await Execution.live(life, account, daemon) {
            if daemon.status != nil { return true }
            guard try life.isLived(account) else { return false }
            // A life may need a step fewer than the recorded one; the last step of all may still be on its way.
            return lived.withLock { lived in
                lived = lived ?? .now
                return lived.map { ContinuousClock.now - $0 > .seconds(1) } ?? false
            }
        }
        if daemon.status == nil {
            reckoning.countMissed()
            daemon.send(SIGKILL)
        }
        let code = try await daemon.ended()
        guard code == 128 + SIGKILL else { throw Unexpected("\(name): it ended with \(code) by itself\n\(daemon.said)") }
    }
}

/// Says whether all is as it has to be once a dead process's heir has had its time.
struct Judge: Sendable {
    let account: Account
    /// Ids of tokens that are none of ours.
    let others: [String]
    let reckoning: Reckoning
    let `where`: String

    /// Waits until every token has one living generation, kept and delivered, and nothing else of ours is alive or left over;
    /// what is still missing at the end is entered by its kind.
    /// - Parameter targets: further files that hold the one token's secret.
    func awaitRest(of tokens: [String], targets: [String] = []) async {
        do {
            try await until("all is at rest", within: .seconds(60)) { try account.gateway.landing == 0 && wrongs(tokens, targets).isEmpty }
            reckoning.count(end: "active")
        } catch {
            reckoning.count(end: "other")
            for (wrong, what) in (try? wrongs(tokens, targets)) ?? [(.unsettled, "\(error)")] { reckoning.add(wrong, what, `where`) }
            let said = account.host.said.split(separator: "\n").suffix(40).joined(separator: "\n")
            print("\(`where`):\n\(said)")
        }
        await awaitStatus()
        let alive = Set(account.living.map(\.id))
        for other in others where !alive.contains(other) { reckoning.add(.touched, other, `where`) }
    }

    /// The journal may learn last what the gateway and the targets show already.
    private func awaitStatus() async {
        do {
            try await until("the journal says so", within: .seconds(60)) {
                let reports = try await account.host.status()
                return !reports.isEmpty && reports.allSatisfy { $0.state == "active" && $0.previous.isEmpty && $0.stuck == nil }
            }
        } catch {
            for report in (try? await account.host.status()) ?? [] {
                let before = report.previous.map(\.name)
                reckoning.add(.unsettled, "\(report.token) is \(report.state) beside \(before), \(report.stuck ?? "not stuck")", `where`)
            }
        }
    }

    private func wrongs(_ tokens: [String], _ targets: [String]) throws -> [(Reckoning.Wrong, String)] {
        var found: [(Reckoning.Wrong, String)] = []
        let kept = try account.host.keyringNames()
        var current: [String] = []
        for token in tokens {
            let living = account.living(of: token).filter { !others.contains($0.id) }
            for key in living where !kept.contains(key.name) { found.append((.orphan, key.name)) }
            for key in living.dropLast() where kept.contains(key.name) { found.append((.forgotten, key.name)) }
            guard let last = living.last else {
                found.append((.unsettled, "\(token) has no living generation"))
                continue
            }
            current.append(last.name)
            guard let target = Targets.all.first(where: { $0.token == token }) else { continue }
            let content = (try? account.host.read(target.file)) ?? ""
            if target.secret(in: content) != last.secret { found.append((.unsettled, "\(target.file) does not hold \(last.name)")) }
            for file in targets where (try? account.host.read(file)) != last.secret {
                found.append((.unsettled, "\(file) does not hold \(last.name)"))
            }
        }
        if kept != current.sorted() { found.append((.unsettled, "the keyring holds \(kept), alive are \(current)")) }
        if !account.host.leftovers.isEmpty { found.append((.unsettled, "left over: \(account.host.leftovers)")) }
        return found
    }

    /// A process that goes on after another one's death has nothing to complain of.
    func hear(_ daemon: Child) {
        // That a token has leaked it is to tell, as long as it is so.
        for line in daemon.complained.split(separator: "\n") where line.contains(" error ") && !line.contains("code=leak-open") {
            reckoning.add(.unsettled, String(line), `where`)
        }
    }
}

extension Host {
    /// Files that a process made on its way to another one, in the state's folder and beside the targets.
    var leftovers: [String] {
        let kept = ["journal.db", "journal.db-wal", "journal.db-shm", "history.checkpoint", "lock", "keys"]
        let state = names(in: "state").filter { !kept.contains($0) }
        let keys = names(in: "state/keys").filter { $0 != "host.key" && !$0.hasSuffix(".key") }
        return state + keys + names(in: "targets").filter { $0.contains(".keyturn-") }
    }

    private func names(in folder: String) -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: path(folder))) ?? [] }
}
