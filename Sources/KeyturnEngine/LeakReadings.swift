import Foundation
import KeyturnCore
import Synchronization

/// What a token's secrets were used for up to now, asked with these secrets while they are still accepted.
///
/// Best effort: it must not keep what leaked alive, so that all of it together gets a few seconds, and what is not there by
/// then is done without.
struct LeakReadings: Sendable {
    private final class Found: Sendable {
        private let state: Mutex<[LeakIncident.Generation]>

        init(_ generations: [LeakIncident.Generation]) { state = Mutex(generations) }

        var generations: [LeakIncident.Generation] { state.withLock { $0 } }

        func change(_ position: Int, _ body: (inout LeakIncident.Generation) -> Void) { state.withLock { body(&$0[position]) } }
    }

    let ports: Ports
    let gateway: any Gateway
    let token: Token

    /// How far back the log is asked for.
    private static let back: TimeInterval = 14 * 86400

    /// - Parameter withLog: the usage log as well, where the gateway has one.
    func generations(withLog: Bool) async -> [LeakIncident.Generation] {
        let existing = token.generations.filter { $0.state != .unmade && $0.state != .revoked }
        let found = Found(existing.map { LeakIncident.Generation(name: $0.name, state: $0.state) })
        await ports.briefly {
            await withTaskGroup(of: Void.self) { group in
                for (position, generation) in existing.enumerated() where generation.isLiving {
                    group.addTask { await read(generation, withLog) { found.change(position, $0) } }
                }
            }
        }
        return found.generations
    }

    private func read(
        _ generation: Generation, _ withLog: Bool, _ change: ((inout LeakIncident.Generation) -> Void) -> Void
    ) async {
        guard let secret = try? ports.keyring.secret(generation.name, of: token.gateway) else { return }
        let now = ports.now().wall
        if let reading = try? await gateway.usage(secret), !reading.saysNothing { change { ($0.before, $0.readAt) = (reading, now) } }
        guard withLog, let log = gateway as? any UsageLog,
            let (lines, isPart) = try? await log.usageLog(secret, from: now.addingTimeInterval(-LeakReadings.back), to: now)
        else { return }
        change { $0.cost = UsageCost(of: lines, isPart: isPart) }
    }
}
