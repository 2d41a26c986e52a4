import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Testing

@testable import KeyturnSandbox

/// Every kind of fault at every operation that it can strike, and what the gateway makes of it. The table is the contract.
struct `What the laozhang gateway makes of every fault` {
    struct Row: Sendable, CustomTestStringConvertible {
        let fault: String
        var create: String?
        var list: String?
        var revoke: String?
        var probe: String?
        var usage: String?

        init(_ fault: String, create: String? = nil, list: String? = nil, revoke: String? = nil, probe: String? = nil, usage: String? = nil)
        {
            self.fault = fault
            self.create = create
            self.list = list
            self.revoke = revoke
            self.probe = probe
            self.usage = usage
        }

        /// The same for all that read.
        init(_ fault: String, create: String?, revoke: String?, reading: String) {
            self.init(fault, create: create, list: reading, revoke: revoke, probe: reading, usage: reading)
        }

        var testDescription: String { fault }
        var kind: String { String(fault.prefix { $0 != "=" }) }
    }

    static let table = [
        Row("reset", create: "unknown", revoke: "inconclusive", reading: "inconclusive"),
        Row("hang", create: "unknown", revoke: "inconclusive", reading: "inconclusive"),
        Row("429", create: "not created: inconclusive", revoke: "inconclusive", reading: "inconclusive"),
        Row("429=7", create: "not created: inconclusive", revoke: "inconclusive", reading: "inconclusive"),
        Row("500", create: "unknown", revoke: "inconclusive", reading: "inconclusive"),
        Row("502", create: "unknown", revoke: "inconclusive", reading: "inconclusive"),
        Row("503", create: "unknown", revoke: "inconclusive", reading: "inconclusive"),
        // A revocation that was none is found out when the secret is seen accepted.
        Row("error-in-200", create: "unknown", revoke: "revoked", reading: "inconclusive"),
        Row("dead-admin", create: "not created: admin refused", list: "admin refused", revoke: "admin refused"),
        Row("lost-answer", create: "unknown", revoke: "inconclusive", reading: "inconclusive"),
        Row("late-commit", create: "unknown"),
        Row("hang-after", create: "unknown", revoke: "inconclusive", reading: "inconclusive"),
        Row("500-after", create: "unknown", revoke: "inconclusive", reading: "inconclusive"),
        Row("502-after", create: "unknown", revoke: "inconclusive", reading: "inconclusive"),
        Row("503-after", create: "unknown", revoke: "inconclusive", reading: "inconclusive"),
        Row("garbage", create: "unknown", revoke: "revoked", reading: "inconclusive"),
        Row("truncated", create: "unknown", revoke: "revoked", reading: "inconclusive"),
        Row("short-body", create: "unknown", revoke: "inconclusive", reading: "inconclusive"),
        Row("oversized", create: "unknown", revoke: "inconclusive", reading: "inconclusive"),
        Row("missing-id", create: "created without id", list: "listed without ids"),
        Row("missing-key", create: "unknown"),
        Row("masked-key", create: "unknown"),
        Row("figures", usage: "read"),
        Row("figures=null", usage: "read nothing"),
        Row("figures=NaN", usage: "inconclusive"),
        Row("currency", usage: "read"),
        Row("late-validity", create: "created"),
        Row("lagging-revocation", revoke: "revoked"),
        Row("no-models", create: "created"),
    ]

    @Test func `the table knows every kind, and every operation that it can strike`() {
        #expect(Set(Self.table.map(\.kind)) == Set(FaultRow.all.map(\.name)))
        for row in FaultRow.all {
            let lines = Self.table.filter { $0.kind == row.name }
            let cells: [(SandboxOperation, KeyPath<Row, String?>)] = [
                (.create, \.create), (.list, \.list), (.revoke, \.revoke), (.models, \.probe), (.usage, \.usage),
            ]
            for (operation, cell) in cells {
                for line in lines { #expect((line[keyPath: cell] != nil) == row.possible.contains(operation), "\(row.name) \(operation)") }
            }
        }
    }

    @Test(arguments: table)
    func `a fault is taken for what it is, with one create on the wire`(_ row: Row) async throws {
        try await withSandbox { sandbox in
            // Long enough for any answer that comes, and short for those that never do.
            let waits = row.fault.hasPrefix("hang")
            let gateway = laozhang(port: sandbox.port, timeout: waits ? .seconds(2) : .seconds(20))
            let token = sandbox.gateway.addForeign(name: "there")
            func strike(_ operation: SandboxOperation) throws {
                sandbox.gateway.setFaults([try Fault(parsing: "\(row.fault):\(operation.rawValue)")])
            }
            if let expected = row.list {
                try strike(.list)
                #expect(await CallResult.list(gateway) == expected)
            }
            if let expected = row.probe {
                try strike(.models)
                #expect(await CallResult.probe(gateway, token.secret) == expected)
            }
            if let expected = row.usage {
                try strike(.usage)
                #expect(await CallResult.usage(gateway, token.secret) == expected)
            }
            if let expected = row.revoke {
                try strike(.revoke)
                #expect(await CallResult.revoke(gateway, token.id) == expected)
            }
            if let expected = row.create {
                try strike(.create)
                let before = sandbox.gateway.statistics().creates
                #expect(await CallResult.create(gateway) == expected)
                #expect(sandbox.gateway.statistics().creates == before + 1)
            }
        }
    }

    @Test func `after every fault it works again, over the same client`() async throws {
        try await withSandbox { sandbox in
            let gateway = laozhang(port: sandbox.port, timeout: .seconds(20))
            for row in Self.table where !row.fault.hasPrefix("hang") {
                sandbox.gateway.setFaults([try Fault(parsing: "\(row.fault):all#3")])
                _ = await CallResult.create(gateway)
                _ = await CallResult.list(gateway)
                sandbox.gateway.setFaults([])
                #expect(await CallResult.create(gateway) == "created", "\(row.fault)")
                #expect(await CallResult.list(gateway) == "listed", "\(row.fault)")
            }
        }
    }

    @Test func `retry-after is told in seconds`() async throws {
        try await withSandbox(faults: ["429=7:all"]) { sandbox in
            let gateway = laozhang(port: sandbox.port)
            #expect(await gateway.listError() == .inconclusive("it answered 429 (Too many requests)", retryAfter: 7))
            guard case .notCreated(let error) = await gateway.create(sampleOrder) else { throw CancellationError() }
            #expect(error.retryAfter == 7)
        }
    }
}
