import Foundation
import GRDB
import KeyturnCore
import KeyturnEngine

/// Values to columns and back. One place a type, both directions side by side.
typealias Columns = [String: (any DatabaseValueConvertible)?]

/// A row that does not say what its column promises: the file was changed by another hand, or is broken.
struct UnreadableRow: Error, CustomStringConvertible {
    let description: String
}

extension Row {
    /// What stands in a column. GRDB's own subscript ends the process where a value does not convert, a time that is none;
    /// a journal that another hand has changed must not end the daemon without a word.
    func value<Value: DatabaseValueConvertible>(_ column: String) throws -> Value {
        let stored: DatabaseValue = self[column]
        guard let value = Value.fromDatabaseValue(stored) else { throw UnreadableRow(description: "\(stored) in column \(column)") }
        return value
    }

    func optional<Value: DatabaseValueConvertible>(_ column: String) throws -> Value? {
        let stored: DatabaseValue = self[column]
        return stored.isNull ? nil : try value(column)
    }

    /// A word of one of our enumerations.
    func word<Word: RawRepresentable>(_ column: String) throws -> Word where Word.RawValue == String {
        let text: String = try value(column)
        guard let word = Word(rawValue: text) else { throw UnreadableRow(description: "'\(text)' in column \(column)") }
        return word
    }

    func optionalWord<Word: RawRepresentable>(_ column: String) throws -> Word? where Word.RawValue == String {
        try optional(column) as String? == nil ? nil : try word(column)
    }

    func hold(_ prefix: String) throws -> Hold? {
        guard let until: Date = try optional("\(prefix)_until") else { return nil }
        return Hold(
            until: until, rest: try value("\(prefix)_rest"), stamp: try value("\(prefix)_stamp"), bootID: try value("\(prefix)_boot")
        )
    }

    func decimal(_ column: String) throws -> Decimal? {
        guard let text: String = try optional(column) else { return nil }
        guard let number = Decimal(exactly: text) else { throw UnreadableRow(description: "'\(text)' in column \(column)") }
        return number
    }

    var attempts: Attempts {
        get throws {
            Attempts(
                failures: try value("failures"), notBefore: try optional("not_before"), lastError: try optional("last_error"),
                needsPerson: try value("needs_person")
            )
        }
    }

    var refusals: Refusals? {
        get throws {
            guard let count: Int = try optional("refused_times") else { return nil }
            return Refusals(count: count, since: try value("refused_since"))
        }
    }
}

extension Attempts {
    var columns: Columns { ["failures": failures, "not_before": notBefore, "last_error": lastError, "needs_person": needsPerson] }
}

extension Optional where Wrapped == Refusals {
    var columns: Columns { ["refused_times": self?.count, "refused_since": self?.since] }
}

extension Optional where Wrapped == Hold {
    func columns(_ prefix: String) -> Columns {
        ["\(prefix)_until": self?.until, "\(prefix)_rest": self?.rest, "\(prefix)_stamp": self?.stamp, "\(prefix)_boot": self?.bootID]
    }
}

extension Token {
    init(_ row: Row) throws {
        try self.init(
            name: TokenName(row.value("name")), environment: row.value("environment"), gateway: GatewayName(row.value("gateway")),
            serial: row.value("serial"), current: row.optional("current"), ending: row.optionalWord("ending"),
            endedAt: row.optional("ended_at"), whenRemoved: WhenRemoved(row), leftAt: row.optional("left_at"), attempts: row.attempts,
            basis: row.optional("basis")
        )
    }

    var columns: Columns {
        let columns: Columns = [
            "name": name.text, "environment": environment, "gateway": gateway.text, "serial": serial, "current": current,
            "ending": ending?.rawValue, "ended_at": endedAt, "left_at": leftAt, "basis": basis,
        ]
        return [attempts.columns, whenRemoved.columns].reduce(columns) { $0.merging($1) { first, _ in first } }
    }
}

extension WhenRemoved {
    init(_ row: Row) throws {
        guard let months: Int = try row.optional("removed_months") else {
            self = try row.optional("removed_milliseconds") as Int64? == nil ? .keep : .undecided
            return
        }
        self = .revoke(after: TimeSpan(months: months, milliseconds: try row.value("removed_milliseconds")))
    }

    var columns: Columns {
        switch self {
        case .keep: ["removed_months": Int?.none, "removed_milliseconds": Int64?.none]
        // Half a span: it had one, and nothing ends by it any more. An older keyturn reads it as kept.
        case .undecided: ["removed_months": Int?.none, "removed_milliseconds": Int64(0)]
        case .revoke(let span): ["removed_months": span.months, "removed_milliseconds": span.milliseconds]
        }
    }
}

extension Generation {
    init(_ row: Row) throws {
        let foreignIDs: String = try row.value("foreign_ids")
        let ids = try JSONDecoder().decode([String].self, from: Data(foreignIDs.utf8))
        try self.init(
            name: row.value("name"), keyID: (row.optional("key_id") as String?).map(KeyID.init), identity: row.optionalWord("identity"),
            state: row.word("state"),
            intendedAt: row.value("intended_at"), createdAt: row.optional("created_at"), expiresAt: row.optional("expires_at"),
            seenAt: row.optional("seen_at"), acceptedAt: row.optional("accepted_at"), fingerprint: row.optional("fingerprint"),
            signature: row.value("signature"),
            foreignIDs: ids.map(KeyID.init), retirement: Retirement(row), refusals: row.refusals,
            leakedAt: row.optional("leaked_at"), releasedAt: row.optional("released_at"),
            revokeAnsweredAt: row.optional("revoke_answered_at"),
            attempts: row.attempts
        )
    }

    func columns(of token: Token) throws -> Columns {
        let columns: Columns = [
            "gateway": token.gateway.text, "name": name, "token": token.name.text, "key_id": keyID?.text, "identity": identity?.rawValue,
            "state": state.rawValue,
            "intended_at": intendedAt, "created_at": createdAt, "expires_at": expiresAt, "fingerprint": fingerprint, "signature": signature,
            "foreign_ids": String(decoding: try JSONEncoder().encode(foreignIDs.map(\.text)), as: UTF8.self),
            "seen_at": seenAt, "accepted_at": acceptedAt, "leaked_at": leakedAt, "released_at": releasedAt,
            "revoke_answered_at": revokeAnsweredAt,
        ]
        return [attempts.columns, refusals.columns, retirement.columns].reduce(columns) { $0.merging($1) { first, _ in first } }
    }
}

extension Retirement {
    /// Nil for a generation that was never retired.
    init?(_ row: Row) throws {
        guard let since: Date = try row.optional("retired_at"), let overlap = try row.hold("overlap") else { return nil }
        let reading = try Reading(
            today: row.decimal("read_today"), month: row.decimal("read_month"), lastUsedAt: row.optional("read_last_used_at")
        )
        try self.init(
            since: since, overlap: overlap,
            quietFor: TimeSpan(months: row.value("quiet_months"), milliseconds: row.value("quiet_milliseconds")),
            quiet: row.hold("quiet"), askAt: row.value("ask_at"), reading: reading.saysNothing ? nil : reading,
            readAt: row.optional("read_at")
        )
    }
}

extension Optional where Wrapped == Retirement {
    var columns: Columns {
        let columns: Columns = [
            "retired_at": self?.since, "quiet_months": self?.quietFor.months, "quiet_milliseconds": self?.quietFor.milliseconds,
            "ask_at": self?.askAt, "read_today": self?.reading?.today.map { "\($0)" }, "read_month": self?.reading?.month.map { "\($0)" },
            "read_last_used_at": self?.reading?.lastUsedAt, "read_at": self?.readAt,
        ]
        return [(self?.overlap).columns("overlap"), (self?.quiet).columns("quiet")].reduce(columns) { $0.merging($1) { first, _ in first } }
    }
}

extension Rotation {
    init(_ row: Row) throws {
        try self.init(
            id: row.value("id"), cause: row.word("cause"), reason: row.optional("reason"), startedAt: row.value("started_at"),
            endedAt: row.optional("ended_at"),
            phase: row.word("phase"), generation: row.optional("generation"), attempts: row.attempts, refusals: row.refusals,
            restores: row.optional("restores")
        )
    }

    func columns(of token: Token) -> Columns {
        let columns: Columns = [
            "id": id, "token": token.name.text, "cause": cause.rawValue, "reason": reason, "started_at": startedAt, "ended_at": endedAt,
            "phase": phase.rawValue, "generation": generation, "restores": restores,
        ]
        return [attempts.columns, refusals.columns].reduce(columns) { $0.merging($1) { first, _ in first } }
    }
}

extension TargetState {
    init(_ row: Row) throws {
        let key: String = try row.value("key")
        try self.init(
            id: TargetID(file: row.value("file"), key: key.isEmpty ? nil : key), generation: row.optional("generation"),
            deliveredAt: row.optional("delivered_at"),
            takenAt: row.optional("taken_at"), appliedAt: row.optional("applied_at"), leftAt: row.optional("left_at"),
            attempts: row.attempts
        )
    }

    func columns(of token: Token) -> Columns {
        let columns: Columns = [
            "token": token.name.text, "file": id.file, "key": id.key ?? "", "generation": generation, "delivered_at": deliveredAt,
            "taken_at": takenAt, "applied_at": appliedAt, "left_at": leftAt,
        ]
        return columns.merging(attempts.columns) { first, _ in first }
    }
}

extension HistoryEntry {
    init(_ row: Row) throws {
        try self.init(
            number: row.value("number"), at: row.value("at"), token: TokenName(row.value("token")), environment: row.value("environment"),
            rotation: row.optional("rotation"),
            generation: row.optional("generation"), code: row.value("code"), sentence: row.value("sentence")
        )
    }

    var columns: Columns {
        [
            "at": at, "token": token.text, "environment": environment, "rotation": rotation, "generation": generation, "code": code,
            "sentence": sentence,
        ]
    }
}

extension Request {
    init(_ row: Row) throws {
        try self.init(
            number: row.value("number"), verb: row.word("verb"), token: TokenName(row.value("token")), reason: row.optional("reason"),
            file: row.optional("file"),
            generation: row.optional("generation"), mode: row.optionalWord("mode"), filedAt: row.value("filed_at"),
            answeredAt: row.optional("answered_at"),
            refusal: row.optional("refusal"), rotation: row.optional("rotation")
        )
    }

    var columns: Columns {
        [
            "verb": verb.rawValue, "token": token.text, "reason": reason, "file": file, "generation": generation, "mode": mode?.rawValue,
            "filed_at": filedAt,
            "answered_at": answeredAt, "refusal": refusal, "rotation": rotation,
        ]
    }
}

extension Finding {
    /// Nil for a code of a newer version.
    init?(_ row: Row) throws {
        guard let code = Code(rawValue: try row.value("code")), let severity = Severity(rawValue: try row.value("severity")) else {
            return nil
        }
        try self.init(
            code: code, severity: severity, token: (row.optional("token") as String?).map(TokenName.init),
            environment: row.optional("environment"),
            subject: row.value("subject"), sentence: row.value("sentence"), help: row.value("help"), telling: row.word("telling")
        )
    }

    var columns: Columns {
        [
            "key": key, "code": code.rawValue, "severity": severity.rawValue, "token": token?.text, "environment": environment,
            "subject": subject,
            "sentence": sentence, "help": help, "telling": telling.rawValue,
        ]
    }
}
