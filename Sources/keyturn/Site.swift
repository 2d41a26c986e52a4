import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Logging

/// Which settings a command works with; every verb takes it.
struct SiteOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("The settings (default: $KEYTURN_CONFIG, else /etc/keyturn/keyturn.yaml).", valueName: "file"))
    var config: String?

    var file: String {
        config ?? ProcessInfo.processInfo.environment["KEYTURN_CONFIG"].flatMap { $0.isEmpty ? nil : $0 } ?? "/etc/keyturn/keyturn.yaml"
    }

    /// What a command does about a policy that has errors.
    enum Policies {
        /// Ends with all of them: what it would do depends on every policy.
        case all
        /// Says so and goes on: who looks, or ends a leaked token, must not be stopped by a slip in another file.
        case readable
    }

    /// Settings and policies, or every error of them.
    func load(_ policies: Policies = .all, triesSecrets: Bool = false) throws -> Configuration {
        do {
            return try Configuration.load(
                settingsFile: file, environment: ProcessInfo.processInfo.environment, gatewayKinds: House.gatewayKinds,
                leavesOut: policies == .readable, triesSecrets: triesSecrets
            )
        } catch {
            var problems = error.problems
            if problems[0].file == file, problems[0].line == nil { problems[0].message += "; --config or KEYTURN_CONFIG names another" }
            throw ConfigurationErrors(problems: problems)
        }
    }

    /// For commands that only look: the journal is opened where there is one, and none is made.
    func look(_ policies: Policies = .all, stepsBack: Bool = false) throws -> Site {
        try open(policies, makes: false, stepsBack: stepsBack)
    }

    /// For commands that ask for something.
    func enter(_ policies: Policies = .all) throws -> Site { try open(policies, makes: true) }

    private func open(_ policies: Policies, makes: Bool, stepsBack: Bool = false) throws -> Site {
        let configuration = try load(policies)
        let house = try House(
            configuration.settings, environment: ProcessInfo.processInfo.environment, makes: makes, stepsBack: stepsBack)
        let errors = Dictionary(grouping: configuration.leftOut, by: \.file)
        for (_, problems) in errors.sorted(by: { $0.key < $1.key }) {
            let more = problems.count == 1 ? "" : ", with \(problems.count - 1) more error\(problems.count == 2 ? "" : "s")"
            Terminal.error("\(problems[0]); left out\(more): see `keyturn check`")
        }
        return Site(configuration, house: house)
    }
}

/// A configuration with its house.
struct Site {
    let configuration: Configuration
    let house: House
    /// By name.
    let policies: [TokenName: TokenPolicy]

    init(_ configuration: Configuration, house: House) {
        self.configuration = configuration
        self.house = house
        policies = Dictionary(configuration.tokens.map { ($0.name, $0) }) { first, _ in first }
    }

    var environment: [String: String] { ProcessInfo.processInfo.environment }

    /// Were all policies read? Else a token that none of them names may still be asked for.
    var isWhole: Bool { configuration.leftOut.isEmpty }

    /// Every token that a policy asks for or the journal knows.
    func tokens() throws -> [Token] {
        let known = try house.journal.ledger()
        let names = Set(known.map(\.name))
        let new = configuration.tokens.filter { !names.contains($0.name) }
        return (known + new.map { Token(name: $0.name, environment: $0.environment, gateway: $0.gateway) }).sorted { $0.name < $1.name }
    }

    /// The one token of that name, or all; a name that nobody knows is refused.
    func tokens(named name: String?) throws -> [Token] {
        let all = try tokens()
        guard let name else { return all }
        guard let token = all.first(where: { $0.name.text == name }) else {
            throw unknown(name, among: all.map(\.name), "no policy asks for \(name), and the journal does not know it")
        }
        return [token]
    }

    /// Refuses names that no policy asks for.
    func requirePolicies(of names: [TokenName]) throws {
        for name in names where policies[name] == nil {
            throw unknown(name.text, among: Array(policies.keys), "no policy asks for \(name)")
        }
    }

    private func unknown(_ name: String, among names: [TokenName], _ what: String) -> Refusal {
        let names = names.map(\.text).sorted()
        let meant = names.first { $0.contains(name) } ?? nearest(to: name, among: names)
        let hint = meant.map { "did you mean \($0)?" } ?? "`keyturn status` lists all"
        return Refusal(.failed, "\(what) (\(hint))\(isWhole ? "" : "; it may be in a policy that was left out")")
    }

    /// A keeper that may create and revoke: reads the admin tokens now. Only for who holds the lock.
    func keeper(http: HTTPClient, log: Logger, pulse: Pulse? = nil, isStopping: @escaping @Sendable () -> Bool = { false }) throws -> Keeper
    {
        let problems = configuration.secretProblems(environment: environment)
        guard problems.isEmpty else { throw ConfigurationErrors(problems: problems) }
        let gateways = try house.gateways(environment: environment, http: http)
        let couriers = CourierKinds.couriers(for: configuration.settings, environment: environment, http: http)
        return Keeper(
            ports: house.ports(gateways, couriers: couriers), policies: configuration.tokens, isWhole: isWhole,
            settings: configuration.settings, budgets: budgets, log: log, pulse: pulse, isStopping: isStopping
        )
    }

    /// Of environments.
    var budgets: [String: BudgetPolicy] {
        Dictionary(configuration.policies.compactMap { policy in policy.budget.map { (policy.environment, $0) } }) { first, _ in first }
    }

    func verdict(on token: Token, at now: Moment) -> Verdict? {
        policies[token.name].map { Plan.verdict(on: token, under: $0, at: now) }
    }

    /// What becomes of tokens that have left the policies and were not to be kept.
    func removals(of tokens: [Token], at now: Moment) -> [TokenName: Verdict] {
        guard isWhole else { return [:] }
        let living = tokens.count { $0.generations.contains(where: \.isLiving) }
        return Plan.verdicts(onRemoved: tokens.filter { policies[$0.name] == nil }, outOf: living, at: now).verdicts
    }

    /// As far as the token itself knows.
    func status(of token: Token, at now: Moment) -> TokenStatus {
        var status = TokenStatus(of: token, under: policies[token.name], verdict: verdict(on: token, at: now), at: now)
        if !isWhole, policies[token.name] == nil, token.ending == nil { status.reason = unreadable(token) }
        return status
    }

    /// With what holds it up from outside, for who looks: as the journal knows it since the last pass of whoever drives.
    func status(of token: Token, heeding obstacles: [Obstacle], at now: Moment) -> TokenStatus {
        let obstacle = Obstacle.worst(of: obstacles, for: token, verdict(on: token, at: now), at: now)
        return status(of: token, at: now).heeding(obstacle, at: now)
    }

    func obstacles() throws -> [Obstacle] {
        try house.journal.openFindings().compactMap { Obstacle($0.finding, openedAt: $0.openedAt) }
    }

    /// Why no policy is at hand for it. A process that drives has read all policies, and follows them until it has read better ones;
    /// what it missed then it has written down.
    private func unreadable(_ token: Token) -> String {
        guard token.leftAt == nil, DriverLock.isHeld(House.lockPath(configuration.settings)) else {
            return "no policy that can be read asks for it"
        }
        return "no policy that can be read asks for it; the process that drives goes on with what it read before"
    }
}
