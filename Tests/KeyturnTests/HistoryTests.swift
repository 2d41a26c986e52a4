import Foundation
import GRDB
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// `history --verify` and the daemon's daily one, with the real executable and another hand at its files.
struct HistoryTests {
    private struct Report: Decodable {
        struct Place: Decodable {
            var number: Int
            var kind: String
            var sentence: String
        }

        struct Head: Decodable {
            var number: Int
            var hash: String
            var key: String
        }

        var sound: Bool
        var rows: Int
        var newest: Head?
        var checkpoint: Int?
        var breaks: [Place]
        var break_count: Int
        var accepted_count: Int
        var unchained: Int
        var finding_open: Bool
    }

    private func verify(_ host: Host, code: Int32) async throws -> Report {
        let run = try await host.run("history", "--verify", "--json")
        #expect(run.code == code, "\(run)")
        return try run.json(Report.self)
    }

    private func tamper(_ host: Host, _ sql: String) throws {
        try host.withJournal { db in
            for name in try String.fetchAll(db, sql: "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'history'") {
                try db.execute(sql: "DROP TRIGGER \(name)")
            }
            try db.execute(sql: sql)
        }
    }

    private func content(_ host: Host) throws -> [String: Data] {
        let files = FileManager.default.enumerator(atPath: host.path("state"))?.compactMap { $0 as? String } ?? []
        return Dictionary(
            uniqueKeysWithValues: files.filter { !$0.hasSuffix("-shm") }.compactMap { name in
                (try? Data(contentsOf: URL(filePath: host.path("state/\(name)")))).map { (name, $0) }
            })
    }

    @Test func `a sound history is told so, and looking changes no byte of the state`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            let none = try await host.run("history", "--verify")
            #expect(none.code == 0 && none.output.hasPrefix("0 rows: none was changed"))
            #expect(!host.exists("state"))
            #expect(try await host.run("daemon", "--once").code == 0)
            let before = try content(host)
            let told = try await host.run("history", "--verify")
            #expect(told.code == 0)
            #expect(told.output.contains(": none was changed, removed, inserted or moved\nnewest: row "))
            let report = try await verify(host, code: 0)
            #expect(report.sound && report.rows > 3 && report.newest?.number == report.rows && report.checkpoint == report.rows)
            #expect(try content(host) == before)
            // The key is nobody's to read, and no secret is in the checkpoint.
            #expect(
                try FileManager.default.attributesOfItem(atPath: host.path("state/history.checkpoint"))[.posixPermissions] as? Int == 0o600)
            #expect(try !host.read("state/history.checkpoint").contains("sk-"))
        }
    }

    @Test func `a daemon that finds it broken says so as a finding until a person has accepted it, and goes on rotating`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("daemon", "--once").code == 0)
            try tamper(host, "UPDATE history SET sentence = 'nothing' WHERE number = 2; DELETE FROM history_verification")
            let daemon = try host.daemon()
            try await until("it is told") {
                daemon.complained.contains("the history is not what keyturn wrote: row 2 (of 2")
                    && daemon.complained.contains("accept-loss")
            }
            let broken = try await verify(host, code: 1)
            #expect(broken.breaks.map(\.kind) == ["changed"] && broken.finding_open)
            let told = try await host.run("history", "--verify")
            #expect(told.code == 1)
            #expect(told.output.contains("2    row 2 (of 2") && told.errors.contains("--accept-loss REASON"))
            #expect(try await host.run("rotate", "test-webapp-api").code == 0)
            let accepted = try await host.run("history", "--verify", "--accept-loss", "an exercise")
            #expect(accepted.code == 0 && accepted.output.contains("accepted: row 2 (of 2"), "\(accepted)")
            let sound = try await verify(host, code: 0)
            #expect(sound.accepted_count == 1 && !sound.finding_open)
            #expect(try await host.run("history").output.contains("because: an exercise"))
            #expect(try await host.run("rotate", "test-webapp-api").code == 0)
            #expect(try await verify(host, code: 0).sound)
            #expect(try await host.run("history", "--verify", "--accept-loss", "again").output == "there is nothing to accept\n")
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
        }
    }

    @Test func `an older backup of the journal is told at the next start, with the way out`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("daemon", "--once").code == 0)
            try host.withJournal { db in try db.execute(sql: "VACUUM INTO '\(host.path("copy.db"))'") }
            #expect(try await host.run("rotate", "test-webapp-api").code == 0)
            let rows = try await verify(host, code: 0).rows
            for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: host.path("state/journal.db\(suffix)")) }
            try FileManager.default.copyItem(atPath: host.path("copy.db"), toPath: host.path("state/journal.db"))
            let report = try await verify(host, code: 1)
            #expect(report.breaks.map(\.kind) == ["newest-missing"])
            #expect(
                report.breaks[0].sentence.contains(
                    "to \(rows) are missing: the newest ones were removed, or an older copy was put in place"))
            let once = try await host.run("daemon", "--once")
            #expect(once.errors.contains("the history is not what keyturn wrote: rows "), "\(once)")
            #expect(try await host.run("history", "--verify", "--accept-loss", "restored from last night").code == 0)
            #expect(try await verify(host, code: 0).newest?.number ?? 0 > rows)
        }
    }

    @Test func `the newest row's number and hash stand in the log at start and stop`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("daemon", "--once").code == 0)
            let report = try await verify(host, code: 0)
            let daemon = try host.daemon()
            let line = "the history is \(report.rows) rows long; its newest hash is \(report.newest?.hash ?? "-")"
            try await until("it is told at start") { daemon.complained.contains(line) }
            #expect(try await host.run("rotate", "test-webapp-api").code == 0)
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
            let after = try await verify(host, code: 0)
            #expect(after.rows > report.rows)
            #expect(daemon.complained.contains("the history is \(after.rows) rows long; its newest hash is \(after.newest?.hash ?? "-")"))
        }
    }

    @Test func `a lost key holds everything until it is back or a person goes on without it`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("daemon", "--once").code == 0)
            try FileManager.default.moveItem(atPath: host.path("state/keys/history.key"), toPath: host.path("kept.key"))
            #expect(try await host.run("rotate", "test-webapp-api").code == 3)
            #expect(account.gateway.statistics().creates == 1)
            #expect(try await host.run("daemon", "--once").errors.contains("history.key is missing"))
            #expect(try await host.run("history", "--verify").code == 1)
            try FileManager.default.moveItem(atPath: host.path("kept.key"), toPath: host.path("state/keys/history.key"))
            #expect(try await host.run("rotate", "test-webapp-api").code == 0)
            #expect(try await verify(host, code: 0).sound)
            try FileManager.default.removeItem(atPath: host.path("state/keys/history.key"))
            #expect(try await host.run("history", "--verify", "--accept-loss", "the key is gone").code == 0)
            #expect(try await host.run("rotate", "test-webapp-api").code == 0)
            #expect(try await verify(host, code: 0).sound)
        }
    }

    @Test(arguments: [
        ["--accept-loss", "r"], ["--verify", "--accept-loss", ""], ["--verify", "--accept-loss", "  "],
        ["--verify", "--accept-loss", "a\nb"],
        ["--verify", "test-webapp-api"], ["--verify", "--accept-loss", String(repeating: "x", count: 501)],
    ])
    func `what makes no sense is refused`(arguments: [String]) async throws {
        try await Account.with { account in
            let child = try account.host.start(["history"] + arguments)
            #expect(try await child.ended() == 64)
            #expect(!account.host.exists("state"))
        }
    }

    /// Killed before and after each step by which the checkpoint is made durable, and each by which it begins.
    @Test(arguments: [Killpoint.Order.Side.before, .after])
    func `a process that dies between a row and the checkpoint leaves a history that is sound`(side: Killpoint.Order.Side) async throws {
        guard case .success = Killpoint.library else { try Test.cancel("no library for kills") }
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            let recorded = try host.start(["daemon", "--once"], environment: try Killpoint.environment(host, record: "steps"))
            #expect(try await recorded.ended() == 0)
            let steps = try Killpoint.steps(of: host, record: "steps").filter {
                $0.name.contains("history.checkpoint") || $0.name.contains("history.key")
            }
            #expect(
                Set(steps.map(\.name)).isSuperset(of: ["sync state/history.checkpoint.new", "rename to state/history.checkpoint"]),
                "\(steps)")
            for step in steps {
                // From nothing at all, since the first steps come but once.
                try? FileManager.default.removeItem(atPath: host.path("state"))
                for token in account.living { account.gateway.revokeInConsole(id: token.id) }
                let order = Killpoint.Order(step: step.name, times: step.times, side: side)
                let dead = try host.start(["daemon", "--once"], environment: try Killpoint.environment(host, record: "life", order))
                #expect(try await dead.ended() == 128 + SIGKILL, "\(step)")
                let heir = try await host.run("daemon", "--once")
                #expect(!heir.errors.contains("history is not"), "\(step): \(heir)")
                let report = try await verify(host, code: 0)
                #expect(report.sound && report.rows > 0 && report.checkpoint == report.rows, "\(step): \(report)")
                #expect(host.leftovers.isEmpty, "\(step): \(host.leftovers)")
            }
        }
    }
}
