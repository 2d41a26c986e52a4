import Foundation
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// What is asked of the kills of a run.
private enum Asked {
    private static let environment = ProcessInfo.processInfo.environment
    /// What `KEYTURN_TESTS_SEED` says, else chance.
    static let seed = environment["KEYTURN_TESTS_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...999_999)
    /// How many kills `make torture` asks for; nil in an ordinary run.
    static let torture = environment["KEYTURN_TORTURE_KILLS"].flatMap { Int($0) }
    /// Only deaths whose names hold this text, for who looks into one.
    static let only = environment["KEYTURN_KILLS_ONLY"]
}

/// The daemon dies whenever it likes, the gateway answers as it likes, and it all ends in the same place: no call of a
/// consumer has failed, no token is orphaned or forgotten, none of others is touched.
struct KillTests {
    @Test(.enabled(if: Asked.torture == nil, "make torture does more of it"))
    func `killed before and after durable steps by name, a daemon keeps and forgets no token`() async throws {
        let reckoning = Reckoning(planned: 36)
        try await byName(36, reckoning)
        conclude(reckoning)
    }

    @Test(.enabled(if: Asked.torture == nil && Asked.only == nil, "make torture does more of it"))
    func `killed at random moments beside a gateway that loses answers, a daemon keeps and forgets no token`() async throws {
        let reckoning = Reckoning(planned: 24)
        try await atRandom(24, seed: Asked.seed, reckoning)
        conclude(reckoning)
    }

    @Test(.enabled(if: Asked.torture != nil, "only for make torture"))
    func `torture`() async throws {
        let kills = Asked.torture ?? 0
        let reckoning = Reckoning(planned: kills)
        let named = try await byName(kills, reckoning)
        for round in 0..<(kills - named + 24) / 25 where Asked.only == nil {
            try await atRandom(min(25, kills - reckoning.kills), seed: Asked.seed &+ UInt64(round), reckoning)
        }
        conclude(reckoning)
    }

    // MARK: By name

    /// - Returns: how many were killed: `most`, or as many as there are steps and sides.
    @discardableResult
    private func byName(_ most: Int, _ reckoning: Reckoning) async throws -> Int {
        print("kills by name: seed \(Asked.seed), repeated by KEYTURN_TESTS_SEED=\(Asked.seed)")
        let deaths = try await withThrowingTaskGroup(of: (Int, [Killpoint.Step]).self) { group in
            for (number, life) in Life.all.enumerated() { group.addTask { (number, try await Execution.steps(of: life)) } }
            // In the order of the lives, so that a seed chooses the same ones again.
            var steps: [Int: [Killpoint.Step]] = [:]
            for try await (number, found) in group { steps[number] = found }
            return Life.all.enumerated().flatMap { number, life in
                print("kills by name: \(life.name) has \(steps[number]?.count ?? 0) steps")
                // Every life begins the same: that is died of in the first one alone.
                let own = (steps[number] ?? []).filter { number == 0 || $0.after != "start" }
                return own.flatMap { step in [.before, .after].map { Execution(life: life, step: step, side: $0) } }
            }
        }
        var dice = Dice(state: Asked.seed)
        let chosen = deaths.shuffled(using: &dice).filter { Asked.only.map($0.name.contains) ?? true }.prefix(most)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (number, death) in chosen.enumerated() {
                if number >= 3 { try await group.next() }
                group.addTask { try await death.run(reckoning) }
            }
            try await group.waitForAll()
        }
        return chosen.count
    }

    // MARK: At random

    /// Only what Keyturn itself calls is struck: a consumer's call then fails for want of a good token or not at all.
    private static let faults = [
        "lost-answer:create@0.3", "late-commit=1s@0.15", "missing-id:create@0.2", "missing-key@0.1", "reset:create@0.1",
        "reset:list@0.1", "500:revoke@0.2", "502-after:create@0.1", "502-after:revoke@0.2", "429=1:list@0.1", "429=1:create@0.1",
    ]

    private func atRandom(_ kills: Int, seed: UInt64, _ reckoning: Reckoning) async throws {
        let place = "at random, seed \(seed)"
        print("kills \(place), repeated by KEYTURN_TESTS_SEED=\(seed)")
        try await Account.with(faults: KillTests.faults) {
            $0.seed = seed
        } body: { account in
            let host = account.host
            let others = ["test-webapp-api", "test-worker-batch-2020-01"].map { account.gateway.addForeign(name: $0).id }
            try host.settings(lines: "watch: {every: 1s}")
            try Targets.write(to: host, every: "3s")
            var dice = Dice(state: seed)
            try await Traffic.during(account) { traffic in
                for kill in 1...kills {
                    let daemon = try host.daemon("-v", environment: try Killpoint.environment(host, record: "life-\(kill)"))
                    // The moment of its death is all that chance decides here.
                    try await Task.sleep(for: .milliseconds(Int.random(in: 60...900, using: &dice)))
                    daemon.send(SIGKILL)
                    #expect(try await daemon.ended() == 128 + SIGKILL)
                    let last = try? Killpoint.steps(of: host, record: "life-\(kill)").last
                    reckoning.count(kill: "at random, after \(last.map { "\($0.after): \($0.name)" } ?? "nothing")")
                }
                account.gateway.setFaults([])
                try Targets.write(to: host, every: "90d")
                let daemon = try host.daemon()
                // What failed under the faults waits for minutes by now; a person makes it go on at once.
                let urged = try await host.run("rotate", "--all", within: .seconds(60))
                if urged.code != 0 { reckoning.add(.unsettled, "\(urged)", place) }
                await Judge(account: account, others: others, reckoning: reckoning, where: place).awaitRest(of: Targets.all.map(\.token))
                #expect(traffic.calls > 0)
                reckoning.count(traffic, place)
                #expect(try await host.run("verify").code == 0)
                daemon.send(SIGTERM)
                try await daemon.ended()
            }
        }
    }

    private func conclude(_ reckoning: Reckoning) {
        print(reckoning.report)
        #expect(reckoning.wrongs == [], "seed \(Asked.seed)")
        // A kill whose step never comes proves nothing.
        #expect(reckoning.missed * 4 <= reckoning.kills, "\(reckoning.missed) of \(reckoning.kills) steps did not come")
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
