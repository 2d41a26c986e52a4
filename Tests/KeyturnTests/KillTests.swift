import Foundation
import KeyturnSandbox
import Testing

/// The daemon dies whenever it likes, the gateway answers as it likes, and it all ends in the same place.
struct KillTests {
    @Test func `a daemon killed again and again beside a gateway that loses answers keeps and forgets no token`() async throws {
        let given = ProcessInfo.processInfo.environment["KEYTURN_TESTS_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 0...999_999)
        print("kills: seed \(seed), repeated by KEYTURN_TESTS_SEED=\(seed)")
        // Only what Keyturn itself calls is struck: a consumer's call then fails for want of a good token or not at all.
        let faults = [
            "lost-answer:create@0.3", "late-commit=1s@0.15", "missing-id:create@0.2", "missing-key@0.1", "reset:create@0.1",
            "reset:list@0.1",
            "500:revoke@0.2", "502-after:create@0.1", "502-after:revoke@0.2", "429=1:list@0.1", "429=1:create@0.1",
        ]
        try await Account.with(faults: faults) {
            $0.seed = seed
        } body: { account in
            let host = account.host
            try host.settings(lines: "watch: {every: 1s}")
            try Targets.write(to: host, every: "3s")
            var dice = Dice(state: seed)
            try await Traffic.during(account) { traffic in
                let end = ContinuousClock.now + .seconds(9)
                var kills = 0
                while ContinuousClock.now < end {
                    let daemon = try host.daemon()
                    // The moment of its death is all that chance decides here.
                    try await Task.sleep(for: .milliseconds(Int.random(in: 60...900, using: &dice)))
                    daemon.send(SIGKILL)
                    #expect(try await daemon.ended() == 128 + SIGKILL)
                    kills += 1
                }
                print("kills: \(kills), \(account.gateway.statistics())")
                account.gateway.setFaults([])
                try Targets.write(to: host, every: "90d")
                let daemon = try host.daemon()
                // What failed under the faults waits for minutes by now; a person makes it go on at once.
                let urged = try await host.run("rotate", "--all")
                #expect(urged.code == 0, "\(urged)")
                do { try await until("all is settled") { try account.isSettled } } catch {
                    throw Unexpected("\(error)\n\(try account.unsettled)\n\(try await host.run("status"))")
                }
                for report in try await host.status() {
                    #expect(report.state == "active")
                    #expect(account.living(of: report.token).map(\.name) == [report.generation?.name])
                }
                #expect(traffic.failures == [])
                #expect(traffic.calls > 0)
                #expect(try await host.run("verify").code == 0)
                daemon.send(SIGTERM)
                try await daemon.ended()
            }
        }
    }
}

/// Steele, Lea and Flood's SplitMix64: the same numbers for the same seed.
struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
