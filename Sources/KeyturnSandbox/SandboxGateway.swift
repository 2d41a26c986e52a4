package import FoundationEssentials
import Logging
import Synchronization

/// The embedded gateway: a real HTTP server on loopback that speaks the documented API, with faults on request.
///
/// Over the wire there is only the API. `keyturn demo` and the tests, which hold the object itself, also have a window
/// into it: what it knows (`snapshot`, `statistics`) and what happens to its account elsewhere (`revokeInConsole`,
/// `addForeign`, `spend`).
package final class SandboxGateway: Sendable {
    private let contract: Mutex<SandboxContract>
    private let configuration: SandboxConfiguration
    private let now: @Sendable () -> Date
    private let file: StateFile?
    private let logger: Logger

    /// - Parameter now: asked at every request and look; faults and expiries that need time follow it and nothing else.
    /// - Throws: when there is a state file that cannot be read.
    package init(_ configuration: SandboxConfiguration, now: @Sendable @escaping () -> Date = { Date() }) throws {
        self.configuration = configuration
        self.now = now
        file = configuration.stateFile.map(StateFile.init)
        contract = Mutex(SandboxContract(configuration, table: try file?.load() ?? TokenTable()))
        var logger = Logger(label: "keyturn.sandbox")
        logger.logLevel = .error
        self.logger = logger
    }

    /// Serves on 127.0.0.1 until its task is cancelled. A gateway runs once.
    /// - Parameter onReady: called with the port as soon as connections are accepted.
    package func run(onReady: @Sendable @escaping (Int) async -> Void = { _ in }) async throws {
        let routes = SandboxRoutes(latency: configuration.latency) { visit in self.change { $0.receive(visit, at: $1) } }
        let server = SandboxServer(routes: routes, port: configuration.port, now: now)
        try await server.run(onReady: onReady)
        change(saving: true) { _, _ in }
    }

    /// Every look and every change: brings the contract to `now` first, and keeps what changed.
    @discardableResult
    private func change<Result>(saving: Bool = false, _ body: (inout SandboxContract, Date) -> Result) -> Result {
        contract.withLock { contract in
            let revision = contract.table.revision
            let moment = now()
            contract.settle(at: moment)
            let result = body(&contract, moment)
            if saving || contract.table.revision != revision { save(contract.table) }
            return result
        }
    }

    private func save(_ table: TokenTable) {
        do {
            try file?.save(table)
        } catch {
            logger.error("state not saved", metadata: ["error": "\(error)"])
        }
    }
}

extension SandboxGateway {
    /// Every token in the table, revoked ones included, in the order of creation.
    package func snapshot() -> [SandboxToken] {
        change { contract, _ in contract.table.tokens }
    }

    /// How many creates are still to land: until it is 0 the table has not seen all of what it was asked for.
    package var landing: Int { change { contract, _ in contract.table.late.count } }

    package func statistics() -> SandboxStatistics {
        change { contract, _ in contract.statistics }
    }

    /// Replaces the faults; their dice and counts start anew.
    package func setFaults(_ faults: [Fault]) {
        change { contract, _ in contract.dice = FaultDice(faults, seed: configuration.seed) }
    }

    package func setCapacity(_ capacity: Int?) {
        change { contract, _ in contract.capacity = capacity }
    }

    /// A call that costs `amount`, by the newest living token of that name, else by the newest.
    /// - Returns: whether there is one.
    @discardableResult
    package func spend(name: String, amount: Decimal) -> Bool {
        change { contract, now in
            guard let index = contract.table.newest(named: name) else { return false }
            let model = contract.configuration.models.first ?? "none"
            contract.table.record(SandboxCall(timestamp: now, model: model, tokens: 2, cost: amount), at: index)
            return true
        }
    }

    /// Somebody presses Revoke in the console.
    /// - Returns: whether there was a living token of that id.
    @discardableResult
    package func revokeInConsole(id: String) -> Bool {
        change { contract, now in
            guard contract.table.tokens.contains(where: { $0.id == id && $0.isAlive }) else { return false }
            return contract.table.remove(id: id, at: now) == .revoked
        }
    }

    /// Somebody else makes a token of this account, whatever its capacity.
    package func addForeign(name: String) -> (id: String, secret: String) {
        change { contract, now in
            let token = contract.table.issue(TokenOrder(name: name, attributes: ["name": .string(name)]), at: now)
            return (token.id, token.secret)
        }
    }
}
