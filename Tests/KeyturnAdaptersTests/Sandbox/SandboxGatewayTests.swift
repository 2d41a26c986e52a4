import Foundation
import Testing

@testable import KeyturnSandbox

/// The documented API, over the wire.
struct SandboxGatewayTests {
    @Test func `a created token shows its key once, is listed without it, and opens the models`() async throws {
        try await withSandbox { sandbox in
            let (id, key) = try await sandbox.token(
                "prod-webapp-api-2026-01",
                more: #","permissions":["chat"],"daily_limit":{"requests":1000}"#
            )
            #expect(id.hasPrefix("key_"))
            #expect(key.hasPrefix("sk-") && key.count == 51)
            let list = await sandbox.list()
            #expect(
                list.json == [
                    "data": [
                        [
                            "id": .string(id), "name": "prod-webapp-api-2026-01", "status": "Not Used",
                            "created_at": "2026-01-31T12:00:00Z", "last_used": .null,
                        ]
                    ]
                ]
            )
            let models = await sandbox.models(key)
            #expect(models.status == 200)
            #expect(models.json?["data"] == .array(SandboxConfiguration(adminToken: "").models.map { ["id": .string($0)] }))
            let kept = try #require(sandbox.gateway.snapshot().first)
            #expect(kept.attributes["daily_limit"]?["requests"] == 1000)
        }
    }

    @Test func `a call makes a token active, spends, and shows in usage and log`() async throws {
        try await withSandbox { sandbox in
            let key = try await sandbox.token("t").key
            #expect(await sandbox.chat(key).json?["choices"] != nil)
            sandbox.clock.advance(60)
            #expect(await sandbox.chat(key).status == 200)
            #expect(await sandbox.column("status") == ["Active"])
            #expect(await sandbox.column("last_used") == ["2026-01-31T12:01:00Z"])
            let usage = await sandbox.usage(key).json
            #expect(
                usage == ["today_usage": .number(Decimal(string: "0.0002") ?? 0), "month_usage": .number(Decimal(string: "0.0002") ?? 0)]
            )
            let log = await sandbox.call("GET", "/v1/usage/logs?start_date=2026-01-31&end_date=2026-01-31&limit=1", bearer: key)
            #expect(
                log.json == [
                    "data": [
                        [
                            "timestamp": "2026-01-31T12:01:00Z", "model": "gpt-4", "tokens": 2,
                            "cost": .number(SandboxConfiguration(adminToken: "").price),
                        ]
                    ]
                ]
            )
            let earlier = await sandbox.call("GET", "/v1/usage/logs?end_date=2026-01-30", bearer: key)
            #expect(earlier.json == ["data": []])
        }
    }

    @Test func `today ends with the day and the month with the month, in UTC, and configured figures are added`() async throws {
        try await withSandbox({ $0.usage = ["dev-*": SandboxUsage(today: 1, month: 20), "dev-a-*": SandboxUsage(today: 2, month: 30)] }) {
            sandbox in
            let key = try await sandbox.token("dev-a-1").key
            #expect(sandbox.gateway.spend(name: "dev-a-1", amount: 5))
            #expect(await sandbox.usage(key).json == ["today_usage": 7, "month_usage": 35])
            sandbox.clock.advance(12 * 3600)  // 2026-02-01 00:00
            sandbox.gateway.spend(name: "dev-a-1", amount: 1)
            #expect(await sandbox.usage(key).json == ["today_usage": 3, "month_usage": 31])
            #expect(!sandbox.gateway.spend(name: "nobody", amount: 1))
        }
    }

    @Test func `a revoked token is refused, stays listed, and a second delete takes it off the list`() async throws {
        try await withSandbox { sandbox in
            let (id, key) = try await sandbox.token("t")
            let revoked = await sandbox.revoke(id)
            #expect(revoked.status == 200 && revoked.json == [:])
            #expect(await sandbox.models(key).status == 401)
            #expect(await sandbox.models(key).message == "Invalid API Key")
            #expect(await sandbox.chat(key).status == 401)
            #expect(await sandbox.column("status") == ["Revoked"])
            #expect(await sandbox.revoke(id).status == 200)
            #expect(await sandbox.column("status") == [])
            #expect(await sandbox.revoke(id).status == 404)
            #expect(sandbox.gateway.statistics().chatRefused == 1)
        }
    }

    @Test func `an expired token is revoked by the gateway itself`() async throws {
        try await withSandbox { sandbox in
            let key = try await sandbox.token("t", more: #","expires_at":"2026-01-31T13:00:00Z""#).key
            sandbox.clock.advance(3599)
            #expect(await sandbox.models(key).status == 200)
            sandbox.clock.advance(1)
            #expect(await sandbox.models(key).status == 401)
            #expect(await sandbox.column("status") == ["Revoked"])
        }
    }

    @Test func `only the admin token creates, lists and revokes`() async throws {
        try await withSandbox { sandbox in
            let (id, key) = try await sandbox.token("t")
            for bearer in [nil, "admin-token-", key] {
                #expect(await sandbox.call("POST", "/v1/api-keys", bearer: bearer, body: #"{"name":"x"}"#).status == 401)
                #expect(await sandbox.call("GET", "/v1/api-keys", bearer: bearer).status == 401)
                #expect(await sandbox.call("DELETE", "/v1/api-keys/\(id)", bearer: bearer).status == 401)
            }
            #expect(await sandbox.models("admin-token").status == 401)
            #expect(await sandbox.column("status") == ["Not Used"])
        }
    }

    @Test func `a full account refuses a create and takes one after a revoke`() async throws {
        try await withSandbox({ $0.capacity = 2 }) { sandbox in
            let first = try await sandbox.token("a")
            _ = try await sandbox.token("b")
            #expect(await sandbox.create("c").status == 403)
            _ = await sandbox.revoke(first.id)
            #expect(await sandbox.create("c").status == 200)
            #expect(await sandbox.create("d").status == 403)
            sandbox.gateway.setCapacity(nil)
            #expect(await sandbox.create("d").status == 200)
            #expect(sandbox.gateway.statistics().creates == 6)
            #expect(sandbox.gateway.statistics().created == 4)
            #expect(sandbox.gateway.statistics().answers == [200: 5, 403: 2])
        }
    }

    @Test func `two tokens may bear one name, and never one id`() async throws {
        try await withSandbox { sandbox in
            let first = try await sandbox.token("same").id
            _ = await sandbox.revoke(first)
            _ = await sandbox.revoke(first)
            let second = try await sandbox.token("same").id
            let foreign = sandbox.gateway.addForeign(name: "same")
            #expect(Set([first, second, foreign.id]).count == 3)
            #expect(await sandbox.column("name") == ["same", "same"])
            #expect(await sandbox.models(foreign.secret).status == 200)
            #expect(sandbox.gateway.revokeInConsole(id: foreign.id))
            #expect(!sandbox.gateway.revokeInConsole(id: foreign.id))
            #expect(await sandbox.models(foreign.secret).status == 401)
        }
    }

    @Test func `a paged list gives every token once and says when it ends`() async throws {
        try await withSandbox({ $0.pageSize = 2 }) { sandbox in
            for name in ["a", "b", "c"] { _ = try await sandbox.token(name) }
            let first = await sandbox.list().json
            let second = await sandbox.list("?page=2").json
            #expect(first?["has_more"] == true && first?["page"] == 1)
            #expect(second?["has_more"] == false && second?["page"] == 2)
            guard case .array(let head) = first?["data"], case .array(let tail) = second?["data"] else {
                Issue.record("no data")
                return
            }
            #expect((head + tail).map { $0["name"] } == ["a", "b", "c"])
            #expect(await sandbox.list("?page=3").json?["data"] == [])
            #expect(await sandbox.list("?page=0").status == 400)
        }
    }

    @Test(arguments: [
        "", "[]", "{", #"{"name":""}"#, #"{"name":7}"#, #"{"name":"t","expires_at":"soon"}"#, #"{"name":"t","expires_at":5}"#,
    ])
    func `a create that makes no sense is refused and makes nothing`(body: String) async throws {
        try await withSandbox { sandbox in
            #expect(await sandbox.call("POST", "/v1/api-keys", body: body).status == 400)
            #expect(sandbox.gateway.snapshot().isEmpty)
        }
    }

    @Test func `a body above 64 KiB and an unknown path are refused in JSON`() async throws {
        try await withSandbox { sandbox in
            let long = await sandbox.create(String(repeating: "x", count: 70_000))
            #expect(long.status == 413 && long.message != nil)
            let lost = await sandbox.call("GET", "/v1/nothing")
            #expect(lost.status == 404 && lost.message != nil)
            #expect(await sandbox.call("PUT", "/v1/api-keys").status == 404)
        }
    }

    @Test func `the Date header tells the sandbox's time`() async throws {
        try await withSandbox { sandbox in
            #expect(await sandbox.list().header("date") == "Sat, 31 Jan 2026 12:00:00 GMT")
        }
    }

    @Test func `latency passes between the deed and its answer`() async throws {
        try await withSandbox({ $0.latency = .milliseconds(30) }) { sandbox in
            let clock = ContinuousClock()
            let start = clock.now
            #expect(await sandbox.create("t").status == 200)
            #expect(clock.now - start >= .milliseconds(30))
        }
    }

    @Test func `it listens on 127.0.0.1 and nowhere else`() async throws {
        try await withSandbox { sandbox in
            let reply = await SandboxWire.exchange("GET / HTTP/1.1\r\n\r\n", port: sandbox.port, host: "127.0.0.2")
            #expect(reply.ending == .refused)
        }
    }

    @Test func `it stops although a client keeps an idle connection`() async throws {
        let idle = try await withSandbox { sandbox in
            let request = RunningSandbox.request("GET", "/v1/api-keys", bearer: "admin-token", last: false)
            let idle = Task { await SandboxWire.exchange(request, port: sandbox.port) }
            while sandbox.gateway.statistics().lists == 0 { try await Task.sleep(for: .milliseconds(1)) }
            return idle
        }
        #expect(await idle.value.ending != .refused)
    }

    @Test func `a restarted sandbox knows its tokens from a private file`() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "sandbox-\(UUID()).json").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let token = try await withSandbox({ $0.stateFile = path }) { sandbox in
            let token = try await sandbox.token("t")
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            _ = await sandbox.chat(token.key)
            return token
        }
        try await withSandbox({ $0.stateFile = path }) { sandbox in
            #expect(await sandbox.models(token.key).status == 200)
            #expect(await sandbox.column("status") == ["Active"])
            #expect(await sandbox.usage(token.key).json?["today_usage"] == .number(SandboxConfiguration(adminToken: "").price))
            let next = try await sandbox.token("u").id
            #expect(next > token.id)
        }
        try Data("{".utf8).write(to: URL(filePath: path))
        var configuration = SandboxConfiguration(adminToken: "a")
        configuration.stateFile = path
        #expect(throws: StateFileError.self) { try SandboxGateway(configuration) }
    }
}
