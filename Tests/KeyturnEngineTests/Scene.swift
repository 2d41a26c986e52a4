import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

extension TokenName {
    static let webapp = TokenName("prod-webapp-api")
    static let worker = TokenName("prod-worker-api")
}

extension TargetID {
    static let webapp = TargetID(file: "/etc/webapp/token", key: nil)
    static let worker = TargetID(file: "/etc/worker/token", key: nil)
}

extension World {
    var webapp: Token { get throws { try #require(token(.webapp)) } }

    /// Names of the keys that are alive at the gateway, in the order of their making.
    var alive: [String] { with { state in state.account.keys.filter { $0.isAlive(at: state.now) }.map(\.name) } }

    /// The name of the key whose secret lies in a target.
    func published(_ id: TargetID = .webapp) -> String? {
        with { state in state.places[id]?.content.flatMap { state.key(withSecret: $0)?.1.name } }
    }

    func calls(_ operation: PortCall) -> Int { with { $0.calls(operation) } }

    var findings: [Finding.Code] { with { $0.journal.openFindings.map(\.finding.code) } }

    var sentences: [String] { with { $0.journal.openFindings.map(\.finding.sentence) } }

    var told: [String] { with { $0.journal.history.map(\.sentence) } }

    /// The codes of a token's history.
    var codes: [String] { with { $0.journal.history.map(\.code) } }

    func isWell(_ location: SourceLocation = #_sourceLocation) {
        let violations = with { $0.violations }
        #expect(violations.isEmpty, "\(violations)", sourceLocation: location)
    }

    /// A consumer calls with a key.
    func use(_ name: String) {
        with { state in
            let now = state.now
            for key in state.account.living(named: name, at: now) {
                state.account.change(key.id) { $0.use(at: now) }
            }
        }
    }

    /// Ends a key behind Keyturn's back.
    func kill(_ name: String) {
        with { state in
            for key in state.account.living(named: name, at: state.now) { state.account.end(key.id, by: .others, at: state.now) }
        }
    }
}

/// A world whose `prod-webapp-api` has its first generation.
func issued(_ policy: TokenPolicy = .sample(), watchEvery: TimeSpan = .minutes(15), capacity: Int? = nil) async throws -> (World, Machine) {
    let world = World()
    world.with { $0.account.capacity = capacity }
    var machine = Machine(world, [policy], watchEvery: watchEvery, capacity: capacity)
    await machine.pass()
    let token = try #require(world.token(policy.name))
    try #require(token.current == "prod-webapp-api-2026-01" && token.rotation == nil)
    return (world, machine)
}
