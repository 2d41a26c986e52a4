import KeyturnCore
import Logging

/// Opens and closes findings, first in the journal and then in the log.
struct Teller: Sendable {
    let journal: any Journal
    let now: @Sendable () -> Moment
    let log: Logger

    /// Did any open or close?
    @discardableResult
    func tell(_ findings: [Finding], judged: @escaping @Sendable (Finding) -> Bool) throws(JournalError) -> Bool {
        let changes = try journal.reconcile(findings, judged: judged, at: now().wall)
        for finding in changes.opened {
            log.log(level: finding.severity.level, "\(finding.sentence); \(finding.help)", metadata: finding.fields)
        }
        for finding in changes.closed { log.notice("no longer so: \(finding.sentence)", metadata: finding.fields) }
        return changes != FindingChanges(opened: [], closed: [])
    }
}
