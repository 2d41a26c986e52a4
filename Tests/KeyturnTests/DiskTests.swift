import Foundation
import GRDB
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// Disks that are full, read-only, broken or gone: the error names the file and the way out, nothing is created that cannot be
/// kept, and no secret is lost.
struct DiskTests {
    private let token = "test-webapp-api"

    /// One token in use, part of its host in a small file system.
    private func with(
        _ folder: String, size: String, latency: Duration = .zero, body: (Account, Mount) async throws -> Void
    ) async throws {
        try await Account.with {
            $0.latency = latency
        } body: { account in
            let mount = try Mount(at: account.host.path(folder), size: size)
            defer { mount.end() }
            guard mount.isMounted else { try Test.cancel("no right to mount here") }
            try Targets.writeOne(to: account.host, overlap: "{at_least: 0s}")
            #expect(try await account.host.run("daemon", "--once").code == 0)
            try await body(account, mount)
        }
    }

    private func expectGoesOn(_ account: Account, creates: Int) async throws {
        let again = try await account.host.run("rotate", token)
        #expect(again.code == 0, "\(again)")
        try await until("only what the consumer holds is alive") {
            _ = try await account.host.run("daemon", "--once")
            return try account.living.map(\.secret) == [account.host.read("targets/token")]
        }
        #expect(account.gateway.statistics().creates == creates)
        #expect(try await account.host.status(of: token).state == "active")
    }

    @Test func `a full disk under the state creates nothing, says which file, and with room it goes on`() async throws {
        try await with("state", size: "2m") { account, mount in
            let host = account.host
            try mount.fill()
            let refused = try await host.run("rotate", token)
            #expect(refused.code == 1, "\(refused)")
            #expect(refused.errors.contains(host.path("state/journal.db")), "\(refused)")
            #expect(refused.errors.contains("the disk is full: make room"), "\(refused)")
            #expect(account.gateway.statistics().creates == 1)
            #expect(account.living.map(\.secret) == [try host.read("targets/token")])
            mount.makeRoom()
            try await expectGoesOn(account, creates: 2)
        }
    }

    @Test(arguments: [64, 128, 256, 384, 512, 640])
    func `a first start that finds no room leaves nothing that a later one could not use`(kilobytes: Int) async throws {
        try await Account.with { account in
            let mount = try Mount(at: account.host.path("state"), size: "\(kilobytes)k")
            defer { mount.end() }
            guard mount.isMounted else { try Test.cancel("no right to mount here") }
            try Targets.writeOne(to: account.host, overlap: "{at_least: 0s}")
            let first = try await account.host.run("daemon", "--once")
            #expect(first.code == 0 || first.errors.contains("the disk is full") || first.errors.contains("No space left"), "\(first)")
            try #require(mount.remount(size: "4m"))
            let second = try await account.host.run("daemon", "--once")
            #expect(second.code == 0, "\(second)")
            #expect(account.living.map(\.secret) == [try account.host.read("targets/token")])
        }
    }

    @Test func `a disk that fills while the gateway creates costs no secret`() async throws {
        try await with("state", size: "2m", latency: .seconds(1)) { account, mount in
            let host = account.host
            let daemon = try host.daemon()
            try await until("it drives") { daemon.complained.contains("keyturn is ready") }
            let command = try host.start(["rotate", token])
            try await until("the gateway was asked") { account.gateway.statistics().creates == 2 }
            try mount.fill()
            try await until("the daemon says so") { daemon.complained.contains("the disk is full: make room") }
            #expect(daemon.complained.contains("this pass came to nothing: journal \(host.path("state/journal.db"))"))
            #expect(daemon.status == nil)
            #expect(try Set(host.keyringNames()) == Set(account.living.map(\.name)), "both secrets are kept")
            mount.makeRoom()
            try await until("it goes on with what it kept", within: .seconds(60)) {
                try account.living.map(\.secret) == [host.read("targets/token")] && account.gateway.snapshot().count == 2
            }
            #expect(account.gateway.statistics().creates == 2)
            try await command.ended(within: .seconds(60))
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
        }
    }

    @Test func `a full disk under a target is met before anything is created`() async throws {
        try await with("targets", size: "1m") { account, mount in
            try mount.fill()
            let refused = try await account.host.run("rotate", token)
            #expect(refused.code == 3, "\(refused)")
            #expect(refused.output.contains("\(account.host.path("targets/token")): has no room for its new content"), "\(refused)")
            #expect(account.gateway.statistics().creates == 1)
            mount.makeRoom()
            try await expectGoesOn(account, creates: 2)
        }
    }

    @Test func `a read-only state is told with the file, and nothing is created`() async throws {
        try await with("state", size: "2m") { account, mount in
            let host = account.host
            try #require(mount.remount(readOnly: true))
            for arguments in [["rotate", token], ["daemon", "--once"], ["daemon"]] {
                let refused = try host.start(arguments)
                let code = try await refused.ended()
                #expect(code == 1 || code == 77, "\(refused.said)")
                #expect(refused.complained.contains(host.path("state")), "\(refused.said)")
                #expect(refused.complained.contains("read-only") || refused.complained.contains("Read-only"), "\(refused.said)")
            }
            #expect(account.gateway.statistics().creates == 1)
            try #require(mount.remount(readOnly: false))
            try await expectGoesOn(account, creates: 2)
        }
    }

    @Test func `a read-only target is met before anything is created`() async throws {
        try await with("targets", size: "1m") { account, mount in
            try #require(mount.remount(readOnly: true))
            let refused = try await account.host.run("rotate", token)
            #expect(refused.code == 3, "\(refused)")
            #expect(refused.output.contains(account.host.path("targets/token")) && refused.output.contains("Read-only file system"))
            #expect(account.gateway.statistics().creates == 1)
            try #require(mount.remount(readOnly: false))
            try await expectGoesOn(account, creates: 2)
        }
    }

    @Test func `a target's folder that vanishes holds the rotation before anything is created`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host, overlap: "{at_least: 0s}")
            #expect(try await host.run("daemon", "--once").code == 0)
            try FileManager.default.moveItem(atPath: host.path("targets"), toPath: host.path("away"))
            let refused = try await host.run("rotate", token)
            #expect(refused.code == 3, "\(refused)")
            #expect(refused.output.contains("\(host.path("targets/token")): its folder cannot be opened"), "\(refused)")
            #expect(account.gateway.statistics().creates == 1)
            #expect(account.living.count == 1)
            try FileManager.default.moveItem(atPath: host.path("away"), toPath: host.path("targets"))
            try await expectGoesOn(account, creates: 2)
        }
    }

    // MARK: Errors of the disk

    /// A step that answers EIO, what the command says, and how many creates there were by then and alive keys.
    struct Broken: Sendable, CustomTestStringConvertible {
        let step: String
        var times = 1
        let says: String
        let creates: Int
        let alive: Int
        var testDescription: String { "\(step) (\(times))" }

        private static let record = "state/keys/laozhang~test-webapp-api-*-2.key"

        static let all = [
            Broken(step: "reserve \(record).new", says: ".key.new: Input/output error", creates: 1, alive: 1),
            Broken(step: "sync \(record).new", says: ".key.new: Input/output error", creates: 1, alive: 1),
            Broken(step: "write \(record).new", says: "cannot write", creates: 2, alive: 1),
            Broken(step: "sync \(record).new", times: 2, says: "cannot write", creates: 2, alive: 1),
            Broken(step: "rename to \(record)", says: "cannot write", creates: 2, alive: 1),
            Broken(step: "sync targets/.token.keyturn-*", says: "targets/token", creates: 2, alive: 2),
            Broken(step: "rename to targets/token", says: "targets/token", creates: 2, alive: 2),
            Broken(step: "write targets/.token.keyturn-*", says: "targets/token", creates: 2, alive: 2),
        ]
    }

    @Test(arguments: Broken.all) func `an error of the disk loses no secret and leaves no orphan`(_ broken: Broken) async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host, overlap: "{at_least: 0s}")
            #expect(try await host.run("daemon", "--once").code == 0)
            let held = try host.read("targets/token")
            let order = Killpoint.Order(step: broken.step, times: broken.times, side: .broken)
            let run = try await host.run("rotate", token, environment: Killpoint.environment(host, record: "steps", order))
            #expect(try host.read("output/steps").contains(broken.step + "\n"), "the step was met")
            #expect(run.code == 3 || run.code == 1, "\(run)")
            #expect(run.description.contains(broken.says), "\(run)")
            #expect(account.gateway.statistics().creates == broken.creates)
            #expect(account.living.count == broken.alive)
            #expect(account.living.contains { $0.secret == held }, "what consumers hold lives on")
            #expect(try host.read("targets/token") == held)
            #expect(try Set(account.living.map(\.name)).isSubset(of: host.keyringNames()), "everything alive is kept")
            try await expectGoesOn(account, creates: broken.alive == 2 ? 2 : broken.creates + 1)
        }
    }

    /// The commits on both sides of the create: the intent's, and the one that says it is made.
    @Test(arguments: [true, false])
    func `a journal whose disk answers with errors stops everything, and what the gateway had made is kept`(before: Bool) async throws {
        let times = try await commit(before: before)
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host, overlap: "{at_least: 0s}")
            let order = Killpoint.Order(step: DiskTests.commit, times: times, side: .broken)
            let run = try await host.run("daemon", "--once", environment: Killpoint.environment(host, record: "steps", order))
            #expect(run.code == 1, "\(run)")
            #expect(run.errors.contains("journal \(host.path("state/journal.db")): "), "\(run)")
            #expect(run.errors.contains("the disk answers with errors"), "\(run)")
            let creates = account.gateway.statistics().creates
            #expect(creates == (before ? 0 : 1))
            let living = account.living.map(\.name)
            #expect(try host.keyringNames() == living)
            #expect(try await host.run("daemon", "--once").code == 0)
            #expect(account.gateway.statistics().creates == 1)
            let secrets = account.living.map(\.secret)
            #expect(try host.read("targets/token") == secrets.first && secrets.count == 1)
        }
    }

    private static let commit = "sync state/journal.db-wal"

    /// The how-manyeth commit comes last before a first create, or first after it.
    private func commit(before: Bool) async throws -> Int {
        let steps = try await plainSteps()
        guard let sent = steps.firstIndex(where: { $0.name == "send create" }) else { throw Unexpected("nothing was created") }
        let commits = (before ? Array(steps[..<sent].reversed()) : Array(steps[sent...])).filter { $0.name == DiskTests.commit }
        guard let first = commits.first else { throw Unexpected("nothing was recorded") }
        return first.times
    }

    private func plainSteps() async throws -> [Killpoint.Step] {
        var steps: [Killpoint.Step] = []
        try await Account.with { account in
            try Targets.writeOne(to: account.host)
            _ = try await account.host.run("daemon", "--once", environment: Killpoint.environment(account.host, record: "steps"))
            steps = try Killpoint.steps(of: account.host, record: "steps")
        }
        return steps
    }

    // MARK: Files that are not what they were

    /// One token in use, then `harm`; every command and the daemon refuse with `code` and `words`, and nothing happens at the gateway.
    private func expectRefusal(_ code: Int32, _ words: [String], harm: (Host) throws -> Void) async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host, every: "1s", overlap: "{at_least: 0s}")
            #expect(try await host.run("daemon", "--once").code == 0)
            let held = try host.read("targets/token")
            let before = account.gateway.statistics()
            try harm(host)
            // The pass comes first: what is found open it does not say again.
            for arguments in [["daemon", "--once"], ["rotate", token]] {
                let refused = try host.start(arguments)
                #expect(try await refused.ended() == code, "\(refused.said)")
                for word in words { #expect(refused.said.contains(word), "\(refused.said)") }
            }
            let after = account.gateway.statistics()
            #expect(after.creates == before.creates && after.revokes == before.revokes)
            #expect(account.living.map(\.secret) == [held])
            #expect(try host.read("targets/token") == held)
        }
    }

    @Test func `a journal from a newer version is left alone`() async throws {
        try await expectRefusal(1, ["state/journal.db", "it was written by a newer version of keyturn: install that version"]) { host in
            try host.withJournal { db in try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('of the future')") }
        }
    }

    @Test func `a damaged journal is left alone, and the keyring with it`() async throws {
        try await expectRefusal(1, ["state/journal.db", "it is damaged: stop keyturn, keep the file, and restore a backup"]) { host in
            let file = host.path("state/journal.db")
            let size = try Data(contentsOf: URL(filePath: file)).count
            try Data(repeating: 0x5a, count: size).write(to: URL(filePath: file))
        }
    }

    @Test func `a damaged host key makes the keyring unknown, not empty`() async throws {
        try await expectRefusal(3, ["state/keys", "nothing is created or revoked while the keyring is unknown"]) { host in
            try host.write("rubbish", to: "state/keys/host.key", mode: 0o600)
        }
    }

    @Test func `a keyring that is gone is unknown, not empty`() async throws {
        try await expectRefusal(3, ["state/keys", "nothing is created or revoked while the keyring is unknown"]) { host in
            try FileManager.default.moveItem(atPath: host.path("state/keys"), toPath: host.path("away"))
        }
    }

    @Test func `a damaged secret is told with its file, and neither used nor replaced`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host, overlap: "{at_least: 0s}")
            #expect(try await host.run("daemon", "--once").code == 0)
            let file = "state/keys/laozhang~\(try host.keyringNames()[0]).key"
            let record = try host.read(file)
            try host.write("rubbish", to: file, mode: 0o600)
            let pass = try await host.run("daemon", "--once")
            #expect(pass.errors.contains("\(host.path(file)) is damaged: restore it from a backup"), "\(pass)")
            #expect(account.gateway.statistics().creates == 1 && account.living.count == 1)
            try host.write(record, to: file, mode: 0o600)
            let mended = try await host.run("daemon", "--once")
            #expect(mended.code == 0 && !mended.errors.contains(" error "), "\(mended)")
        }
    }
}
