import Foundation
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// Which settings a command reads, and the one number with which it ends.
struct ExitTests {
    @Test func `the settings are those of --config, else of KEYTURN_CONFIG, else of the system`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            try FileManager.default.createDirectory(atPath: host.path("other/policies"), withIntermediateDirectories: true)
            try host.write(try host.read("keyturn.yaml"), to: "other/keyturn.yaml")
            try host.write(Host.admin, to: "other/admin-token")
            try host.write(
                try host.read("policies/test.yaml").replacingOccurrences(of: "webapp", with: "other"),
                to: "policies/../other/policies/p.yaml")
            #expect(try await host.status().map(\.token) == ["test-webapp-api"])
            let given = try await host.run("status", "--json", "--config", host.path("other/keyturn.yaml"))
            #expect(try given.json([StatusReport].self).map(\.token) == ["test-other-api"])
            #expect(!host.exists("state") && !host.exists("other/state"), "who only looks makes nothing")
            #expect(try await host.run("daemon", "--once", "--config", "other/keyturn.yaml").code == 0)
            #expect(host.exists("other/state/journal.db"), "state is relative to the settings")
            let relative = try await host.run("status", "--json", "--config", "other/keyturn.yaml")
            #expect(try relative.json([StatusReport].self).map(\.token) == ["test-other-api"])
            let none = try await host.run("status", environment: ["KEYTURN_CONFIG": ""])
            #expect(none.code == 78)
            #expect(none.errors.hasPrefix("/etc/keyturn/keyturn.yaml:"))
            #expect(none.errors.hasSuffix("; --config or KEYTURN_CONFIG names another\n"))
        }
    }

    @Test func `78: bad settings and policies, every error with its place, at the start of the daemon and everywhere else`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            try host.write(
                """
                environment: prod
                gateway: laozhnag
                tokens:
                  - project: webapp
                    purpose: api
                    rotate: {every: 90}
                    deliver: [{file: relative/path, format: dotenv}]
                    colour: blue
                """, to: "policies/bad.yaml"
            )
            let bad = host.path("policies/bad.yaml")
            for arguments in [["check"], ["plan"], ["rotate", "prod-webapp-api"], ["daemon", "--once"], ["daemon"]] {
                let child = try host.start(arguments)
                #expect(try await child.ended() == 78, "\(arguments)")
                for place in ["2:10", "6:21", "7:15", "7:22", "8:5"] {
                    #expect(child.complained.contains("\(bad):\(place): "), "\(child.complained)")
                }
                #expect(child.written == "")
            }
            let check = try await host.run("check")
            #expect(check.errors.split(separator: "\n").allSatisfy { $0.hasPrefix(bad + ":") }, "\(check)")
            #expect(!host.exists("state"), "nothing is made for settings that are wrong")
        }
    }

    @Test func `78: an admin token that is not there, named with its place`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            try FileManager.default.removeItem(atPath: host.path("admin-token"))
            for arguments in [["check"], ["daemon"], ["daemon", "--once"], ["rotate", "test-webapp-api"]] {
                let child = try host.start(arguments)
                #expect(try await child.ended() == 78, "\(arguments): \(child.said)")
                #expect(child.complained.contains("\(host.path("keyturn.yaml")):5:"), "\(child.complained)")
                #expect(child.complained.contains("admin-token"))
            }
            #expect(try await host.run("status").code == 0, "who only looks needs no admin token")
        }
    }

    @Test(arguments: [
        [], ["rotate"], ["rotate", "a", "--all"], ["frobnicate"], ["plan", "--until", "yesterday"], ["adopt", "a"], ["revoke"],
        ["sandbox", "--fault", "nonsense"], ["status", "--jsno"],
    ])
    func `64: a command that cannot be understood`(_ arguments: [String]) async throws {
        try await Account.with { account in
            try Targets.writeOne(to: account.host)
            let child = try account.host.start(arguments)
            let code = try await child.ended()
            // Without a verb there is nothing wrong: it says what it can do.
            #expect(code == (arguments.isEmpty ? 0 : 64), "\(child.said)")
            #expect(child.said.contains(arguments.isEmpty ? "SUBCOMMANDS" : "Error: "))
        }
    }

    @Test func `64: a misspelt verb is told its neighbour, and an option before the verb its place`() async throws {
        try await Account.with { account in
            let typo = try await account.host.run("statsu")
            #expect(typo.code == 64)
            #expect(typo.errors.hasPrefix("Error: there is no verb 'statsu' (did you mean status?)"), "\(typo)")
            let early = try await account.host.run("--config", "x", "status")
            #expect(early.code == 64)
            #expect(early.errors.hasPrefix("Error: --config stands behind the verb"), "\(early)")
            #expect(try await account.host.run("help", "status").code == 0)
        }
    }

    @Test func `1: a token that nobody knows`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            for arguments in [
                ["rotate", "x"], ["revoke", "x"], ["status", "x"], ["history", "x"], ["verify", "x"], ["adopt", "x", "--from", "f"],
            ] {
                let child = try host.start(arguments)
                #expect(try await child.ended() == 1, "\(arguments)")
                #expect(child.complained.hasPrefix("keyturn: no policy asks for x"), "\(child.complained)")
            }
            for name in ["webapp-api", "test-webap-api", "tset-webapp-api"] {
                for arguments in [["rotate", name], ["revoke", name], ["status", name], ["history", name], ["verify", name]] {
                    let child = try host.start(arguments)
                    #expect(try await child.ended() == 1, "\(arguments)")
                    #expect(child.complained.contains("(did you mean test-webapp-api?)"), "\(child.complained)")
                }
            }
            #expect(try await host.run("status", "nothing-alike").errors.contains("(`keyturn status` lists all)"))
        }
    }

    @Test func `69: a gateway out of reach, with a daemon and without, the first time and again`() async throws {
        try await Account.with { account in
            let host = account.host
            // Port 9 is discard's: nobody listens there.
            try host.settings(url: "http://127.0.0.1:9")
            try Targets.writeOne(to: host)
            for _ in 1...2 {
                let alone = try await host.run("rotate", "test-webapp-api")
                #expect(alone.code == 69)
                #expect(alone.errors.contains("127.0.0.1 port 9"))
            }
            #expect(try await host.run("daemon", "--once").code == 69)
            let daemon = try host.daemon()
            try await until("the daemon is ready") { daemon.complained.contains("keyturn is ready") }
            for _ in 1...2 {
                let beside = try await host.run("rotate", "test-webapp-api")
                #expect(beside.code == 69, "\(beside)")
                #expect(beside.errors.contains("127.0.0.1 port 9"))
            }
            #expect(try await host.run("status").output.contains("gateway-unreachable"))
            try host.settings()
            daemon.send(SIGHUP)
            try await host.until("test-webapp-api", is: "active")
            #expect(try await host.run("status").output.contains("gateway-unreachable") == false)
        }
    }

    @Test func `3: a consumer that does not take the token up holds the revoke back, and says so until it does`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("rotate", "test-webapp-api").code == 0)
            try host.write("#!/bin/sh\necho no such service\nexit 7\n", to: "then", mode: 0o755)
            try Targets.writeOne(to: host, then: "{run: [\(host.path("then"))]}")
            let rotated = try await host.run("rotate", "test-webapp-api")
            #expect(rotated.code == 3)
            #expect(rotated.output.contains("test-webapp-api is stuck: \(host.path("then")) ended with status 7"), "\(rotated)")
            let report = try await host.status(of: "test-webapp-api")
            #expect(report.state == "stuck")
            #expect(report.stuck?.contains("ended with status 7; it said: no such service") == true, "\(report.stuck ?? "")")
            #expect(report.targets.map(\.applied) == [false])
            #expect(account.living.count == 2, "the old one stays")
            let pass = try await host.run("daemon", "--once")
            #expect(pass.code == 3, "\(pass)")
            try host.write("#!/bin/sh\n", to: "then", mode: 0o755)
            #expect(try await host.run("rotate", "test-webapp-api").code == 0)
            #expect(account.living.count == 2)
            try await until("the old one is revoked") {
                _ = try await host.run("daemon", "--once")
                return account.living.count == 1
            }
            #expect(try await host.run("daemon", "--once").code == 0)
        }
    }

    @Test func `3: a dead admin token stops what needs it and nothing else`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("daemon", "--once").code == 0)
            try account.setFaults("dead-admin")
            let pass = try await host.run("daemon", "--once")
            #expect(pass.code == 3, "\(pass)")
            let rotated = try await host.run("rotate", "test-webapp-api")
            #expect(rotated.code == 3, "\(rotated)")
            for said in [pass.errors, rotated.errors] {
                #expect(said.contains("gateway laozhang refuses the admin token: it answered 401"), "\(said)")
                #expect(said.contains("put a valid one where the settings say"))
            }
            let revoked = try await host.run("revoke", "test-webapp-api")
            #expect(revoked.code == 3, "\(revoked)")
            let help = "(\(account.living[0].id)) may be alive until it is revoked; in a hurry, do it in the gateway's console"
            #expect(revoked.output.contains(help), "\(revoked)")
            #expect(try await host.run("verify").code == 0, "the secret itself is as good as ever")
            #expect(account.living.count == 1)
        }
    }

    @Test func `2 and 0: a pass says whether something waits`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("daemon", "--once").code == 0)
            #expect(try await host.run("rotate", "test-webapp-api").code == 0)
            #expect(try await host.run("daemon", "--once").code == 2)
            try await until("the overlap is over") { try await host.run("daemon", "--once").code == 0 }
            // Due at once and never inside of its window, which is the day before yesterday's minute.
            let minute = Date().addingTimeInterval(-3 * 86400).formatted(
                Date.ISO8601FormatStyle(timeZone: .gmt).time(includingFractionalSeconds: false))
            let (hour, after) = (
                minute.prefix(2), minute.prefix(2) == "23" ? "00" : String(format: "%02d", (Int(minute.prefix(2)) ?? 0) + 1)
            )
            let day = Date().addingTimeInterval(-3 * 86400).formatted(
                Date.FormatStyle(locale: Locale(identifier: "en_US_POSIX"), timeZone: .gmt).weekday(.abbreviated)
            )
            try host.write(
                try host.read("policies/test.yaml").replacingOccurrences(
                    of: "{every: 90d}", with: "{every: 100ms, window: \"\(day) \(hour):00-\(after):00\"}"
                ), to: "policies/test.yaml"
            )
            let waits = try await host.run("daemon", "--once")
            #expect(waits.code == 2, "\(waits)")
            let status = try await host.status(of: "test-webapp-api")
            #expect(status.reason == "outside of its window")
            #expect(try await host.run("plan").output.contains("waiting"))
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can become somebody else"))
    func `77: a user who may not use the state`() async throws {
        let nobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: host.folder)
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: host.path("policies"))
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: host.path("admin-token"))
            #expect(try await host.run("daemon", "--once").code == 0)
            for arguments in [["status"], ["daemon"], ["daemon", "--once"], ["rotate", "test-webapp-api"]] {
                let child = try host.start(arguments, under: nobody)
                #expect(try await child.ended() == 77, "\(arguments): \(child.said)")
                #expect(
                    child.complained.contains("keyturn: cannot use the state folder \(host.path("state")): Permission denied"),
                    "\(child.complained)")
            }
            try FileManager.default.removeItem(atPath: host.path("state"))
            let new = try await host.run("daemon", "--once", under: nobody)
            #expect(new.code == 77, "\(new)")
            #expect(new.errors.contains("cannot make the state folder"))
        }
    }
    @Test func `1: a state folder that cannot be made for another reason than rights, which may pass`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            let settings = try host.read("keyturn.yaml").replacingOccurrences(of: "state: state", with: "state: admin-token/state")
            try host.write(settings, to: "keyturn.yaml")
            let run = try await host.run("daemon")
            #expect(run.code == 1)
            #expect(run.errors.contains("keyturn: cannot make the state folder \(host.path("admin-token/state")): "), "\(run)")
        }
    }

    @Test(.enabled(if: geteuid() == 0, "only root can become somebody else"))
    func `77: settings, policies or a secret that this user may not read; 78 beside an error in what it could read`() async throws {
        let nobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            func open(_ name: String, _ mode: Int) throws {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: host.path(name))
            }
            func codes(_ commands: [[String]]) async throws -> [Int32] {
                var codes: [Int32] = []
                for arguments in commands { codes.append(try await host.start(arguments, under: nobody).ended()) }
                return codes
            }
            let all = [["check"], ["plan"], ["daemon"], ["daemon", "--once"], ["rotate", "test-webapp-api"]]
            for (name, mode) in [("", 0o755), ("policies", 0o755), ("admin-token", 0o644)] { try open(name, mode) }
            let closing = [("keyturn.yaml", 0o600, 0o644), ("policies", 0o711, 0o755), ("policies/test.yaml", 0o600, 0o644)]
            for (name, closed, opened) in closing {
                try open(name, closed)
                #expect(try await codes(all) == [77, 77, 77, 77, 77], "\(name): \(host.said)")
                let check = try await host.run("check", under: nobody)
                #expect(check.errors.hasPrefix("\(host.path(name)): found a "), "\(check)")
                #expect(check.errors.contains("that user 65534 may not "), "\(check)")
                try open(name, opened)
            }
            try open("admin-token", 0o600)
            #expect(try await codes([["check"], ["daemon"]]) == [77, 77])
            #expect(try await codes([["check", host.path("policies/test.yaml")]]) == [0])
            try open("policies/test.yaml", 0o600)
            #expect(try await codes([["check", host.path("policies/test.yaml")], ["check", "policies"]]) == [77, 77])
            try host.write("nonsense", to: "policies/bad.yaml")
            #expect(try await codes(all) == [78, 78, 78, 78, 78])
        }
    }
}
