import Foundation
import KeyturnCore

/// Leaks, from the request to the end of the incident.
extension Keeper {
    /// `leak TOKEN`. Whatever holds a revocation by schedule back (a clock that is off, many tokens dead at once, an overlap) is a
    /// guard against a decision that Keyturn takes by itself; here a person has taken it. What stays are the guards against
    /// the wrong key: a revocation still goes by an id that the gateway lists under our own name.
    func leak(_ token: inout Token, _ policy: TokenPolicy?, _ request: inout Request, _ desk: Desk?, _ recorder: Recorder) async throws {
        let events = token.events(onLeak: request.mode ?? .containFirst, reason: request.reason, under: policy, at: ports.now())
        guard let first = events.first else {
            request.refusal = "no generation of \(token.name) exists that could have leaked"
            return
        }
        guard case .leaked(let mode, _) = first else { return try recorder.record(events, of: &token, under: policy) }
        let blank = token.generations.filter { $0.state != .unmade && $0.state != .revoked }
            .map { LeakIncident.Generation(name: $0.name, state: $0.state) }
        let generations =
            if let desk { await LeakReadings(ports: ports, gateway: desk.gateway, token: token).generations(withLog: true) } else { blank }
        let incident = LeakIncident(
            token: token.name, environment: token.environment, gateway: token.gateway, mode: mode, reason: request.reason,
            openedAt: ports.now().wall, generations: generations)
        try recorder.open(incident, events, of: &token, under: policy)
    }

    /// Closes incidents of which nothing remains, and tells of the others.
    func followIncidents(_ tokens: [Token], _ recorder: Recorder) throws -> [Finding] {
        let incidents = try ports.journal.openIncidents()
        if incidents.isEmpty { return [] }
        let byName = Dictionary(tokens.map { ($0.name, $0) }) { first, _ in first }
        var findings: [Finding] = []
        for incident in incidents {
            guard let token = byName[incident.token] else { continue }
            let now = ports.now()
            let remains = incident.remains(of: token, under: policies[token.name], isWhole: isWhole, at: now)
            guard remains.isEmpty else {
                findings.append(Watcher.finding(about: incident, remains))
                continue
            }
            let replaced = token.ending == nil && token.current != nil ? ", and \(token.current ?? "") replaces it" : ""
            try recorder.close(incident, of: token, "the leak is over: nothing that leaked is accepted any more\(replaced)")
        }
        return findings
    }
}

extension Watcher {
    static func finding(about incident: LeakIncident, _ remains: [String]) -> Finding {
        let shown = remains.prefix(6).joined(separator: "; ") + (remains.count > 6 ? "; and \(remains.count - 6) more" : "")
        return Finding(
            code: .leakOpen, severity: .error, token: incident.token, environment: incident.environment, subject: "\(incident.number)",
            sentence: "\(incident.token) leaked at \(incident.openedAt.formatted(.iso8601)), which is not over: \(shown)",
            help: "`keyturn leak \(incident.token) --report` says what remains to be done, by whom"
        )
    }
}
