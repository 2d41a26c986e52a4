import Foundation
import KeyturnCore
import KeyturnEngine

/// The outbox in memory, by the rules of the real one.
package struct OutboxTables: Sendable {
    private struct Key: Hashable {
        var courier: String
        var number: Int64
    }

    private struct Row: Sendable {
        var notice: Notice
        var isSettled = false
    }

    private struct Sent: Sendable {
        var dispatch: Dispatch
        var takenAt: Date?
    }

    private var enlisted: Set<String> = []
    private var states: [String: CourierState] = [:]
    private var rows: [Key: Row] = [:]
    private var sent: [String: [Sent]] = [:]
    private var numbers: [String: Int64] = [:]
    private var lastNumber: Int64 = 0

    mutating func enlist(_ couriers: [String], _ open: [OpenFinding]) {
        enlisted = Set(couriers)
        for name in couriers {
            states[name] = states[name] ?? CourierState(name: name)
            for finding in open { owe(finding.finding, to: name, at: finding.openedAt) }
        }
    }

    var couriers: [CourierState] { enlisted.sorted().compactMap { states[$0] } }

    mutating func opened(_ finding: Finding, at date: Date) {
        lastNumber += 1
        numbers[finding.key] = lastNumber
        for name in enlisted { owe(finding, to: name, at: date) }
    }

    private mutating func owe(_ finding: Finding, to courier: String, at date: Date) {
        guard finding.telling != .kept, !(finding.code == .courierFailing && finding.subject == courier) else { return }
        guard let number = numbers[finding.key], rows[Key(courier: courier, number: number)] == nil else { return }
        let before = rows.filter {
            $0.key.courier == courier && $0.value.notice.finding.key == finding.key && $0.value.notice.toldAt != nil
        }
        .max { $0.key.number < $1.key.number }?.value.notice.toldAt
        rows[Key(courier: courier, number: number)] = Row(
            notice: Notice(number: number, finding: finding, openedAt: date, toldBefore: before))
    }

    mutating func changed(_ finding: Finding) { change(finding.key) { $0.finding = finding } }
    mutating func closed(_ finding: Finding, at date: Date) { change(finding.key) { $0.closedAt = date } }

    private mutating func change(_ key: String, _ body: (inout Notice) -> Void) {
        guard let number = numbers[key] else { return }
        for name in states.keys {
            let key = Key(courier: name, number: number)
            if var row = rows[key] {
                body(&row.notice)
                rows[key] = row
            }
        }
    }

    func desk(of courier: String, takenSince date: Date) -> CourierDesk? {
        guard enlisted.contains(courier), let state = states[courier] else { return nil }
        let notices = rows.filter { $0.key.courier == courier && !$0.value.isSettled }.map(\.value.notice).sorted { $0.number < $1.number }
        let sent = sent[courier] ?? []
        return CourierDesk(
            state: state, notices: notices, underWay: sent.first { $0.takenAt == nil }?.dispatch,
            taken: sent.compactMap(\.takenAt).filter { $0 > date })
    }

    mutating func begin(_ dispatch: Dispatch, by courier: String) throws(JournalError) {
        guard !(sent[courier] ?? []).contains(where: { $0.takenAt == nil }) else {
            throw JournalError("UNIQUE failed: two messages of \(courier)")
        }
        sent[courier, default: []].append(Sent(dispatch: dispatch))
    }

    mutating func took(_ dispatch: Dispatch, _ notices: [Notice], by courier: String, at date: Date) {
        for index in (sent[courier] ?? []).indices where sent[courier]?[index].dispatch.id == dispatch.id {
            sent[courier]?[index].takenAt = date
        }
        for number in dispatch.words.keys {
            rows[Key(courier: courier, number: number)]?.isSettled = true
            rows[Key(courier: courier, number: number)]?.notice.toldAt = date
        }
        for notice in notices { rows[Key(courier: courier, number: notice.number)] = Row(notice: notice) }
        states[courier] = CourierState(name: courier)
    }

    mutating func failed(_ dispatch: Dispatch, by courier: String, _ attempts: Attempts, since: Date, isUnclear: Bool) {
        if !isUnclear { sent[courier]?.removeAll { $0.takenAt == nil } }
        states[courier] = CourierState(name: courier, attempts: attempts, failingSince: since)
    }

    mutating func urge() { for name in enlisted { states[name]?.attempts.notBefore = nil } }

    mutating func settle(_ numbers: [Int64], of courier: String) {
        for number in numbers { rows[Key(courier: courier, number: number)]?.isSettled = true }
    }

    /// Findings that are open, matter to a courier, and were never told by it.
    func untold(_ courier: String, _ least: Severity) -> [Finding] {
        rows.filter { $0.key.courier == courier && !$0.value.isSettled }.map(\.value.notice)
            .filter { $0.closedAt == nil && $0.told == 0 && ($0.finding.severity >= least || $0.finding.telling == .asked) }.map(\.finding)
    }
}
