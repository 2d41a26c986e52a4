import Foundation
import KeyturnCore
import Testing

/// Every way that the machine can go in a toy world, whatever dies, and whenever.
@Suite struct EnumerationTests {
    static let overlap = Overlap(atLeast: .minutes(90), quietFor: .zero, atMost: .days(2))
    static let policy = TokenPolicy.sample(rotate: .every(.days(90), window: nil, jitter: .zero), overlap: overlap)

    /// A world whose first issue went well, `seconds` after it, in which `faults` things may go wrong.
    func later(_ seconds: TimeInterval, faults: Int, meddling: Int = 0, _ policy: TokenPolicy = EnumerationTests.policy) throws -> ToyWorld
    {
        let rules = ToyRules(policies: [policy])
        var world = ToyWorld(policy, faults: 0)
        for _ in 0..<Explorer.longestRun where world.process != .rested {
            var chooser = Chooser()
            #expect(world.turn(rules, &chooser) == nil)
        }
        #expect(world.process == .rested)
        world.process = .stopped
        world.now = moment(after: seconds)
        world.faults = faults
        world.meddling = meddling
        return world
    }

    func explore(_ name: String, _ world: ToyWorld, _ rules: ToyRules) throws {
        let report = Explorer.explore(world, rules)
        print("\(name): \(report)")
        if let broken = report.broken { Issue.record("\(name)\n\(broken)") }
        #expect(report.rests > 0)
    }

    static let due: TimeInterval = 90 * 86400

    /// With one consumer, where its number does not matter.
    static let single: TokenPolicy = {
        var single = policy
        single.targets.removeLast()
        return single
    }()

    @Test func `a first issue, two things go wrong`() throws {
        try explore("first issue", ToyWorld(EnumerationTests.policy, faults: 2), ToyRules(policies: [EnumerationTests.policy]))
    }

    @Test func `a scheduled rotation, two things go wrong`() throws {
        let policy = EnumerationTests.single
        try explore("scheduled rotation", later(EnumerationTests.due, faults: 2, policy), ToyRules(policies: [policy]))
    }

    @Test func `two targets, one thing goes wrong`() throws {
        let policy = EnumerationTests.policy
        try explore("two targets", later(EnumerationTests.due, faults: 1, policy), ToyRules(policies: [policy]))
    }

    @Test func `a rotation that waits for quiet`() throws {
        var policy = EnumerationTests.single
        policy.overlap.quietFor = .minutes(20)
        policy.overlap.atMost = .hours(6)
        try explore("quiet", later(EnumerationTests.due, faults: 2, policy), ToyRules(policies: [policy]))
    }

    @Test func `a temporary token`() throws {
        var policy = EnumerationTests.policy
        policy.rotate = .never
        policy.expires = .after(.days(30))
        try explore("temporary, issue", ToyWorld(policy, faults: 1), ToyRules(policies: [policy]))
        try explore("temporary, expiry", later(30 * 86400, faults: 2, policy), ToyRules(policies: [policy]))
    }

    @Test func `requests to rotate and to revoke at any time`() throws {
        let policy = EnumerationTests.single
        var rules = ToyRules(policies: [policy])
        rules.requests = true
        try explore("requests, first issue", ToyWorld(policy, faults: 1, meddling: 2), rules)
        try explore("requests, rotation", later(EnumerationTests.due, faults: 1, meddling: 1, policy), rules)
    }

    static let kills: ToyRules = {
        var rules = ToyRules(policies: [single])
        rules.kills = true
        return rules
    }()

    @Test func `a first key that somebody ends, or its secret gets lost`() throws {
        try explore("kills, first issue", ToyWorld(EnumerationTests.single, faults: 1, meddling: 1), EnumerationTests.kills)
    }

    @Test func `keys that somebody ends in a rotation, and secrets that get lost`() throws {
        let policy = EnumerationTests.single
        try explore("kills, rotation", later(EnumerationTests.due, faults: 1, meddling: 1, policy), EnumerationTests.kills)
    }

    @Test func `an older secret that comes back into a target`() throws {
        let policy = EnumerationTests.single
        var rules = ToyRules(policies: [policy])
        rules.drifts = true
        try explore("drift", later(EnumerationTests.due, faults: 1, meddling: 1, policy), rules)
    }

    static let leaks: ToyRules = {
        var rules = ToyRules(policies: [single])
        rules.leaks = true
        return rules
    }()

    @Test func `a leak at any time of a first issue, and again`() throws {
        try explore("leaks, first issue", ToyWorld(EnumerationTests.single, faults: 1, meddling: 2), EnumerationTests.leaks)
    }

    @Test func `a leak at any time of a rotation`() throws {
        let policy = EnumerationTests.single
        try explore("leaks, rotation", later(EnumerationTests.due, faults: 1, meddling: 1, policy), EnumerationTests.leaks)
        try explore("leak, two things go wrong", later(0, faults: 2, meddling: 1, policy), EnumerationTests.leaks)
    }

    @Test func `a leak among other requests, kills and changes`() throws {
        let policy = EnumerationTests.single
        var rules = EnumerationTests.leaks
        (rules.requests, rules.kills, rules.drifts) = (true, true, true)
        try explore("leaks among all, at rest", later(0, faults: 0, meddling: 2, policy), rules)
        try explore("leaks among all, rotation", later(EnumerationTests.due, faults: 0, meddling: 2, policy), rules)
        for (name, policies) in [("the policy goes", [policy, nil]), ("it goes and comes", [policy, nil, policy])] {
            var rules = ToyRules(policies: policies)
            rules.leaks = true
            try explore("leaks, \(name)", later(0, faults: 1, meddling: policies.count, policy), rules)
        }
    }

    @Test func `a policy that changes at any time`() throws {
        let both = EnumerationTests.policy
        let first = EnumerationTests.single
        var second = both
        second.targets.removeFirst()
        var none = both
        none.targets = []
        var other = both
        other.attributes.models = .only(["gpt-4"])
        for (name, policies) in [
            ("second leaves", [both, first]), ("first leaves", [both, second]), ("second joins", [first, both]),
            ("all leave", [both, none]),
            ("attributes change", [both, other]), ("the policy goes", [both, nil]), ("the policy goes and comes", [both, nil, both]),
        ] {
            let rules = ToyRules(policies: policies)
            let start = try #require(policies[0])
            try explore("\(name), first issue", ToyWorld(start, faults: 1, meddling: policies.count - 1), rules)
            try explore("\(name), rotation", later(EnumerationTests.due, faults: 1, meddling: policies.count - 1, start), rules)
        }
    }
}
