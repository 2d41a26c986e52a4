import Foundation
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// Promise 4: no secret leaves its place.
struct SecretsTests {
    @Test func `no output, journal or file of the state but the keyring holds a secret or the admin token`() async throws {
        try await Account.with(faults: ["lost-answer@0.2", "missing-id@0.3"]) { account in
            let host = account.host
            // A consumer that says aloud what it read.
            try host.write("#!/bin/sh\ncat \(host.path("targets/webapp.env"))\nexit 3\n", to: "loud", mode: 0o755)
            try Targets.write(to: host, every: "3s", then: "{run: [\(host.path("loud"))]}")
            let daemon = try host.daemon("-v")
            try await host.until("test-webapp-api", is: "stuck")
            try await until("the others were rotated") { account.generations(of: "test-monitor-stats").count >= 3 }
            let revoked = account.gateway.snapshot().filter { $0.status == .revoked }
            #expect(!revoked.isEmpty)
            try account.setFaults("dead-admin")
            for arguments in [
                ["status"], ["status", "test-webapp-api"], ["status", "--json"], ["plan"], ["plan", "--json"], ["history"],
                ["history", "--json"], ["verify"],
                ["rotate", "--all"], ["check"], ["adopt", "test-webapp-api", "--from", host.path("admin-token")],
            ] {
                try await host.start(arguments).ended()
            }
            account.gateway.setFaults([])
            // The daemon may put it right, or rotate, in between.
            var codes: [Int32] = []
            for _ in 0..<20 where !codes.contains(1) {
                try host.write("wrong " + (try host.read("targets/monitor.token")), to: "targets/monitor.token", mode: 0o600)
                codes.append(try await host.run("verify").code)
            }
            #expect(codes.contains(1), "\(codes)")
            #expect(try await host.run("revoke", "test-monitor-stats").code == 0)
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)

            // Whole, and by a part that is long enough to be no accident.
            let secrets = account.gateway.snapshot().map(\.secret) + [Host.admin]
            let traces = secrets.flatMap { [$0, String($0.suffix(12))] }
            #expect(traces.count > 8)
            let places = try host.files(in: "state").filter { !$0.hasPrefix("state/keys/") } + host.files(in: "output")
            #expect(places.contains("state/journal.db"))
            #expect(places.contains { $0.hasPrefix("output/") && $0.hasSuffix("daemon.err") })
            for place in places {
                let bytes = try Data(contentsOf: URL(filePath: host.path(place)))
                for trace in traces where bytes.range(of: Data(trace.utf8)) != nil { Issue.record("\(place) holds \(trace)") }
            }
            #expect(host.said.contains("[hidden]"), "what the consumer said was told without the secret")
            for name in try host.files(in: "state") {
                let mode = try FileManager.default.attributesOfItem(atPath: host.path(name))[.posixPermissions] as? Int
                #expect((mode ?? 0o777) & 0o077 == 0, "\(name)")
            }
        }
    }

    @Test func `no secret stands in the arguments or the environment of what Keyturn runs`() async throws {
        try await Account.with { account in
            let host = account.host
            try host.write(
                "#!/bin/sh\ntr '\\\\0' '\\\\n' < /proc/$PPID/cmdline > \(host.path("seen"))\nenv >> \(host.path("seen"))\n", to: "look",
                mode: 0o755)
            try Targets.writeOne(to: host, then: "{run: [\(host.path("look"))]}")
            try host.write(
                try host.read("keyturn.yaml").replacingOccurrences(of: "{file: admin-token}", with: "{env: ADMIN}"), to: "keyturn.yaml")
            let run = try host.start(["daemon", "--once"], environment: ["ADMIN": Host.admin])
            #expect(try await run.ended() == 0, "\(run.said)")
            let seen = try host.read("seen")
            #expect(seen.contains("daemon"))
            #expect(seen.contains("PATH="))
            #expect(!seen.contains(Host.admin))
            #expect(!seen.contains(account.living[0].secret))
        }
    }
}

extension Host {
    /// Every regular file below a folder, by its name from here.
    func files(in name: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path(name)).map { "\(name)/\($0)" }.filter { name in
            try FileManager.default.attributesOfItem(atPath: path(name))[.type] as? FileAttributeType == .typeRegular
        }
    }
}
