import Foundation
import GRDB
import KeyturnSandbox
import KeyturnTestHost

/// A stretch of the life of one token that is lived again and again, each time to another end: what the gateway does in it,
/// what people do meanwhile, and how to tell that it has been lived to its end.
struct Life: Sendable {
    let name: String
    /// Each strikes a fixed number of times, so that a life is the same until it is cut short.
    var faults: [String] = []
    /// What happens outside while it is lived; cancelled with its end.
    var meanwhile: @Sendable (Account, Child) async throws -> Void = { _, _ in }
    /// Judged by what lies outside of the process alone, for that may be dead.
    let isLived: @Sendable (Account) throws -> Bool
    /// In it a token dies that consumers hold, by the hand of somebody else: their calls fail, and nobody counts them.
    var killsTokens = false
    /// In it somebody says that the token leaked.
    var leaks = false
    let every: String

    static let token = Targets.all[0].token

    static let all = [plain, lostAnswers, withdrawal, rescue, contained, replaced]

    /// First issue, rotation, overlap, revocation.
    static let plain = Life(
        name: "plain",
        isLived: { account in
            let line = account.generations(of: token)
            return try line.count >= 2 && line[0].status == .revoked && !account.host.keyringNames().contains(line[0].name)
        },
        every: "2s"
    )

    /// The first create is made and its answer lost, the next one lands late, the third does not tell its id; the first
    /// revocation is done and answered 502.
    static let lostAnswers = Life(
        name: "lost answers",
        faults: ["lost-answer:create#1", "late-commit=1s#1", "missing-id:create#1", "502-after:revoke#1"],
        isLived: { account in
            let living = account.living(of: token)
            guard account.gateway.statistics().created == 3, account.gateway.landing == 0, living.count == 1 else { return false }
            return try account.deliveredSecrets() == [living[0].secret, living[0].secret]
                && account.host.keyringNames() == [living[0].name]
        },
        every: "90d"
    )

    /// A new generation lacks a model that the old one has: it is withdrawn before anybody reads it.
    static let withdrawal = Life(
        name: "withdrawal",
        meanwhile: { account, daemon in
            try await until("the first is applied", within: .seconds(60)) { try account.deliveredSecrets().count == 2 }
            try account.setFaults("no-models#1")
            try account.writeLife(every: "1s")
            daemon.send(SIGHUP)
            try await until("the second is made", within: .seconds(60)) { account.generations(of: token).count >= 2 }
            try account.writeLife(every: "90d")
            daemon.send(SIGHUP)
        },
        isLived: { account in
            let line = account.generations(of: token)
            return try line.count >= 2 && line[1].status == .revoked && account.host.keyringNames() == [line[0].name]
        },
        every: "90d"
    )

    /// A new generation is revoked in the console while a consumer keeps its rotation waiting: the old one is put back.
    static let rescue = Life(
        name: "rescue",
        meanwhile: { account, daemon in
            try await until("the first is applied", within: .seconds(60)) { try account.deliveredSecrets().count == 2 }
            try account.host.write("", to: "deaf")
            try account.writeLife(every: "1s")
            daemon.send(SIGHUP)
            try await until("the second is delivered", within: .seconds(60)) {
                let line = account.generations(of: token)
                return try line.count >= 2 && account.deliveredSecrets().contains(line[1].secret)
            }
            try account.writeLife(every: "90d")
            daemon.send(SIGHUP)
            account.gateway.revokeInConsole(id: account.generations(of: token)[1].id)
            try await until("the first is put back", within: .seconds(60)) {
                try account.deliveredSecrets() == [account.generations(of: token)[0].secret, account.generations(of: token)[0].secret]
            }
            try FileManager.default.removeItem(atPath: account.host.path("deaf"))
        },
        isLived: { account in
            let living = account.living(of: token)
            guard account.gateway.statistics().created == 2, living.count == 1, !account.host.exists("deaf") else { return false }
            return try account.host.keyringNames() == [living[0].name]
                && account.deliveredSecrets() == [living[0].secret, living[0].secret]
        },
        killsTokens: true, every: "90d"
    )

    /// A token leaks while an overlap lasts: both its generations end at once, then a third one is made.
    static let contained = Life(
        name: "leak, contain first",
        meanwhile: { account, daemon in
            try await overlap(account, daemon)
            try account.host.fileLeak(of: token, mode: "contain-first")
        },
        isLived: { account in try isLeakOver(account) },
        killsTokens: true, leaks: true, every: "90d"
    )

    /// The same, and the third one is there before the other two end.
    static let replaced = Life(
        name: "leak, replace first",
        meanwhile: { account, daemon in
            try await overlap(account, daemon)
            try account.host.fileLeak(of: token, mode: "replace-first")
            try await until("the third is delivered", within: .seconds(60)) {
                let line = account.generations(of: token)
                return try line.count >= 3 && account.deliveredSecrets() == [line[2].secret, line[2].secret]
            }
            // A pass that is under way may write down what it read before.
            while true {
                try account.host.hurryOverlaps()
                try await Task.sleep(for: .milliseconds(200))
            }
        },
        isLived: { account in try isLeakOver(account) },
        // What it replaces is revoked a minute later, which no test waits for: here at once.
        killsTokens: true, leaks: true, every: "90d"
    )

    private static func overlap(_ account: Account, _ daemon: Child) async throws {
        try await until("the first is applied", within: .seconds(60)) { try account.deliveredSecrets().count == 2 }
        try account.writeLife(every: "1s", overlap: "1h")
        daemon.send(SIGHUP)
        try await until("the second is made", within: .seconds(60)) { account.generations(of: token).count >= 2 }
        try account.writeLife(every: "90d", overlap: "1h")
        daemon.send(SIGHUP)
        try await until("the second is delivered", within: .seconds(60)) {
            let line = account.generations(of: token)
            return try account.deliveredSecrets() == [line[1].secret, line[1].secret]
        }
    }

    private static func isLeakOver(_ account: Account) throws -> Bool {
        let living = account.living(of: token)
        let line = account.generations(of: token)
        guard line.count >= 3, living.count == 1, living[0].id == line[line.count - 1].id else { return false }
        return try account.host.keyringNames() == [living[0].name]
            && account.deliveredSecrets() == [living[0].secret, living[0].secret]
    }
}

extension Host {
    /// As the command does, which would go on by itself where the daemon dies.
    func fileLeak(of token: String, mode: String) throws {
        try withJournal { db in
            try db.execute(
                sql: "INSERT INTO request (verb, token, mode, filed_at) VALUES ('leak', ?, ?, strftime('%Y-%m-%d %H:%M:%f', 'now'))",
                arguments: [token, mode])
        }
    }

    /// The time of all that is kept beside its successor is up, leaked or not.
    func hurryOverlaps() throws {
        try withJournal { db in
            try db.execute(
                sql: """
                    UPDATE generation SET overlap_until = strftime('%Y-%m-%d %H:%M:%f', 'now'), overlap_rest = 0
                    WHERE state = 'retiring'
                    """)
        }
    }

    /// Names of the generations that existed when somebody said that their token had leaked.
    func leakedNames() throws -> [String] {
        try withJournal { db in try String.fetchAll(db, sql: "SELECT name FROM incident_generation ORDER BY name") }
    }

    /// What was said of a leak, or is kept beside its successor, and is not over.
    func openLeaks() throws -> Int {
        try withJournal { db in
            try Int.fetchOne(
                db,
                sql: """
                    SELECT (SELECT count(*) FROM request WHERE verb = 'leak' AND answered_at IS NULL)
                    + (SELECT count(*) FROM incident WHERE closed_at IS NULL)
                    + (SELECT count(*) FROM generation WHERE state = 'retiring')
                    """) ?? 0
        }
    }
}

extension Account {
    /// The token of a life: two targets, one with a consumer that is told and may be deaf.
    func writeLife(every: String, overlap: String = "1s") throws {
        try host.settings(lines: "watch: {every: \(every == "90d" ? "1s" : "1h")}")
        // No script: a program that a test has just written cannot be run while a child of another test still has it open.
        let take = "[/usr/bin/test, '!', -e, \(host.path("deaf"))]"
        try host.write(
            """
            environment: test
            gateway: laozhang
            tokens:
              - project: webapp
                purpose: api
                rotate: {every: \(every)}
                overlap: {at_least: \(overlap)}
                deliver:
                  - {file: \(host.path(Targets.all[0].file)), format: dotenv, key: LAOZHANG_API_KEY, then: {run: \(take)}}
                  - {file: \(host.path("targets/copy"))}
            """, to: "policies/test.yaml"
        )
        let file = Targets.all[0].file
        if !host.exists(file) {
            try host.write(Targets.all[0].text.replacingOccurrences(of: "@@", with: ""), to: file, mode: 0o600)
        }
    }

    /// What the two targets of a life hold; those that hold nothing left out.
    func deliveredSecrets() throws -> [String] {
        let first = Targets.all[0].secret(in: (try? host.read(Targets.all[0].file)) ?? "") ?? ""
        return [first, (try? host.read("targets/copy")) ?? ""].filter { !$0.isEmpty }
    }
}

extension Host {
    /// The generations whose secrets are kept.
    func keyringNames() throws -> [String] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: path("state/keys"))) ?? []
        return files.filter { $0.hasSuffix(".key") && $0.contains("~") }
            .map { String($0.dropLast(4).split(separator: "~", maxSplits: 1)[1]) }.sorted()
    }
}
