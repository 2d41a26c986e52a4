package import KeyturnCore

/// The journal's memory of leaks.
package protocol IncidentJournal: Sendable {
    /// Opens an incident in one transaction with what it did to its token: neither is ever there without the other.
    func open(_ incident: LeakIncident, of token: Token, _ entries: [HistoryEntry]) throws(JournalError)

    /// Closes it, with the entry that says so.
    func close(_ number: Int64, of token: Token, _ entry: HistoryEntry) throws(JournalError)

    /// Those that are not over, oldest first.
    func openIncidents() throws(JournalError) -> [LeakIncident]

    /// All of one token, oldest first.
    func incidents(of token: TokenName) throws(JournalError) -> [LeakIncident]

    /// Has a generation with this fingerprint leaked, whenever that was?
    func isLeaked(fingerprint: String) throws(JournalError) -> Bool
}
