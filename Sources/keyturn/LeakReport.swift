import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

/// What a person, their manager and the gateway's support ask after a leak, from the journal alone: no secret is in it, and nothing is
/// asked of the gateway.
struct LeakReport {
    private let incident: LeakIncident
    private let token: Token
    private let past: [String: Generation]
    /// Of the token: before the incident, and since.
    private let before: [HistoryEntry]
    private let since: [HistoryEntry]
    private let remains: [String]
    private let currency: String
    private let support: String?

    /// On its newest leak.
    init(of name: TokenName, _ site: Site) throws {
        let journal = site.house.journal
        guard let incident = try journal.incidents(of: name).last, let token = try journal.token(name) else {
            throw Refusal(.failed, "nobody has said that \(name) leaked")
        }
        self.incident = incident
        self.token = token
        let entries = try journal.history(of: name, after: 0, limit: 20_000)
        before = entries.filter { $0.number < incident.firstEntry }
        since = entries.filter { entry in entry.number >= incident.firstEntry && incident.closedAt.map { entry.at <= $0 } ?? true }
        let names = Set(incident.generations.map(\.name) + since.filter { $0.code == "minted" }.compactMap(\.generation))
        past = try journal.past(of: incident.gateway, names: names).mapValues(\.generation)
        remains =
            incident.closedAt == nil
            ? incident.remains(of: token, under: site.policies[name], isWhole: site.isWhole, at: HostClock.now()) : []
        let gateway = site.configuration.settings.gateways[incident.gateway]
        currency = gateway?.currency ?? ""
        support = site.configuration.settings.support[incident.gateway] ?? gateway.flatMap { House.support[$0.kind] }
    }

    var document: ReportDocument {
        var blocks: [ReportDocument.Block] = [.table(["", ""], summary)]
        blocks += [.heading("What leaked"), .table(["generation", "id", "fingerprint", "at the request", "now"], generations)]
        blocks += [
            .heading("Where it was delivered"), deliveries.isEmpty ? .text("Nowhere, as far as the history goes back.") : .list(deliveries),
        ]
        blocks += [.heading("Use"), .table(["generation", "before", "today", "month", "last use"], readings), .list(costs)]
        blocks += [.heading("What replaces it"), .list(replacement)]
        blocks += [.heading("What remains to be done"), .tasks(remains + people)]
        if let support { blocks += [.heading("Mail to \(support), to be sent by a person"), .verbatim(mail(support))] }
        blocks += [.heading("What happened"), .table(["at", "what", ""], since.map { [$0.at.iso, $0.code, $0.sentence] })]
        return ReportDocument(title: "Leak of \(incident.token)", blocks: blocks)
    }

    private var summary: [[String]] {
        let how = incident.mode == .containFirst ? "contained first, then replaced" : "replaced first, then revoked"
        let end = incident.closedAt.map { "over since \($0.iso)" } ?? "open"
        return [
            ["token", incident.token.text], ["environment", incident.environment], ["gateway", incident.gateway.text],
            ["said to have leaked", incident.openedAt.iso + (incident.reason.map { ": \($0)" } ?? "")], ["dealt with", how],
            ["state", end],
        ]
    }

    private var generations: [[String]] {
        incident.generations.map { one in
            let now = past[one.name]
            return [
                one.name, now?.keyID?.text ?? "not known", now?.fingerprint ?? "its secret was never kept", one.state.rawValue,
                revoked(one.name).map { "seen refused at \($0.iso)" } ?? now?.state.rawValue ?? "not known",
            ]
        }
    }

    private func revoked(_ name: String) -> Date? { since.last { $0.code == "revoked" && $0.generation == name }?.at }

    private var deliveries: [String] {
        let names = Set(incident.generations.map(\.name))
        // Written again and again it is told once, with the first time.
        var told: Set<String> = []
        return (before + since).filter { entry in
            entry.code == "published" && entry.generation.map(names.contains) ?? false && told.insert(entry.sentence).inserted
        }.map { "\($0.sentence) at \($0.at.iso)" }
    }

    private var readings: [[String]] {
        incident.generations.flatMap { one in
            var rows = [row(one.name, one.before, one.readAt, "before it was revoked")]
            // Of one that was replaced first: just before its end.
            if let last = past[one.name]?.retirement, let reading = last.reading, let readAt = last.readAt, readAt >= incident.openedAt {
                rows.append(row(one.name, reading, readAt, "at its end"))
            }
            return rows
        }
    }

    private func row(_ name: String, _ reading: Reading?, _ at: Date?, _ when: String) -> [String] {
        guard let reading, let at else { return [name, "no figures were to be had", "-", "-", "-"] }
        func amount(_ amount: Decimal?) -> String { amount.map { "\($0) \(currency)" } ?? "-" }
        return [name, "\(when), \(at.iso)", amount(reading.today), amount(reading.month), reading.lastUsedAt?.iso ?? "-"]
    }

    private var costs: [String] {
        let told = incident.generations.compactMap { one -> String? in
            guard let cost = one.cost else { return nil }
            let part = cost.isPart ? " (the log shows no more than its newest calls)" : ""
            guard let risk = cost.atRisk(before: incident.openedAt) else {
                let sum: Decimal = cost.hours.reduce(0) { $0 + $1.cost }
                return "\(one.name): too few hours with calls to say what is normal; all together \(sum) \(currency)\(part)"
            }
            let since = "since \(risk.since.iso), the end of its last normal hour"
            return "\(one.name): \(risk.cost) \(currency) in \(risk.calls) calls \(since)\(part)"
        }
        return told.isEmpty ? ["The gateway showed no usage log: the counters above are all that is known of its cost."] : told
    }

    private var replacement: [String] {
        let names = Set(incident.generations.map(\.name))
        let made = since.filter { $0.code == "minted" && !($0.generation.map(names.contains) ?? true) }
        guard let last = made.last, let name = last.generation else { return ["Nothing yet."] }
        var lines = ["\(name), created at \(last.at.iso)"]
        lines += since.filter { $0.generation == name && ["published", "confirmed"].contains($0.code) }.map {
            "\($0.sentence) at \($0.at.iso)"
        }
        if let over = since.first(where: { $0.code == "accepted" && $0.generation == name && $0.sentence.contains("finished") }) {
            lines.append("in use everywhere at \(over.at.iso)")
        }
        return lines
    }

    /// What no program can do or know.
    private var people: [String] {
        [
            "find the copies: `keyturn scan PATH` names files, archives and commits that hold one of these generations",
            "take it out of git histories, chat, tickets, logs and backups where it is found: it is refused, and still tells a way in",
            "restart consumers that read their token once only and were not told",
            "go through the gateway's usage records since the last normal hour: unusual calls, models, amounts",
            "say where it leaked, and close that place before the next one lies there",
        ]
    }

    private func mail(_ address: String) -> String {
        let ids = incident.generations.map { one in
            let generation = past[one.name]
            return "  \(one.name.oneLine), id \(generation?.keyID?.text.oneLine ?? "not known")"
                + (revoked(one.name).map { ", revoked, seen refused at \($0.iso)" } ?? ", revocation under way")
        }
        var lines = [
            "To: \(address)", "Subject: Leaked API token, \(incident.openedAt.iso)", "", "Hello,", "",
            "an API token of our account leaked. We learnt of it at \(incident.openedAt.iso). These are its keys:", "",
        ]
        lines += ids
        let risks = incident.generations.compactMap { $0.cost?.atRisk(before: incident.openedAt) }
        if let since = risks.map({ $0.since }).min() {
            let sum: Decimal = risks.reduce(0) { $0 + $1.cost }
            lines += ["", "Calls in doubt, by your usage log: \(sum) \(currency) since \(since.iso)."]
        }
        lines += [
            "", "Please check for unusual calls with these tokens, freeze the balance in doubt until that is settled,",
            "and tell us what may be refunded. The tokens' values are not in this mail, and we will not send them.", "", "Thank you",
        ]
        return lines.joined(separator: "\n")
    }
}
