import Foundation
import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

/// The gateway that all other tests of the engine believe in keeps the promises of real ones, bare and within a limit.
@Suite struct WorldContractTests {
    private struct Subject: GatewayUnderContract {
        let world: World
        let gateway: any Gateway
        let adminToken = "the admin token of the world"

        func bring(_ trouble: GatewayTrouble) {
            world.with { state in
                state.standing = [:]
                state.account.mood = .well
                switch trouble {
                case .unreachable: state.account.mood = .unreachable
                case .deadAdmin: state.account.mood = .refusesAdmin
                case .full: state.account.capacity = 0
                case .ill: state.account.mood = .broken
                case .lostAnswers: state.standing[.create] = .lostAfter
                }
            }
        }

        func addForeign(_ name: String) {
            world.with { state in state.account.land(state.account.makeKey(named: name, by: .others, at: state.now)) }
        }

        func spend(_ amount: Decimal, with name: String) {
            world.with { state in
                guard let key = state.account.living(named: name, at: state.now).last else { return }
                state.account.change(key.id) { $0.spent += amount }
            }
        }
    }

    @Test(arguments: GatewayContract.allCases) func `every promise`(_ promise: GatewayContract) async throws {
        let world = World()
        try await promise.keep(on: Subject(world: world, gateway: try #require(world.ports().gateways[.main])))
    }

    @Test(arguments: GatewayContract.allCases) func `and within a limit`(_ promise: GatewayContract) async throws {
        let world = World()
        let ports = world.ports()
        let limit = GatewayLimit(of: .main, concurrent: 1, now: ports.now)
        try await promise.keep(on: Subject(world: world, gateway: LimitedGateway(try #require(ports.gateways[.main]), limit)))
    }
}
