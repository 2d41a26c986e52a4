import Foundation
import KeyturnCore
import KeyturnEngine

extension WorldJournal {
    func open(_ incident: LeakIncident, of token: Token, _ entries: [HistoryEntry]) throws(JournalError) {
        try save(.record, "\(token.name): leaked", token, entries, where: { _ in true }) { tables in
            var incident = incident
            incident.number = Int64(tables.incidents.count) + 1
            incident.firstEntry = Int64(tables.history.count - entries.count) + 1
            tables.incidents.append(incident)
        }
    }

    func close(_ number: Int64, of token: Token, _ entry: HistoryEntry) throws(JournalError) {
        try save(.record, "\(token.name): leak-over", token, [entry], where: { _ in true }) { tables in
            for index in tables.incidents.indices where tables.incidents[index].number == number {
                tables.incidents[index].closedAt = entry.at
            }
        }
    }

    func openIncidents() throws(JournalError) -> [LeakIncident] { try call(.readJournal) { $0.incidents.filter { $0.closedAt == nil } } }

    func incidents(of token: TokenName) throws(JournalError) -> [LeakIncident] {
        try call(.readJournal) { $0.incidents.filter { $0.token == token } }
    }

    func isLeaked(fingerprint: String) throws(JournalError) -> Bool { try call(.readJournal) { $0.isLeaked(fingerprint) } }
}
