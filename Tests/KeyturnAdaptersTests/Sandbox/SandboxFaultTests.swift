import Foundation
import Testing

@testable import KeyturnSandbox

/// What each fault looks like to a client, seen through a bare socket, and what it leaves in the table.
struct SandboxFaultTests {
    @Test func `a lost answer commits and sends not one byte`() async throws {
        try await withSandbox(faults: ["lost-answer"]) { sandbox in
            let reply = await sandbox.create("t")
            #expect(reply.bytes.isEmpty)
            #expect(reply.ending != .refused)
            #expect(sandbox.gateway.snapshot().map(\.name) == ["t"])
            #expect(sandbox.gateway.statistics().creates == 1)
            #expect(sandbox.gateway.statistics().answers == [:])
        }
    }

    @Test func `a lost answer on a connection in use leaves the answers before it whole`() async throws {
        try await withSandbox(faults: ["lost-answer"]) { sandbox in
            let list = RunningSandbox.request("GET", "/v1/api-keys", bearer: "admin-token", last: false)
            let create = RunningSandbox.request("POST", "/v1/api-keys", bearer: "admin-token", body: #"{"name":"t"}"#, last: false)
            let reply = await SandboxWire.exchange(list + create, port: sandbox.port)
            #expect(reply.status == 200)
            #expect(reply.json == ["data": []])
            #expect(sandbox.gateway.statistics().created == 1)
        }
    }

    @Test func `a late commit is cut off at once and lands when its time has come`() async throws {
        try await withSandbox(faults: ["late-commit=5s#1"]) { sandbox in
            let reply = await sandbox.create("t")
            #expect(reply.bytes.isEmpty)
            sandbox.clock.advance(4.9)
            #expect(await sandbox.column("name") == [])
            #expect(sandbox.gateway.statistics().created == 0)
            sandbox.clock.advance(0.1)
            #expect(await sandbox.column("name") == ["t"])
            #expect(await sandbox.column("created_at") == ["2026-01-31T12:00:05Z"])
            #expect(sandbox.gateway.statistics().created == 1)
        }
    }

    @Test func `a late commit finds no room in an account that filled up meanwhile`() async throws {
        try await withSandbox(faults: ["late-commit=5s#1"], { $0.capacity = 1 }) { sandbox in
            _ = await sandbox.create("late")
            _ = try await sandbox.token("early")
            sandbox.clock.advance(5)
            #expect(await sandbox.column("name") == ["early"])
        }
    }

    @Test func `a reset does nothing and resets the connection`() async throws {
        try await withSandbox(faults: ["reset:create"]) { sandbox in
            let reply = await sandbox.create("t")
            #expect(reply.bytes.isEmpty)
            #expect(reply.ending == .reset)
            #expect(sandbox.gateway.snapshot().isEmpty)
            #expect(sandbox.gateway.statistics().creates == 1)
        }
    }

    @Test(arguments: [("hang:create", 0), ("hang-after", 1)])
    func `a hanging request is never answered, and does not keep the server from stopping`(fault: String, made: Int) async throws {
        let pending = try await withSandbox(faults: [fault]) { sandbox in
            let pending = Task { await sandbox.create("t") }
            while sandbox.gateway.statistics().creates == 0 { try await Task.sleep(for: .milliseconds(1)) }
            #expect(sandbox.gateway.snapshot().count == made)
            return pending
        }
        #expect(await pending.value.bytes.isEmpty)
    }

    @Test func `a hanging request ends when its client goes`() async throws {
        try await withSandbox(faults: ["hang"]) { sandbox in
            let request = RunningSandbox.request("POST", "/v1/api-keys", bearer: "admin-token", body: #"{"name":"t"}"#, last: false)
            let reply = await SandboxWire.exchange(request, port: sandbox.port, leaving: true)
            #expect(reply.bytes.isEmpty && reply.ending != .refused)
        }
    }

    @Test func `a hundred lost answers at once are a hundred tokens and no byte`() async throws {
        try await withSandbox(faults: ["lost-answer"]) { sandbox in
            await withTaskGroup(of: SandboxReply.self) { group in
                for number in 0..<100 { group.addTask { await sandbox.create("t-\(number)") } }
                for await reply in group { #expect(reply.bytes.isEmpty) }
            }
            #expect(Set(sandbox.gateway.snapshot().map(\.name)).count == 100)
        }
    }

    @Test(arguments: [("429", 429, nil), ("429=7", 429, "7"), ("500", 500, nil), ("502", 502, nil), ("503", 503, nil)])
    func `a refusing status does nothing`(fault: String, status: Int, retryAfter: String?) async throws {
        try await withSandbox(faults: [fault]) { sandbox in
            for reply in [await sandbox.create("t"), await sandbox.list(), await sandbox.models("sk-none")] {
                #expect(reply.status == status)
                #expect(reply.header("retry-after") == retryAfter)
                #expect(reply.message != nil)
            }
            #expect(sandbox.gateway.snapshot().isEmpty)
        }
    }

    @Test(arguments: [500, 502, 503])
    func `a failure after the deed commits`(status: Int) async throws {
        try await withSandbox(faults: ["\(status)-after"]) { sandbox in
            #expect(await sandbox.create("t").status == status)
            #expect(sandbox.gateway.snapshot().count == 1)
        }
    }

    @Test func `garbage is a 200 that is no JSON`() async throws {
        try await withSandbox(faults: ["garbage"]) { sandbox in
            let reply = await sandbox.create("t")
            #expect(reply.status == 200)
            #expect(!reply.body.isEmpty && reply.json == nil)
            #expect(sandbox.gateway.snapshot().count == 1)
        }
    }

    @Test func `a truncated answer is as long as its header says and half of the JSON`() async throws {
        try await withSandbox(faults: ["truncated:create"]) { sandbox in
            let reply = await sandbox.create("t")
            #expect(reply.header("content-length") == String(reply.body.count))
            #expect(reply.body.first == UInt8(ascii: "{") && reply.json == nil)
            #expect(sandbox.gateway.snapshot().count == 1)
        }
    }

    @Test func `a short body ends before its header said`() async throws {
        try await withSandbox(faults: ["short-body:create"]) { sandbox in
            let reply = await sandbox.create("t")
            let announced = try #require(reply.header("content-length").flatMap { Int($0) })
            #expect(reply.body.count == announced / 2)
            #expect(sandbox.gateway.snapshot().count == 1)
        }
    }

    @Test func `an oversized answer goes on for 64 MiB`() async throws {
        try await withSandbox(faults: ["oversized:list"]) { sandbox in
            let reply = await sandbox.list()
            #expect(reply.status == 200)
            #expect(reply.header("content-length") == nil)
            #expect(reply.bytes.count > 64 * 1024 * 1024)
        }
    }

    @Test func `an error in 200 does nothing`() async throws {
        try await withSandbox(faults: ["error-in-200"]) { sandbox in
            let reply = await sandbox.create("t")
            #expect(reply.status == 200 && reply.message != nil)
            #expect(reply.json?["key"] == nil)
            #expect(sandbox.gateway.snapshot().isEmpty)
        }
    }

    @Test func `a create can come without id, without key, or with a masked one`() async throws {
        try await withSandbox(faults: ["missing-id#1", "missing-key#1", "masked-key#1", "missing-id:list#1"]) { sandbox in
            let noID = await sandbox.create("a").json
            #expect(noID?["id"] == nil && noID?["key"] != nil)
            let noKey = await sandbox.create("b").json
            #expect(noKey?["id"] != nil && noKey?["key"] == nil)
            #expect(await sandbox.create("c").json?["key"] == "sk-abc***xyz")
            #expect(await sandbox.column("id") == [nil, nil, nil])
            #expect(await sandbox.column("id").allSatisfy { $0 != nil })
            #expect(sandbox.gateway.snapshot().allSatisfy { $0.secret.count == 51 })
        }
    }

    @Test func `a token of late validity is refused until its time has come`() async throws {
        try await withSandbox(faults: ["late-validity=3s"]) { sandbox in
            let key = try await sandbox.token("t").key
            #expect(await sandbox.models(key).status == 401)
            sandbox.clock.advance(3)
            #expect(await sandbox.models(key).status == 200)
        }
    }

    @Test func `a lagging revocation is listed at once and felt later`() async throws {
        try await withSandbox(faults: ["lagging-revocation=3s"]) { sandbox in
            let (id, key) = try await sandbox.token("t")
            #expect(await sandbox.revoke(id).status == 200)
            #expect(await sandbox.column("status") == ["Revoked"])
            sandbox.clock.advance(2.9)
            #expect(await sandbox.chat(key).status == 200)
            sandbox.clock.advance(0.1)
            #expect(await sandbox.chat(key).status == 401)
        }
    }

    @Test func `a dead admin token leaves the tokens alone`() async throws {
        try await withSandbox { sandbox in
            let (id, key) = try await sandbox.token("t")
            sandbox.gateway.setFaults([try Fault(parsing: "dead-admin")])
            for reply in [await sandbox.create("u"), await sandbox.list(), await sandbox.revoke(id)] {
                #expect(reply.status == 401 && reply.message == "Invalid API Key")
            }
            #expect(await sandbox.models(key).status == 200)
            #expect(await sandbox.chat(key).status == 200)
        }
    }

    @Test func `a new token can lack the last model`() async throws {
        try await withSandbox(faults: ["no-models#1"], { $0.models = ["gpt-4", "claude-3-opus"] }) { sandbox in
            let poor = try await sandbox.token("poor").key
            let rich = try await sandbox.token("rich").key
            #expect(await sandbox.models(poor).json == ["data": [["id": "gpt-4"]]])
            #expect(await sandbox.models(rich).json == ["data": [["id": "gpt-4"], ["id": "claude-3-opus"]]])
        }
    }

    @Test func `twists and a damage meet in one create`() async throws {
        try await withSandbox(faults: ["no-models", "late-validity=1s", "lost-answer"]) { sandbox in
            #expect(await sandbox.create("t").bytes.isEmpty)
            let token = try #require(sandbox.gateway.snapshot().first)
            #expect(await sandbox.models(token.secret).status == 401)
            sandbox.clock.advance(1)
            #expect(await sandbox.models(token.secret).status == 200)
            #expect(token.lacksLastModel)
        }
    }
}
