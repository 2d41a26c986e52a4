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

    @Test func `a limit that is not among those shown is not confirmed`() {
        let shown = ShownAttributes(models: ["gpt-4"], allowIPs: ["::1"], limits: Limits(requestsPerDay: 1000))
        #expect(asked.unconfirmed(by: shown) == ["limits"])
    }

    @Test func `who asks for no restriction finds none missing`() { #expect(Attributes().unconfirmed(by: ShownAttributes()) == []) }

    // MARK: Shown otherwise

    /// The names of what differs.
    private func differences(_ asked: Attributes, _ shown: ShownAttributes) -> [String] {
        asked.differences(from: shown).map(\.attribute)
    }

    @Test func `what is shown otherwise is named in the policy's words, with both values`() {
        let shown = ShownAttributes(
            billing: "usage_based", permissions: ["chat"], models: ["gpt-4"], allowIPs: ["203.0.113.10", "0.0.0.0/0"],
            limits: Limits(requestsPerDay: 2000, amountPerMonth: 300)
        )
        #expect(
            asked.differences(from: shown).map { "\($0.attribute): \($0.shown), not \($0.asked)" } == [
                "billing: usage_based, not pay_per_use", "permissions: chat, not chat, completion",
                "models: gpt-4, not claude-3-opus, gpt-4",
                "allow_ips: 0.0.0.0/0, 203.0.113.10, not 203.0.113.10", "limits: day.requests=2000, not day.requests=1000",
            ])
        #expect(asked.unconfirmed(by: shown) == [])
    }

    @Test func `a restriction that nobody asked for is shown otherwise, and so is one that was taken away`() {
        let narrow: [(String, ShownAttributes)] = [
            ("permissions", ShownAttributes(permissions: ["read_only"], allPermissions: ["chat", "completion"])),
            ("permissions", ShownAttributes(permissions: ["chat"], allPermissions: ["chat", "completion"])),
            ("models", ShownAttributes(models: ["gpt-4"])), ("allow_ips", ShownAttributes(allowIPs: ["203.0.113.10"])),
            ("limits", ShownAttributes(limits: Limits(requestsPerDay: 1))),
        ]
        for (name, shown) in narrow { #expect(differences(Attributes(), shown) == [name]) }
        let wide: [(String, ShownAttributes)] = [
            ("permissions", ShownAttributes(permissions: ["full"])), ("models", ShownAttributes(models: [])),
            ("allow_ips", ShownAttributes(allowIPs: [])), ("allow_ips", ShownAttributes(allowIPs: ["203.0.113.10", "::/0"])),
            ("limits", ShownAttributes(limits: Limits(requestsPerDay: 0))),
        ]
        for (name, shown) in wide { #expect(differences(asked, shown) == [name]) }
        for words in [["full"], ["chat", "completion"], ["read_only", "chat"], []] {
            #expect(differences(Attributes(permissions: .readOnly), ShownAttributes(permissions: words)) == ["permissions"])
        }
    }

    @Test func `silence is no difference, nor are other ways to say the same`() {
        #expect(differences(asked, ShownAttributes()) == [])
        #expect(
            differences(
                asked,
                ShownAttributes(
                    billing: "Pay_Per_Use", permissions: ["Completion", "chat", "chat"], models: ["GPT-4", "claude-3-opus"],
                    allowIPs: ["203.0.113.10/32"], limits: Limits(requestsPerDay: 1000, amountPerMonth: 300, tokensPerRequest: -1)
                )) == [])
        let all = ["chat", "completion"]
        for (permissions, models, addresses) in [
            ([String](), [String](), [String]()), (["full"], ["all"], ["0.0.0.0/0", "::/0"]), (all, ["*"], ["*"]),
        ] {
            #expect(
                differences(
                    Attributes(),
                    ShownAttributes(
                        permissions: permissions, allPermissions: all, models: models, allowIPs: addresses,
                        limits: Limits(requestsPerDay: 0))
                ) == [])
        }
        #expect(differences(Attributes(permissions: .readOnly), ShownAttributes(permissions: ["READ_ONLY"])) == [])
        let ranges = Attributes(allowIPs: ["2001:db8::/32", "198.51.100.0/24", "::1"])
        let written = ["198.51.100.7/24", "0:0:0:0:0:0:0:1/128", "2001:DB8:0::/32"]
        #expect(differences(ranges, ShownAttributes(allowIPs: written)) == [])
        #expect(differences(ranges, ShownAttributes(allowIPs: ["198.51.100.0/25", "::1", "2001:db8::/32"])) == ["allow_ips"])
        #expect(differences(ranges, ShownAttributes(allowIPs: ["198.51.100.0/24/1", "::1/129", "x"])) == ["allow_ips"])
    }

    @Test func `what a gateway shows is told in few words that steer no terminal and give no secret away`() throws {
        let hostile = ["\u{1b}[2J\u{202e}\n", "a sk-secret-of-ours", "of " + String(repeating: "k3", count: 20)]
        let long = [String(repeating: "e\u{301}", count: 1_000_000), String(repeating: "a b", count: 1000)]
        for words in [hostile, long, (0..<5000).map { "model-\($0)" }] {
            let difference = try #require(asked.differences(from: ShownAttributes(models: words)).first)
            #expect(difference.shown.unicodeScalars.count < 250)
            #expect(difference.shown.unicodeScalars.allSatisfy { (" "..."~").contains($0) || $0 == "…" }, "\(difference.shown)")
            #expect(!difference.shown.contains("secret") && !difference.shown.contains("k3k3"))
        }
        // What was asked for is no secret, however long its name.
        let name = "claude-3-5-sonnet-20241022-thinking"
        let wider = Attributes(models: .only([name])).differences(from: ShownAttributes(models: [name, "o1"]))
        #expect(wider.map(\.shown) == ["\(name), o1"])
    }

    // MARK: Name and expiry

    private func differences(_ generation: Generation, _ key: ListedKey) -> [String] {
        generation.differences(from: key, asked: Attributes()).map { "\($0.attribute): \($0.shown), not \($0.asked)" }
    }

    @Test func `an expiry that is shown otherwise is a difference, beyond its zone and its rounding`() {
        func shown(_ expiresAt: Date?, doubt: TimeInterval = 0) -> ListedKey {
            ListedKey(id: KeyID("key_1"), name: "g1", status: .active, expiresAt: expiresAt, doubt: doubt)
        }
        func made(_ expiresAt: Date?) -> Generation {
            Generation(name: "g1", keyID: KeyID("key_1"), state: .held, intendedAt: monday, expiresAt: expiresAt, signature: "")
        }
        let end = monday.addingTimeInterval(90 * 86400)
        for same in [0, 0.5, 299, -86399] { #expect(differences(made(end), shown(end.addingTimeInterval(same))) == []) }
        #expect(differences(made(end), shown(nil)) == [], "silence confirms it")
        #expect(
            differences(made(end), shown(end.addingTimeInterval(7 * 86400))) == ["expires: 2027-02-07T10:00:00Z, not 2027-01-31T10:00:00Z"])
        #expect(differences(made(end), shown(.distantFuture)) == ["expires: never, not 2027-01-31T10:00:00Z"])
        #expect(differences(made(nil), shown(end)) == ["expires: 2027-01-31T10:00:00Z, not never"])
        for never in [Date.distantFuture, Date(timeIntervalSince1970: -1), .distantPast] {
            #expect(differences(made(nil), shown(never)) == [])
        }
        // What lives for two hours is not to live for twelve, unless only its zone is unknown.
        let soon = monday.addingTimeInterval(7200)
        let late = soon.addingTimeInterval(36000)
        #expect(differences(made(soon), shown(late)).count == 1)
        #expect(differences(made(soon), shown(late, doubt: ListedKey.zoneless)) == [])
    }

    @Test func `another name is a difference`() {
        let generation = Generation(name: "g1", keyID: KeyID("key_1"), state: .held, intendedAt: monday, signature: "")
        let key = ListedKey(id: KeyID("key_1"), name: "not in\u{7} use", status: .active)
        #expect(differences(generation, key) == ["name: not in? use, not g1"])
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
