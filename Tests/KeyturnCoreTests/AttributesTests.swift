import Foundation
import KeyturnCore
import Testing

@Suite struct AttributesTests {
    let asked = Attributes(
        billing: .payPerUse, permissions: .only(["chat", "completion"]), models: .only(["gpt-4", "claude-3-opus"]),
        allowIPs: ["203.0.113.10"],
        limits: Limits(requestsPerDay: 1000, amountPerMonth: 300)
    )

    @Test func `what is shown as it was asked for is confirmed, in any order`() {
        let shown = ShownAttributes(
            billing: "pay_per_use", permissions: ["completion", "chat"], models: ["claude-3-opus", "gpt-4"], allowIPs: ["203.0.113.10"],
            limits: Limits(requestsPerDay: 1000, amountPerMonth: 300)
        )
        #expect(asked.unconfirmed(by: shown) == [])
    }

    @Test func `silence confirms billing and permissions, and nothing else`() {
        #expect(asked.unconfirmed(by: ShownAttributes()) == ["models", "allow_ips", "limits"])
    }

    @Test func `what is shown otherwise is named in the policy's words`() {
        let shown = ShownAttributes(
            billing: "usage_based", permissions: ["chat"], models: ["gpt-4"], allowIPs: ["203.0.113.10", "0.0.0.0/0"],
            limits: Limits(requestsPerDay: 1000)
        )
        #expect(asked.unconfirmed(by: shown) == ["billing", "permissions", "models", "allow_ips", "limits"])
    }

    @Test func `who asks for no restriction finds none missing`() {
        #expect(Attributes().unconfirmed(by: ShownAttributes()) == [])
        #expect(
            Attributes().unconfirmed(
                by: ShownAttributes(permissions: ["chat"], models: ["gpt-4"], allowIPs: ["::/0"], limits: Limits(requestsPerDay: 1))) == [])
    }

    @Test func `the signature differs whenever an attribute does, and not with the order of a list`() {
        var variants = [Attributes()]
        func vary(_ change: (inout Attributes) -> Void) {
            var one = Attributes()
            change(&one)
            variants.append(one)
        }
        vary { $0.billing = .payPerUse }
        vary { $0.permissions = .readOnly }
        vary { $0.permissions = .only(["chat"]) }
        vary { $0.models = .only(["gpt-4"]) }
        vary { $0.models = .only(["gpt-4", "o1"]) }
        vary { $0.allowIPs = ["203.0.113.10"] }
        vary { $0.limits.requestsPerDay = 1 }
        vary { $0.limits.amountPerDay = 1 }
        vary { $0.limits.requestsPerMonth = 1 }
        vary { $0.limits.amountPerMonth = 1 }
        vary { $0.limits.tokensPerRequest = 1 }
        #expect(Set(variants.map(\.signature)).count == variants.count)
        #expect(Attributes(models: .only(["a", "b"])).signature == Attributes(models: .only(["b", "a"])).signature)
    }

    @Test func `a list says which keys are alive, by name and by id`() {
        let words: [(ListedKey.Status, Bool)] = [
            (.active, true), (.notUsed, true), (.other("frozen"), true), (.revoked, false), (.expired, false),
        ]
        let keys = words.enumerated().map {
            ListedKey(id: KeyID("key_\($0.offset)"), name: $0.offset < 2 ? "a" : "b", status: $0.element.0)
        }
        let listing = Listing(keys: keys + [ListedKey(id: nil, name: "c", status: .active)], gatewayTime: nil)
        #expect(keys.map(\.isAlive) == words.map(\.1))
        #expect(listing.keys(named: "a").count == 2 && listing.keys(named: "x").isEmpty)
        #expect(listing.key(KeyID("key_3"))?.status == .revoked && listing.key(KeyID("key_9")) == nil)
    }
}
