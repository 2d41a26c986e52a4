import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "How each token stands; with TOKEN everything known of it.")

    @OptionGroup var site: SiteOptions
    @Argument(help: "One token's stable name.") var token: String?
    @Flag(help: "One JSON document.") var json = false

    func run() throws {
        let site = try site.look(.readable)
        let now = HostClock.now()
        let obstacles = try site.obstacles()
        let reports = try site.tokens(named: token).map { TokenReport(of: $0, site, obstacles, now) }
        if json { return try JSONOutput.print(reports) }
        if token != nil { return try detail(reports, site) }
        var table = Table("TOKEN", "GENERATION", "AGE", "NEXT", "STATE", "WHY")
        for report in reports {
            table.add(
                [
                    report.token, report.generation.value?.name ?? "-",
                    report.generation.value?.createdAt.value.map { Age.text(now.wall.timeIntervalSince($0)) } ?? "-",
                    report.nextRotation.value.map { $0 <= now.wall ? "now" : "in " + Age.text($0.timeIntervalSince(now.wall)) } ?? "-",
                    report.state, report.stuck.value ?? report.reason.value ?? "",
                ],
                colour: report.colour
            )
        }
        table.print()
        try printFindings(site, of: nil)
    }

    private func detail(_ reports: [TokenReport], _ site: Site) throws {
        for report in reports {
            var table = Table("", "")
            func add(_ name: String, _ value: String?) { if let value, !value.isEmpty { table.add([name, value]) } }
            add("token", report.token)
            add("environment", report.environment)
            add("state", report.state)
            add("stuck", report.stuck.value)
            if report.reason.value != report.stuck.value { add("reason", report.reason.value) }
            add("next rotation", report.nextRotation.value?.iso)
            for generation in [report.generation.value].compactMap(\.self) + report.previous {
                let kind = generation.name == report.generation.value?.name ? "generation" : "previous"
                let parts = [
                    generation.name, generation.id.value ?? "id unknown", generation.fingerprint.value.map { "fingerprint \($0)" },
                    generation.createdAt.value.map { "created \($0.iso)" }, generation.expiresAt.value.map { "expires \($0.iso)" },
                    generation.revokeAfter?.value.map { "revoked after \($0.iso)" },
                    generation.releasedAt?.value.map { "to be revoked since \($0.iso)" }, generation.state,
                ]
                add(kind, parts.compactMap(\.self).joined(separator: ", "))
            }
            for target in report.targets {
                let state = target.applied ? "applied" : target.deliveredAt.value == nil ? "not delivered" : "delivered, not applied"
                let id = TargetID(file: target.file, key: target.key.value)
                add("target", "\(id), \(state)\(target.error.value.map { ": \(id.apart($0))" } ?? "")")
            }
            for line in table.lines(width: Terminal.width).dropFirst() { Terminal.print(line) }
        }
        try printFindings(site, of: token)
        let history = try site.house.journal.history(of: token.map(TokenName.init), after: 0, limit: 12)
        guard !history.isEmpty else { return }
        Terminal.print("\nlately:")
        for entry in history { Terminal.print(entry.sentence, after: "  \(entry.at.iso)  ") }
    }

    private func printFindings(_ site: Site, of token: String?) throws {
        let findings = try site.house.journal.openFindings().filter {
            token == nil || $0.finding.token?.text == token || $0.finding.token == nil
        }
        guard !findings.isEmpty else { return }
        Terminal.print("\nfindings:")
        for open in findings {
            let colour: Colour = open.finding.severity == .error ? .red : .yellow
            Terminal.print("\(open.finding.code.rawValue): \(open.finding.sentence)", after: "  ", colour)
            Terminal.print(open.finding.help, after: "      ")
        }
    }
}
