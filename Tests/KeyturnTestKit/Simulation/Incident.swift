import Foundation
import KeyturnCore

/// What may happen to the world from outside, between two calls of ours.
enum Incident: CaseIterable, Sendable {
    case mood, serverLag, clockJump, gatewayClock, reboot, restart, secondDaemon, ghost
    case consoleRevoke, consoleDelete, editTarget, lockTarget, breakConsumer, slowConsumer, restartConsumer
    case stealRecord, hideKeyring, hideRecord, standingFault
    case changeAttributes, changeTargets, changeTimes, leavePolicies, returnToPolicies
    case rotate, revoke, resume, adopt, leak
    case rivalName, rivalCreate, otherKey, endOther, fewerModels, fullAccount
    case use, useOld, useOldLong

    /// How often, beside the others.
    var weight: Int {
        switch self {
        case .use: 12
        case .useOld, .rotate, .mood, .leak: 6
        case .consoleRevoke, .editTarget, .breakConsumer, .lockTarget, .standingFault, .restart: 4
        case .clockJump, .reboot, .rivalName, .rivalCreate, .changeAttributes, .restartConsumer: 3
        case .serverLag, .gatewayClock, .consoleDelete, .slowConsumer, .stealRecord, .hideKeyring, .hideRecord, .changeTargets,
            .changeTimes,
            .leavePolicies, .returnToPolicies, .resume, .adopt, .otherKey, .endOther, .fewerModels, .fullAccount, .useOldLong:
            2
        case .secondDaemon, .ghost, .revoke: 1
        }
    }

    private static let urn = allCases.flatMap { Array(repeating: $0, count: $0.weight) }

    static func draw(_ dice: inout Dice) -> Incident { dice.pick(urn) }
}

/// The end of an incident that lasts.
enum Relief: Sendable {
    case mood(GatewayName)
    case clock
    case gatewayClock(GatewayName)
    case target(TargetID)
    case consumer(TargetID)
    case keyring([GatewayName: [String: KeyringState.Record]])
    case record(String)
    case standing(PortCall)
    case models(GatewayName)
    case others([KeyID], GatewayName)
    case oldUse(KeyID, GatewayName)
}
