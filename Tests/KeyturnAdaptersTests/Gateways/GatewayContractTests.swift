import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import KeyturnSandbox
import KeyturnTestKit
import Synchronization
import Testing

/// Every kind of gateway that there is code for, over the wire.
struct `Gateways keep the contract` {
    /// The laozhang gateway against the embedded one.
    private struct Laozhang: GatewayUnderContract {
        let sandbox: RunningSandbox
        let wire: Switch
        let gateway: any Gateway
        let adminToken = "admin-token"

        func bring(_ trouble: GatewayTrouble) async throws {
            switch trouble {
            case .unreachable: wire.isOff = true
            case .deadAdmin: sandbox.gateway.setFaults([try Fault(parsing: "dead-admin:all")])
            case .full: sandbox.gateway.setCapacity(0)
            case .ill: sandbox.gateway.setFaults([try Fault(parsing: "503:all")])
            case .lostAnswers: sandbox.gateway.setFaults([try Fault(parsing: "lost-answer:create")])
            }
        }

        func addForeign(_ name: String) async throws { _ = sandbox.gateway.addForeign(name: name) }
        func spend(_ amount: Decimal, with name: String) async throws { sandbox.gateway.spend(name: name, amount: amount) }
    }

    @Test(arguments: House.gatewayKinds.sorted(), GatewayContract.allCases)
    func `every kind keeps every promise`(_ kind: String, _ promise: GatewayContract) async throws {
        switch kind {
        case LaozhangGateway.kind:
            try await withSandbox { sandbox in
                let wire = Switch(on: laozhang(port: sandbox.port), off: laozhang(port: closedPort()))
                try await promise.keep(on: Laozhang(sandbox: sandbox, wire: wire, gateway: wire))
            }
        default: Issue.record("the kind \(kind) is listed and has no subject here: give it one")
        }
    }
}

/// The same gateway with its cable in or out.
private final class Switch: Gateway {
    private let on: LaozhangGateway
    private let off: LaozhangGateway
    private let state = Atomic(false)

    init(on: LaozhangGateway, off: LaozhangGateway) {
        self.on = on
        self.off = off
    }

    var isOff: Bool {
        get { state.load(ordering: .acquiring) }
        set { state.store(newValue, ordering: .releasing) }
    }

    private var gateway: LaozhangGateway { isOff ? off : on }

    func create(_ order: CreateOrder) async -> CreateOutcome { await gateway.create(order) }
    func list() async throws(GatewayError) -> Listing { try await gateway.list() }
    func revoke(_ id: KeyID) async throws(GatewayError) { try await gateway.revoke(id) }
    func probe(_ secret: borrowing Secret) async throws(GatewayError) -> ProbeOutcome { try await gateway.probe(secret) }
    func usage(_ secret: borrowing Secret) async throws(GatewayError) -> Reading { try await gateway.usage(secret) }
}
