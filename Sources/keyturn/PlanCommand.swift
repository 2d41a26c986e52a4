import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "What is due, what waits and why, and the calendar ahead; changes nothing."
    )

    @OptionGroup var site: SiteOptions
    @Option(help: ArgumentHelp("How far to look ahead: 2027-06-30, or a time span such as 90d (default: a year).", valueName: "date"))
    var until: String?
    @Flag(help: "One JSON document.") var json = false

    func run() throws {
        let now = HostClock.now()
        let end = try self.end(now.wall)
        let site = try site.look()
        let tokens = try site.tokens()
        let agenda = Agenda(tokens: tokens, policies: site.policies, from: now, until: end)
        let report = PlanReport(tokens, site, try site.obstacles(), now, agenda, end)
        if json { return try JSONOutput.print(report) }
        report.print(now.wall)
    }

    private func end(_ now: Date) throws -> Date {
        guard let until else { return TimeSpan.months(12).after(now) }
        if let date = StrictDate.date(until) {
            guard date > now else { throw ValidationError("--until: found '\(until)', which is past, expected a date to come") }
            return date
        }
        if let span = try? TimeSpan(parsing: until), !span.isZero { return span.after(now) }
        throw ValidationError("--until: found '\(until)', expected a date such as 2027-06-30 or a time span such as 90d")
    }
}

/// The plan for people and for programs.
private struct PlanReport: Encodable {
    struct Entry: Encodable {
        var token: String
        var environment: String
        /// due, rotating, waiting, resting; ends: is to, at that moment; ending: its generations are being revoked
        var action: String
        var cause: Nullable<String>
        var reason: Nullable<String>
        var at: Nullable<Date>
    }

    struct Turn: Encodable {
        var at: Date
        var token: String
        var what: String
    }

    struct Peak: Encodable {
        var gateway: String
        var at: Date
        var tokens: Int
        var capacity: Nullable<Int>
    }

    var until: Date
    /// Up to when calendar and peaks are whole; null: up to `until`.
    var completeUntil: Nullable<Date>
    /// Why they are not, for people.
    private var cut: Agenda.Cut?
    var tokens: [Entry]
    var calendar: [Turn]
    var peaks: [Peak]

    private enum CodingKeys: CodingKey { case until, completeUntil, tokens, calendar, peaks }

    init(_ tokens: [Token], _ site: Site, _ obstacles: [Obstacle], _ now: Moment, _ agenda: Agenda, _ end: Date) {
        until = end
        completeUntil = Nullable(agenda.cut?.at)
        cut = agenda.cut
        let removals = site.removals(of: tokens, at: now)
        self.tokens = tokens.compactMap { token in
            let isEnding = token.ending != nil && token.generations.contains(where: \.isLiving)
            guard let verdict = site.verdict(on: token, at: now) ?? removals[token.name] ?? (isEnding ? .underWay : nil) else { return nil }
            let plain = site.status(of: token, at: now)
            let status = site.status(of: token, heeding: obstacles, at: now)
            var reason = status.stuck ?? status.reason
            // Its cause has a column of its own.
            if case .start(_, let why) = verdict, status == plain, status.stuck == nil { reason = why }
            // Many that go at once do not: a person is asked.
            if case .rests(nil, let why)? = removals[token.name] { reason = why }
            let (action, cause, at): (String, Rotation.Cause?, Date?) =
                switch verdict {
                case _ where isEnding: ("ending", nil, nil)
                case .underWay: ("rotating", token.rotation?.cause, token.rotation?.attempts.notBefore)
                case .start(let cause, _): ("due", cause, now.wall)
                case .end: ("ends", nil, now.wall)
                case .waits(let until, _): ("waiting", nil, until)
                case .rests(let until?, _) where token.removalDue != nil && site.policies[token.name] == nil: ("ends", nil, until)
                case .rests(let until, _): ("resting", nil, status.nextRotation ?? until)
                }
            return Entry(
                token: token.name.text, environment: token.environment, action: action, cause: Nullable(cause?.rawValue),
                reason: Nullable(reason), at: Nullable(at)
            )
        }
        calendar = agenda.turns.map { Turn(at: $0.at, token: $0.token.text, what: $0.what.rawValue) }
        peaks = agenda.peaks.sorted { $0.key < $1.key }.map { gateway, peak in
            Peak(
                gateway: gateway.text, at: peak.at, tokens: peak.count,
                capacity: Nullable(site.configuration.settings.gateways[gateway]?.capacity))
        }
    }

    func print(_ now: Date) {
        var table = Table("TOKEN", "ACTION", "CAUSE", "WHEN", "WHY")
        for entry in tokens {
            let at = entry.at.value.map { $0 <= now ? "now" : "in " + Age.text($0.timeIntervalSince(now)) }
            table.add(
                [entry.token, entry.action, entry.cause.value ?? "-", at ?? "-", entry.reason.value ?? ""],
                colour: entry.action == "due" ? .yellow : nil
            )
        }
        table.print()
        Terminal.print("\ncalendar until \(until.iso):")
        // A demonstration turns every few seconds; nobody reads a thousand lines of it.
        for turn in calendar.prefix(40) { Terminal.print("  \(turn.at.iso)  \(turn.what.padding(8))  \(turn.token)") }
        if calendar.count > 40 { Terminal.print("  ... and \(calendar.count - 40) more (--json shows all)") }
        if calendar.isEmpty { Terminal.print("  nothing") }
        if let cut {
            Terminal.print("cut at \(cut.at.iso): more than \(cut.turns) turns of \(cut.token)", after: "  ", .yellow)
        }
        for peak in peaks {
            let capacity = peak.capacity.value
            let text =
                "\(peak.gateway): at most \(peak.tokens) of \(capacity.map { "its \($0)" } ?? "any number of") tokens at once, on \(peak.at.iso)"
            Terminal.print(capacity.map { peak.tokens > $0 } == true ? Colour.red.paint(text + ": more than the account holds") : text)
        }
    }
}
