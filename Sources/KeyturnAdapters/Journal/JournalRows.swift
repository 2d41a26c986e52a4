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
    /// A word of one of our enumerations.
    func word<Word: RawRepresentable>(_ column: String) throws -> Word where Word.RawValue == String {
        let text: String = self[column]
        guard let word = Word(rawValue: text) else { throw UnreadableRow(description: "'\(text)' in column \(column)") }
        return word
    }

    func optionalWord<Word: RawRepresentable>(_ column: String) throws -> Word? where Word.RawValue == String {
        self[column] as String? == nil ? nil : try word(column)
    }

    func hold(_ prefix: String) -> Hold? {
        guard let until: Date = self["\(prefix)_until"], let boot: String = self["\(prefix)_boot"] else { return nil }
        return Hold(until: until, rest: self["\(prefix)_rest"], stamp: self["\(prefix)_stamp"], bootID: boot)
    }

    func decimal(_ column: String) -> Decimal? {
        (self[column] as String?).flatMap { Decimal(string: $0, locale: Locale(identifier: "en_US_POSIX")) }
    }

    var attempts: Attempts {
        Attempts(failures: self["failures"], notBefore: self["not_before"], lastError: self["last_error"], needsPerson: self["needs_person"])
    }

    var refusals: Refusals? {
        guard let count: Int = self["refused_times"], let since: Date = self["refused_since"] else { return nil }
        return Refusals(count: count, since: since)
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
        self.init(
            name: TokenName(row["name"]), environment: row["environment"], gateway: GatewayName(row["gateway"]), serial: row["serial"],
            current: row["current"], ending: try row.optionalWord("ending"), endedAt: row["ended_at"], attempts: row.attempts
        )
    }

    var columns: Columns {
        let columns: Columns = [
            "name": name.text, "environment": environment, "gateway": gateway.text, "serial": serial, "current": current,
            "ending": ending?.rawValue, "ended_at": endedAt,
        ]
        return columns.merging(attempts.columns) { first, _ in first }
    }
}

extension Generation {
    init(_ row: Row) throws {
        let ids = try JSONDecoder().decode([String].self, from: Data((row["foreign_ids"] as String).utf8))
        self.init(
            name: row["name"], keyID: (row["key_id"] as String?).map(KeyID.init), state: try row.word("state"), intendedAt: row["intended_at"],
            createdAt: row["created_at"], expiresAt: row["expires_at"], fingerprint: row["fingerprint"], signature: row["signature"],
            foreignIDs: ids.map(KeyID.init), retirement: Retirement(row), refusals: row.refusals, revokeAnsweredAt: row["revoke_answered_at"],
            attempts: row.attempts
        )
    }

    func columns(of token: Token) throws -> Columns {
        let columns: Columns = [
            "gateway": token.gateway.text, "name": name, "token": token.name.text, "key_id": keyID?.text, "state": state.rawValue,
            "intended_at": intendedAt, "created_at": createdAt, "expires_at": expiresAt, "fingerprint": fingerprint, "signature": signature,
            "foreign_ids": String(decoding: try JSONEncoder().encode(foreignIDs.map(\.text)), as: UTF8.self), "revoke_answered_at": revokeAnsweredAt,
        ]
        return [attempts.columns, refusals.columns, retirement.columns].reduce(columns) { $0.merging($1) { first, _ in first } }
    }
}

extension Retirement {
    init?(_ row: Row) {
        guard let since: Date = row["retired_at"], let overlap = row.hold("overlap"), let askAt: Date = row["ask_at"] else { return nil }
        let reading = Reading(today: row.decimal("read_today"), month: row.decimal("read_month"), lastUsedAt: row["read_last_used_at"])
        self.init(
            since: since, overlap: overlap, quietFor: TimeSpan(months: row["quiet_months"], milliseconds: row["quiet_milliseconds"]),
            quiet: row.hold("quiet"), askAt: askAt, reading: reading.saysNothing ? nil : reading, readAt: row["read_at"]
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
        self.init(
            id: row["id"], cause: try row.word("cause"), reason: row["reason"], startedAt: row["started_at"], endedAt: row["ended_at"],
            phase: try row.word("phase"), generation: row["generation"], attempts: row.attempts, refusals: row.refusals, restores: row["restores"]
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
    init(_ row: Row) {
        let key: String = row["key"]
        self.init(
            id: TargetID(file: row["file"], key: key.isEmpty ? nil : key), generation: row["generation"], deliveredAt: row["delivered_at"],
            takenAt: row["taken_at"], appliedAt: row["applied_at"], attempts: row.attempts
        )
    }

    func columns(of token: Token) -> Columns {
        let columns: Columns = [
            "token": token.name.text, "file": id.file, "key": id.key ?? "", "generation": generation, "delivered_at": deliveredAt,
            "taken_at": takenAt, "applied_at": appliedAt,
        ]
        return columns.merging(attempts.columns) { first, _ in first }
    }
}

extension HistoryEntry {
    init(_ row: Row) {
        self.init(
            number: row["number"], at: row["at"], token: TokenName(row["token"]), environment: row["environment"], rotation: row["rotation"],
            generation: row["generation"], code: row["code"], sentence: row["sentence"]
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
        self.init(
            number: row["number"], verb: try row.word("verb"), token: TokenName(row["token"]), reason: row["reason"], file: row["file"],
            generation: row["generation"], filedAt: row["filed_at"], answeredAt: row["answered_at"], refusal: row["refusal"], rotation: row["rotation"]
        )
    }

    var columns: Columns {
        [
            "verb": verb.rawValue, "token": token.text, "reason": reason, "file": file, "generation": generation, "filed_at": filedAt,
            "answered_at": answeredAt, "refusal": refusal, "rotation": rotation,
        ]
    }
}

extension Finding {
    /// Nil for a code of a newer version.
    init?(_ row: Row) {
        guard let code = Code(rawValue: row["code"]), let severity = Severity(rawValue: row["severity"]) else { return nil }
        self.init(
            code: code, severity: severity, token: (row["token"] as String?).map(TokenName.init), environment: row["environment"],
            subject: row["subject"], sentence: row["sentence"], help: row["help"]
        )
    }

    var columns: Columns {
        [
            "key": key, "code": code.rawValue, "severity": severity.rawValue, "token": token?.text, "environment": environment, "subject": subject,
            "sentence": sentence, "help": help,
        ]
    }
}
