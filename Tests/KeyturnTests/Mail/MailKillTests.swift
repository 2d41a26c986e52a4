import Foundation
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// The daemon dies while it tells somebody something: what was accepted is told once, what was not is told, and in between the
/// message comes twice as one.
struct MailKillTests {
    /// A mail program that keeps what it is given, and may end its parent before or after it has.
    private static func program(_ host: Host, before: Bool = false, after: Bool = false) throws {
        let death = { (flag: String) in "if mkdir \(host.path(flag)) 2>/dev/null; then kill -9 $PPID; exit 0; fi" }
        try host.write(
            """
            #!/bin/sh
            \(before ? death("died") : "")
            file=$(mktemp \(host.path("spool/XXXXXXXX")))
            cat > $file.new && mv $file.new $file.eml
            \(after ? death("died") : "")
            exit 0
            """, to: "sendmail", mode: 0o755)
        try FileManager.default.createDirectory(atPath: host.path("spool"), withIntermediateDirectories: true)
    }

    private static func ids(_ host: Host) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: host.path("spool")).filter { $0.hasSuffix(".eml") }.map { name in
            let text = try host.read("spool/\(name)")
            return text.split(separator: "\n").first { $0.hasPrefix("Message-ID: ") }.map(String.init) ?? ""
        }
    }

    private static func prepare(_ host: Host) throws {
        try host.settings(lines: "mail: {from: k@example.com, to: [o@example.com], sendmail: \(host.path("sendmail"))}")
        try Targets.writeOne(to: host, then: "{run: [/bin/false]}")
    }

    @Test(arguments: [true, false]) func `killed by the mail program itself`(before: Bool) async throws {
        try await Account.with { account in
            let host = account.host
            try Self.program(host, before: before, after: !before)
            try Self.prepare(host)
            #expect(try await host.run("daemon", "--once").code == 128 + SIGKILL)
            #expect(try Self.ids(host).count == (before ? 0 : 1))
            for _ in 0..<3 { _ = try await host.run("daemon", "--once") }
            let ids = try Self.ids(host)
            #expect(ids.count == (before ? 1 : 2), "\(ids)")
            #expect(Set(ids).count == 1 && ids[0].contains("finding.1."))
        }
    }

    @Test func `killed before and after every step between the finding and the record of its mail`() async throws {
        let seed = ProcessInfo.processInfo.environment["KEYTURN_TESTS_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...999_999)
        print("kills while telling: seed \(seed), repeated by KEYTURN_TESTS_SEED=\(seed)")
        var steps: [Killpoint.Step] = []
        try await Account.with { account in
            let host = account.host
            try Self.program(host)
            try Self.prepare(host)
            _ = try await host.run("daemon", "--once", environment: try Killpoint.environment(host, record: "steps"))
            #expect(try Self.ids(host).count == 1)
            steps = try Killpoint.steps(of: host, record: "steps")
        }
        // From the first failure of the target on: the finding, the mark, the record.
        let first = try #require(steps.firstIndex { $0.after == "target-failed" })
        let told = steps[first...]
        #expect(told.count >= 4, "\(told)")
        var dice = Dice(state: seed)
        let deaths = told.flatMap { step in [Killpoint.Order.Side.before, .after].map { (step, $0) } }.shuffled(using: &dice).prefix(16)
        for (step, side) in deaths {
            try await Account.with { account in
                let host = account.host
                try Self.program(host)
                try Self.prepare(host)
                let order = Killpoint.Order(step: step.name, times: step.times, side: side)
                let code = try await host.run("daemon", "--once", environment: try Killpoint.environment(host, record: "life", order)).code
                let before = try Self.ids(host)
                for _ in 0..<2 { _ = try await host.run("daemon", "--once") }
                let ids = try Self.ids(host)
                let place = "\(side) \(step.name) (\(step.times)), exit \(code), seed \(seed): \(before) then \(ids)"
                #expect(Set(ids).count == 1, "told, and as one: \(place)")
                #expect(ids.count <= before.count + 1, "\(place)")
            }
        }
    }
}
