import Foundation
import KeyturnCore

/// Monday, 2 November 2026, 10:00 in UTC.
let monday = Date(timeIntervalSince1970: 1_793_613_600)

func moment(_ wall: Date = monday, boot: TimeInterval = 5000, bootID: String = "boot") -> Moment {
    Moment(wall: wall, boot: boot, bootID: bootID)
}

/// `seconds` after Monday on every clock.
func moment(after seconds: TimeInterval) -> Moment {
    moment(monday.addingTimeInterval(seconds), boot: 5000 + seconds)
}

/// ISO 8601, such as `2026-11-02T10:00:00Z`.
func date(_ text: String) -> Date {
    (try? Date(text, strategy: .iso8601)) ?? .distantPast
}

extension TargetPolicy {
    static func raw(_ file: String) -> TargetPolicy { TargetPolicy(file: file, format: .raw) }

    /// A consumer that is told and asked.
    static func told(_ file: String) -> TargetPolicy {
        TargetPolicy(file: file, format: .raw, then: .reload(unit: "webapp.service"), confirm: Command(arguments: ["/bin/true"]))
    }
}

extension TokenPolicy {
    static func sample(
        rotate: RotateRule = .every(.months(3), window: nil, jitter: .zero), overlap: Overlap = Overlap(),
        attributes: Attributes = Attributes(),
        expires: Expiry = .never, targets: [TargetPolicy] = [.told("/told"), .raw("/read")]
    ) -> TokenPolicy {
        TokenPolicy(
            environment: "prod", project: "webapp", purpose: "api", gateway: GatewayName("toy"),
            pattern: NamingPattern(prefix: "prod-webapp-api-", suffix: ""), rotate: rotate, overlap: overlap, attributes: attributes,
            expires: expires, targets: targets
        )
    }
}

extension Token {
    /// Nothing known of it yet.
    static func blank(_ policy: TokenPolicy = .sample()) -> Token {
        Token(name: policy.name, environment: policy.environment, gateway: policy.gateway)
    }

    /// One generation in use, `g1`, made at `made` and applied in every target.
    static func active(_ policy: TokenPolicy = .sample(), made: Date = monday, expiresAt: Date? = nil) -> Token {
        var token = blank(policy)
        token.serial = 1
        token.current = "g1"
        token.generations = [
            Generation(
                name: "g1", keyID: KeyID("key_1"), state: .held, intendedAt: made, createdAt: made, expiresAt: expiresAt, fingerprint: "f1",
                signature: policy.attributes.signature
            )
        ]
        token.targets = policy.targets.map { TargetState(id: $0.id, generation: "g1", deliveredAt: made, takenAt: made, appliedAt: made) }
        return token
    }

    /// `advance` for the many events of a test's beginning.
    func after(_ events: [Event], for policy: TokenPolicy? = .sample(), at now: Moment = moment()) throws -> Token {
        var token = self
        for event in events { try token.advance(event, for: policy, at: now) }
        return token
    }
}

extension Event {
    static func intended(_ name: String, foreignIDs: [KeyID] = []) -> Event {
        .intended(name: name, expiresAt: nil, signature: Attributes().signature, foreignIDs: foreignIDs)
    }

    static func minted(_ name: String) -> Event { .minted(name, KeyID("key_" + name), fingerprint: "f" + name) }
}

/// SplitMix64: the same numbers on every host, from a seed that a failing test prints.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
