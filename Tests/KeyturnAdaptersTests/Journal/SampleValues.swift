import Foundation
import GRDB
import KeyturnCore
import KeyturnEngine

/// Values of every type that the journal keeps, drawn from one seed. Times have milliseconds, as the journal keeps them.
struct SampleValues {
    private var random: Seeded

    init(seed: UInt64) { random = Seeded(state: seed) }

    static let gateway = GatewayName("laozhang")

    mutating func chance(_ percent: Int = 50) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
    mutating func one<Value>(of values: [Value]) -> Value { values.randomElement(using: &random)! }
    mutating func maybe<Value>(_ make: (inout SampleValues) -> Value) -> Value? { chance() ? make(&self) : nil }

    /// Milliseconds since 1970, up to 2100.
    mutating func milliseconds() -> Int { number(0...4_102_444_800_000) }

    /// With the last bit of the number as reading the text gives it: that such a time differs from the one written by less
    /// than a microsecond is a test of its own.
    mutating func date() -> Date {
        let date = Date(timeIntervalSince1970: Double(milliseconds()) / 1000)
        return Date.fromDatabaseValue(date.databaseValue) ?? date
    }

    mutating func seconds() -> TimeInterval { Double.random(in: 0...1e7, using: &random) }

    /// Also what would hurt a careless writer: quotes, control characters, other scripts, marks that combine.
    mutating func text() -> String {
        let signs = Array("abcXYZ019-_.' \"\\;:%,(){}[]?*\n\t\u{1B}\u{202E}é\u{301}ж漢🔑".unicodeScalars)
        var text = String.UnicodeScalarView()
        for _ in 0..<number(1...40) { text.append(one(of: signs)) }
        return String(text)
    }

    mutating func amount() -> Decimal {
        Decimal(sign: .plus, exponent: -number(0...12), significand: Decimal(number(0...1_000_000_000_000)))
    }

    mutating func attempts() -> Attempts {
        Attempts(failures: number(0...99), notBefore: maybe { $0.date() }, lastError: maybe { $0.text() }, needsPerson: chance())
    }

    mutating func refusals() -> Refusals { Refusals(count: number(1...9), since: date()) }

    mutating func hold() -> Hold { Hold(until: date(), rest: seconds(), stamp: seconds(), bootID: text()) }

    mutating func retirement() -> Retirement {
        var reading: Reading?
        // One that says nothing is as good as none.
        if chance() { reading = Reading(today: amount(), month: maybe { $0.amount() }, lastUsedAt: maybe { $0.date() }) }
        return Retirement(
            since: date(), overlap: hold(), quietFor: TimeSpan(months: number(0...12), milliseconds: Int64(number(0...86_400_000))),
            quiet: maybe { $0.hold() }, askAt: date(), reading: reading, readAt: maybe { $0.date() }
        )
    }

    mutating func generation(_ name: String, _ state: Generation.State) -> Generation {
        Generation(
            name: name, keyID: maybe { KeyID($0.text()) }, identity: maybe { $0.one(of: Generation.Identity.allCases) }, state: state,
            intendedAt: date(), createdAt: maybe { $0.date() },
            expiresAt: maybe { $0.date() },
            seenAt: maybe { $0.date() },
            fingerprint: maybe { sample in String((0..<12).map { _ in sample.one(of: Array("0123456789abcdef")) }) },
            signature: text(), foreignIDs: (0..<number(0...3)).map { _ in KeyID(text()) },
            retirement: state == .retiring || chance(20) ? retirement() : nil, refusals: maybe { $0.refusals() },
            leakedAt: maybe { $0.date() }, releasedAt: maybe { $0.date() }, revokeAnsweredAt: maybe { $0.date() }, attempts: attempts()
        )
    }

    mutating func rotation(_ id: String, _ phase: Rotation.Phase) -> Rotation {
        let isOver = phase == .finished || phase == .abandoned
        return Rotation(
            id: id, cause: one(of: Rotation.Cause.allCases), reason: maybe { $0.text() }, startedAt: date(), endedAt: isOver ? date() : nil,
            phase: phase, generation: maybe { $0.text() }, attempts: attempts(), refusals: maybe { $0.refusals() },
            restores: maybe { $0.chance() }
        )
    }

    mutating func target(_ file: String, key: String?) -> TargetState {
        TargetState(
            id: TargetID(file: file, key: key), generation: maybe { $0.text() }, deliveredAt: maybe { $0.date() },
            takenAt: maybe { $0.date() },
            appliedAt: maybe { $0.date() }, attempts: attempts()
        )
    }

    /// A token with a generation in every state but the last, in the order in which the journal tells them.
    mutating func token(_ name: String) -> Token {
        let states = Generation.State.allCases.filter { $0 != .revoked }
        let generations = states.map { generation("\(name)-\($0.rawValue)", $0) }
        let phases = Rotation.Phase.allCases.filter { $0 != .finished && $0 != .abandoned }
        let isEnding = chance()
        return Token(
            name: TokenName(name), environment: text(), gateway: SampleValues.gateway, serial: number(0...500),
            current: maybe { $0.text() },
            ending: isEnding ? one(of: [.requested, .expired, .leftPolicies]) : nil, endedAt: isEnding ? date() : nil,
            whenRemoved: one(of: [
                .keep, .undecided, .revoke(after: TimeSpan(months: number(0...12), milliseconds: Int64(number(0...86_400_000)))),
            ]),
            leftAt: maybe { $0.date() },
            generations: generations.sorted { ($0.intendedAt, $0.name) < ($1.intendedAt, $1.name) },
            rotation: maybe { sample in sample.rotation("\(name)#7", sample.one(of: phases)) },
            targets: [target("/a", key: nil), target("/a", key: "KEY"), target("/b \(text())", key: "/a/b")], attempts: attempts(),
            basis: maybe { $0.text() }
        )
    }

    mutating func request(_ verb: Request.Verb) -> Request {
        Request(
            verb: verb, token: TokenName(text()), reason: maybe { $0.text() }, file: maybe { $0.text() }, generation: maybe { $0.text() },
            mode: verb == .leak ? one(of: LeakMode.allCases) : nil, filedAt: date()
        )
    }

    mutating func entry() -> HistoryEntry {
        HistoryEntry(
            at: date(), token: TokenName(text()), environment: text(), rotation: maybe { $0.text() }, generation: maybe { $0.text() },
            code: text(),
            sentence: text()
        )
    }

    mutating func finding(_ code: Finding.Code) -> Finding {
        Finding(
            code: code, severity: one(of: Severity.allCases), token: maybe { TokenName($0.text()) }, environment: maybe { $0.text() },
            subject: text(), sentence: text(), help: text()
        )
    }
}
