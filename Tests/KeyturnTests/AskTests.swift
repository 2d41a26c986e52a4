import Foundation
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// `adopt`, `revoke` and `rotate`: what a person asks for, with a daemon and without.
struct AskTests {
    private let token = "test-webapp-api"

    @Test func `adopt takes over a token found by its name, and keeps the secret where it lies`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            let foreign = account.gateway.addForeign(name: "test-webapp-api-2024-01")
            _ = account.gateway.addForeign(name: "test-webapp-other-2024-01")
            try host.write(foreign.secret, to: "targets/token", mode: 0o640)
            let before = try FileManager.default.attributesOfItem(atPath: host.path("targets/token"))
            let run = try await host.run("adopt", token, "--from", "targets/token")
            #expect(run.code == 0, "\(run)")
            #expect(run.output.contains("test-webapp-api-2024-01 (\(foreign.id)) is taken over"))
            let after = try FileManager.default.attributesOfItem(atPath: host.path("targets/token"))
            #expect(after[.systemFileNumber] as? Int == before[.systemFileNumber] as? Int, "the same secret is not written again")
            #expect(try host.read("targets/token") == foreign.secret)
            let report = try await host.status(of: token)
            #expect(report.generation?.id == foreign.id)
            #expect(report.state == "active")
            #expect(account.gateway.statistics().creates == 0)
            let again = try await host.run("adopt", token, "--from", "targets/token")
            #expect(again.code == 1)
            #expect(again.errors.contains("has a generation already"))
        }
    }

    @Test func `adopt asks which one where several fit, and refuses what it cannot prove`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            let one = account.gateway.addForeign(name: "test-webapp-api-2024-01")
            let two = account.gateway.addForeign(name: "test-webapp-api-2024-02")
            let odd = account.gateway.addForeign(name: "made-by-hand")
            let worse = account.gateway.addForeign(name: "made / by hand")
            try host.write(odd.secret + "\n", to: "odd.txt")
            try host.write("sk-nonsense", to: "nonsense.txt")
            let several = try await host.run("adopt", token, "--from", host.path("odd.txt"))
            #expect(several.code == 1)
            #expect(account.gateway.statistics().creates == 0, "who wants to adopt does not want a new one")
            #expect(
                several.errors.contains("several fit: test-webapp-api-2024-01, test-webapp-api-2024-02; say which with --generation NAME"))
            let refused = try await host.run("adopt", token, "--from", "nonsense.txt")
            #expect(refused.code == 1)
            #expect(refused.errors.contains("the gateway refuses the secret in"), "\(refused)")
            let missing = try await host.run("adopt", token, "--from", "missing.txt")
            #expect(missing.code == 1)
            #expect(missing.errors.contains("missing.txt: No such file or directory"), "\(missing)")
            let unlisted = try await host.run("adopt", token, "--from", "odd.txt", "--generation", "unheard of")
            #expect(unlisted.errors.contains("the gateway lists no living unheard of"))
            let unfit = try await host.run("adopt", token, "--from", "odd.txt", "--generation", "made / by hand")
            #expect(unfit.code == 1)
            #expect(unfit.errors == "keyturn: 'made / by hand' is no name for a generation\n", "it is answered, not left for ever")
            let taken = try await host.run("adopt", token, "--from", "odd.txt", "--generation", "made-by-hand")
            #expect(taken.code == 0, "\(taken)")
            #expect(try host.read("targets/token") == odd.secret, "delivered to its target")
            #expect(try await host.status(of: token).generation?.id == odd.id)
            #expect(account.living.map(\.id) == [one.id, two.id, odd.id, worse.id], "nothing of others is touched")
        }
    }

    @Test func `beside a daemon, a token that is to be adopted waits for it, and for nothing else`() async throws {
        try await Account.with { account in
            let host = account.host
            let foreign = account.gateway.addForeign(name: "test-webapp-api-2024-01")
            try host.write(foreign.secret, to: "targets/token", mode: 0o640)
            try Targets.writeOne(to: host)
            let plain = try host.read("policies/test.yaml")
            try host.write("environment: test\ngateway: laozhang\ntokens:\n" + Targets.other(host), to: "policies/test.yaml")
            let daemon = try host.daemon()
            try await host.until("test-other-api", is: "active")
            let waits = plain.replacingOccurrences(of: "rotate: {", with: "adopt: true\n    rotate: {")
            try host.write(waits + Targets.other(host), to: "policies/test.yaml")
            let early = try await host.run("adopt", token, "--from", "targets/token")
            #expect(early.code == 1)
            #expect(early.errors.contains("no policy in force asks for \(token): reload keyturn if one was written since it began"))
            daemon.send(SIGHUP)
            try await until("it has read them") { daemon.complained.contains("were read again") }
            let waiting = try await host.status(of: token)
            #expect(waiting.state == "absent")
            #expect(waiting.reason == "`keyturn adopt \(token) --from FILE` is to take it over")
            // A slip of the name and a rotation of everything issue nothing either.
            #expect(try await host.run("adopt", token, "--from", "targets/token", "--generation", "typo").code == 1)
            let all = try await host.run("rotate", "--all")
            #expect(all.output.contains("\(token) is to be adopted: `keyturn rotate \(token)` issues a new one instead"), "\(all)")
            #expect(account.gateway.statistics().creates == 2, "both of the other token")
            let adopted = try await host.run("adopt", token, "--from", "targets/token")
            #expect(adopted.code == 0, "\(adopted)")
            #expect(try await host.status(of: token).generation?.id == foreign.id)
            #expect(account.gateway.statistics().creates == 2)
            // From here on it is a token like any other.
            #expect(try await host.run("rotate", token).code == 0)
            #expect(account.gateway.statistics().creates == 3)
        }
    }

    @Test func `revoke ends a token and names what still holds its secret; rotate takes it up again, --all does not`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            let daemon = try host.daemon()
            try await host.until(token, is: "active")
            let foreign = account.gateway.addForeign(name: "test-webapp-api-2020-01")
            #expect(try await host.run("rotate", token).code == 0)
            let revoked = try await host.run("revoke", token)
            #expect(revoked.code == 0, "\(revoked)")
            #expect(revoked.output.contains("\(token): \(host.path("targets/token")) still holds the revoked secret"))
            #expect(revoked.lines.last == "\(token) is ended: ended by request")
            #expect(account.living.map(\.id) == [foreign.id])
            #expect(host.exists("targets/token"))
            let all = try await host.run("rotate", "--all")
            #expect(all.code == 0)
            #expect(all.lines == ["\(token) is ended: `keyturn rotate \(token)` takes it up again"], "\(all)")
            #expect(account.living.count == 1)
            #expect(try await host.run("rotate", token).code == 0)
            #expect(account.living.map(\.secret) == [foreign.secret, try host.read("targets/token")])
            #expect(try await host.status(of: token).state == "active")
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
        }
    }

    @Test func `revoke names only those targets as holding the secret that it was delivered to`() async throws {
        try await Account.with { account in
            let host = account.host
            let missing = "deliver: [{file: \(host.path("missing/token"))}, "
            try Targets.writeOne(to: host)
            try host.write(try host.read("policies/test.yaml").replacing("deliver: [", with: missing), to: "policies/test.yaml")
            #expect(try await host.run("daemon", "--once").code == 3)
            let never = try await host.run("revoke", token)
            #expect(never.code == 0, "\(never)")
            #expect(!never.output.contains("missing/token"), "\(never)")
        }
    }

    @Test func `revoke says that a target may hold the secret where it is not known any more what lies there`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("rotate", token).code == 0)
            try FileManager.default.moveItem(atPath: host.path("targets"), toPath: host.path("elsewhere"))
            #expect(try await host.run("daemon", "--once").code == 3)
            let run = try await host.run("revoke", token)
            #expect(run.code == 0, "\(run)")
            #expect(run.output.contains("\(token): \(host.path("targets/token")) may hold the revoked secret"), "\(run)")
        }
    }

    @Test func `rotate is heard by the daemon at once, told to its end, and does not make it list again and again`() async throws {
        try await Account.with { account in
            let host = account.host
            try host.settings(lines: "watch: {every: 1h}")
            try host.write("#!/bin/sh\nexec sleep 2\n", to: "slow", mode: 0o755)
            try Targets.write(to: host, every: "90d", overlap: "{at_least: 1h}", then: "{run: [\(host.path("slow"))]}")
            let daemon = try host.daemon()
            for target in Targets.all { try await host.until(target.token, is: "active") }
            let lists = account.gateway.statistics().lists
            let child = try host.start(["rotate", "--all", "--reason", "ticket 4711"])
            // The daemon would not come by for an hour: it was woken.
            try await until("the gateway has made them all") { account.living.count == 6 }
            #expect(try await child.ended() == 0)
            for target in Targets.all {
                #expect(child.written.contains("\(target.token): rotation started (requested): ticket 4711"))
                #expect(child.written.contains("\n\(target.token) is overlapping: "))
            }
            #expect(child.written.contains("the consumer of \(host.path("targets/webapp.env")) (LAOZHANG_API_KEY) was told"))
            #expect(daemon.complained.contains("rotation started (requested)"), "the daemon did it")
            #expect(account.gateway.statistics().lists - lists <= 4)
        }
    }

    @Test func `a command goes on by itself when the daemon dies in the middle`() async throws {
        try await Account.with { account in
            let host = account.host
            try host.write("#!/bin/sh\n[ ! -e \(host.path("hold")) ] || exec sleep 60\n", to: "slow", mode: 0o755)
            try Targets.writeOne(to: host, then: "{run: [\(host.path("slow"))]}")
            let daemon = try host.daemon()
            try await host.until(token, is: "active")
            try host.write("", to: "hold")
            let child = try host.start(["rotate", token])
            try await until("it is delivered") { child.written.contains(" delivered to ") }
            try FileManager.default.removeItem(atPath: host.path("hold"))
            daemon.send(SIGKILL)
            #expect(try await child.ended() == 0, "\(child.said)")
            #expect(account.living.count == 2)
            #expect(try await host.status(of: token).targets.map(\.applied) == [true])
        }
    }
}
