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

    /// Settings and policies, or every error of them.
    func load(triesSecrets: Bool = false) throws -> Configuration {
        try Configuration.load(
            settingsFile: file, environment: ProcessInfo.processInfo.environment, gatewayKinds: House.gatewayKinds,
            triesSecrets: triesSecrets
        )
    }

    /// For commands that only look: the journal is opened where there is one, and none is made.
    func look() throws -> Site { try open(makes: false) }

    /// For commands that ask for something.
    func enter() throws -> Site { try open(makes: true) }

    private func open(makes: Bool) throws -> Site {
        let configuration = try load()
        return Site(configuration, house: try House(configuration.settings, environment: ProcessInfo.processInfo.environment, makes: makes))
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

    /// Every token that a policy asks for or the journal knows.
    func tokens() throws -> [Token] {
        let known = try house.journal.ledger()
        let names = Set(known.map(\.name))
        let new = configuration.tokens.filter { !names.contains($0.name) }
        return (known + new.map { Token(name: $0.name, environment: $0.environment, gateway: $0.gateway) }).sorted { $0.name < $1.name }
    }

    /// A keeper that may create and revoke: reads the admin tokens now. Only for who holds the lock.
    func keeper(http: HTTPClient, log: Logger, pulse: Pulse? = nil, isStopping: @escaping @Sendable () -> Bool = { false }) throws -> Keeper
    {
        let problems = configuration.secretProblems(environment: environment)
        guard problems.isEmpty else { throw ConfigurationErrors(problems: problems) }
        let gateways = try house.gateways(environment: environment, http: http)
        return Keeper(
            ports: house.ports(gateways), policies: configuration.tokens, settings: configuration.settings, log: log, pulse: pulse,
            isStopping: isStopping
        )
    }

    func verdict(on token: Token, at now: Moment) -> Verdict? {
        policies[token.name].map { Plan.verdict(on: token, under: $0, at: now) }
    }
}
