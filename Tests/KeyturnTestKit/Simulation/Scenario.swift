package import Foundation
package import KeyturnCore

/// What one seed makes of the world: gateways with their habits, policies, and how rough the time is that follows.
package struct Scenario: Sendable {
    /// How much of it there is.
    package enum Size: String, Sendable {
        /// Weeks, few tokens: for the tests of every build.
        case short
        /// Up to years, up to twelve tokens.
        case long
    }

    /// A stretch of time with one kind of weather.
    package struct Phase: Sendable {
        package var length: TimeInterval
        /// The share of calls that meet a fault.
        package var faultRate: Double
        /// Seconds between two incidents, on average.
        package var incidentEvery: TimeInterval
    }

    package let gateways: [GatewayName]
    package private(set) var accounts: [GatewayName: Account] = [:]
    package private(set) var policies: [TokenPolicy] = []
    package private(set) var phases: [Phase] = []
    package let watchEvery: TimeSpan
    /// Of the settings; nil is unlimited.
    package private(set) var capacity: Int?
    package let keepsLog: Bool
    /// Who tells people of findings.
    package private(set) var couriers: [(name: String, severity: Severity)] = []
    package let latency: Double

    /// Seconds of all phases.
    package var length: TimeInterval { phases.reduce(0) { $0 + $1.length } }

    package init(_ size: Size, _ dice: inout Dice) {
        gateways = dice.happens(0.15) ? [.main, GatewayName("other")] : [.main]
        let pace = dice.pick(size == .short ? [6 * 3600, 12 * 3600, 86400] : [3600, 6 * 3600, 12 * 3600, 86400])
        watchEvery = .seconds(Int64(pace))
        keepsLog = dice.happens(0.1)
        latency = dice.happens(0.5) ? 2 : 0
        let looks = size == .short ? dice.number(2...5) : dice.number(60...400)
        phases = Scenario.phases(over: Double(looks * pace), pace: Double(pace), &dice)
        let habits = gateways.map { ($0, Scenario.account($0, &dice)) }
        accounts = Dictionary(uniqueKeysWithValues: habits)
        let draw = PolicyDraw(gateways: gateways, pace: Double(pace), length: length)
        for number in 0..<(size == .short ? dice.number(1...3) : dice.number(1...12)) { policies.append(draw.policy(number, &dice)) }
        for name in gateways { addOthers(at: name, &dice) }
        if dice.happens(0.5) {
            let others = accounts.values.map(\.keys.count).max() ?? 0
            capacity = policies.count + others + dice.number(1...4)
        }
        // Beside the other chances, so that a seed without couriers lives as it did before there were any.
        var own = dice
        if own.happens(0.4) { couriers.append(("mail", .warning)) }
        if own.happens(0.2) { couriers.append(("webhook", own.pick([.info, .error]))) }
    }

    private static func phases(over length: TimeInterval, pace: TimeInterval, _ dice: inout Dice) -> [Phase] {
        (0..<dice.number(1...5)).map { _ in
            Phase(
                length: length / 4 * dice.seconds(0.3...1.2), faultRate: dice.pick([0, 0, 0.005, 0.02, 0.08, 0.25]),
                incidentEvery: pace * dice.pick([0.3, 1, 3, 8, 20])
            )
        }
    }

    private static func account(_ name: GatewayName, _ dice: inout Dice) -> Account {
        var account = Account(name: name)
        account.answersIDs = !dice.happens(0.25)
        account.showsCreated = !dice.happens(0.25)
        account.showsLastUse = !dice.happens(0.3)
        account.showsUsage = !dice.happens(0.3)
        account.countsReadings = dice.happens(0.5)
        account.showsMasks = dice.happens(0.3)
        // Where neither is shown, an old lost create cannot be told from a new key of its name.
        account.showsTime = !account.showsCreated || !dice.happens(0.1)
        account.keepsRevoked = dice.happens(0.5)
        if dice.happens(0.3) { account.validityLag = dice.seconds(0...120) }
        if dice.happens(0.3) { account.listLag = dice.seconds(0...600) }
        if dice.happens(0.3) { account.revocationLag = dice.seconds(0...400) }
        return account
    }

    /// Keys of other people's, some of them under names that could be ours.
    private mutating func addOthers(at gateway: GatewayName, _ dice: inout Dice) {
        for number in 0..<dice.number(0...4) {
            let ours = policies.filter { $0.gateway == gateway }
            let name =
                dice.happens(0.4) && !ours.isEmpty
                ? dice.pick(ours).pattern.name(month: "2026-01", attempt: dice.number(1...2)) : "somebody-\(number)"
            guard var account = accounts[gateway] else { continue }
            account.land(account.makeKey(named: name, by: .others, at: World.start.addingTimeInterval(-86400 * dice.seconds(0...200))))
            accounts[gateway] = account
        }
    }
}
