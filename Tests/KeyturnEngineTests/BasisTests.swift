import Foundation
import KeyturnCore
import KeyturnTestKit
import Testing

@testable import KeyturnEngine

struct BasisTests {
    /// The digests of all tokens lie in journals. One of another form would have every host take up at once all that waits because
    /// it failed: where that has to be, these digests change with it.
    @Test func `a digest stays the same from version to version, until somebody means to change it`() {
        let plain = TokenPolicy.sampleOfEverything()
        #expect(digest(plain) == "fffdfa8543dbc623")
        #expect(digest(nil) == "bc5087d052099147")
    }

    @Test func `a digest differs with the policy and with the gateway's settings`() {
        let plain = TokenPolicy.sampleOfEverything()
        var other = plain
        other.targets[0].mode = 0o600
        #expect(digest(other) != digest(plain))
        #expect(digest(plain, capacity: 51) != digest(plain))
    }

    private func digest(_ policy: TokenPolicy?, capacity: Int = 50) -> String {
        let name = GatewayName("laozhang")
        let gateway = GatewaySettings(
            kind: "laozhang", url: "https://api.example.com", adminToken: .credential("laozhang-admin"), capacity: capacity)
        let token = Token(name: TokenName("prod-webapp-api"), environment: "prod", gateway: name)
        return Basis([policy].compactMap { $0 }, [name: gateway]).digest(of: token, under: policy)
    }
}

extension TokenPolicy {
    /// Something of every kind that a policy can say.
    fileprivate static func sampleOfEverything() -> TokenPolicy {
        let window = Window(days: [2, 3], opens: 540, closes: 960, zone: .gmt)
        let command = Command(arguments: ["/usr/bin/worker-ctl", "reload"])
        var policy = TokenPolicy.sample()
        policy.rotate = .every(.days(90), window: window, jitter: .days(1))
        policy.attributes = Attributes(
            billing: .payPerUse, permissions: .only(["chat"]), models: .only(["gpt-4"]), allowIPs: ["203.0.113.10"],
            limits: Limits(requestsPerDay: 1000, amountPerMonth: 300))
        policy.expires = .on(Date(timeIntervalSince1970: 1_900_000_000))
        policy.whenRemoved = .revoke(after: .days(7))
        policy.targets = [
            TargetPolicy(file: "/etc/webapp/token", format: .raw, group: "webapp", mode: 0o640, then: .run(command), confirm: command),
            TargetPolicy(file: "/etc/webapp/env", format: .dotenv(key: "KEY"), then: .signal(1, pidFile: "/run/webapp.pid")),
        ]
        return policy
    }
}
