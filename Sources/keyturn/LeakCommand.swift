import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

struct LeakCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leak", abstract: "A leaked token: end every generation of it that exists now, and replace it; or report on it.",
        discussion: """
            Revokes first, at once, so that consumers fail until the replacement is delivered. --replace-first keeps what leaked for \
            one minute after the replacement was published, for ten at most, whoever uses it meanwhile.
            """
    )

    @OptionGroup var site: SiteOptions
    @Argument(help: "Its stable name.") var token: String
    @Flag(help: "Replace first, revoke a minute later.") var replaceFirst = false
    @Option(help: "How it leaked; kept in the history.") var reason: String?
    @Flag(help: "Ask for nothing: print the report on the newest leak.") var report = false
    @Option(help: ArgumentHelp("Write the report, Markdown; asks for nothing else.", valueName: "file")) var markdown: String?
    @Option(help: ArgumentHelp("Write the report, one page of HTML; asks for nothing else.", valueName: "file")) var html: String?

    private var onlyReports: Bool { report || markdown != nil || html != nil }

    func validate() throws {
        if onlyReports, replaceFirst || reason != nil {
            throw ValidationError("a report asks for nothing: --replace-first and --reason stand in the command that ends the token")
        }
        try Reason.validate(reason)
    }

    func run() async throws {
        CommandLog.bootstrap()
        if onlyReports { return try writeReport() }
        let site = try site.enter(.readable)
        let name = try site.tokens(named: token)[0].name
        let mode = replaceFirst ? LeakMode.replaceFirst : .containFirst
        let request = try site.house.journal.file(Request(verb: .leak, token: name, reason: reason, mode: mode, filedAt: Date()))
        let exit: Exit
        do {
            // Replaced first it is followed to its end: without a daemon nobody else would revoke it.
            let patience = replaceFirst ? Token.leakPatience.approximateSeconds + 60 : 30
            exit = try await Pursuit(site: site, requests: [request], patience: patience, verdict: verdict(site)).follow()
        } catch {
            try tellConsole(site, request)
            throw error
        }
        if exit != .done { try tellConsole(site, request) }
        if try isTakenUp(request, site), try !site.house.journal.incidents(of: name).isEmpty {
            Terminal.print("")
            Terminal.print(try LeakReport(of: name, site).document.markdown)
        }
        try CommandLog.sum(up: [name], site, exit)
    }

    private func verdict(_ site: Site) -> @Sendable (Request, Token, Rotation?) throws -> Exit? {
        { _, token, _ in
            let now = HostClock.now()
            let left = token.generations.filter { $0.isLeaked && $0.isLiving }
            // At a gateway that the settings do not name nothing can be done.
            if !left.isEmpty, site.configuration.settings.gateways[token.gateway] == nil { return .stuck }
            // What has not been tried yet is neither stuck nor over.
            if left.contains(where: { $0.state == .revoking && $0.attempts.failures == 0 }) { return nil }
            let incident = try site.house.journal.incidents(of: token.name).last
            let remains = incident?.remains(of: token, under: site.policies[token.name], isWhole: site.isWhole, at: now) ?? []
            if remains.isEmpty { return .done }
            if site.status(of: token, at: now).stuck != nil, !left.contains(where: { $0.state == .retiring }) { return .stuck }
            // A create that was lost before may turn up for an hour; a gateway may lag for minutes: the driver waits for both.
            var next = left.map { $0.state == .revoking ? $0.attempts.notBefore : nil }
            if token.current == nil, token.ending == nil, site.policies[token.name] != nil {
                next.append(token.rotation?.isOpen == true ? token.rotation?.attempts.notBefore : token.attempts.notBefore)
            }
            let soon = now.wall.addingTimeInterval(30)
            return next.allSatisfy { $0.map { $0 > soon } ?? false } ? .waits : nil
        }
    }

    /// A person can end what Keyturn could not.
    private func tellConsole(_ site: Site, _ request: Request) throws {
        guard let token = try site.house.journal.token(request.token) else { return }
        for line in ConsoleSteps(for: token, site, isTakenUp: try isTakenUp(request, site)).lines { Terminal.print(line) }
    }

    private func isTakenUp(_ request: Request, _ site: Site) throws -> Bool {
        let now = try site.house.journal.request(request.number)
        return now?.answeredAt != nil && now?.refusal == nil
    }

    private func writeReport() throws {
        let site = try site.look(.readable)
        let name = try site.tokens(named: token)[0].name
        guard try !site.house.journal.incidents(of: name).isEmpty else {
            throw Refusal(.failed, "nobody has said that \(name) leaked: `keyturn leak \(name)` does")
        }
        let document = try LeakReport(of: name, site).document
        if let markdown { try ReportFile.write(document.markdown, to: markdown) }
        if let html { try ReportFile.write(document.html, to: html) }
        if markdown == nil, html == nil { Terminal.print(document.markdown) }
    }
}

/// What a person says of why they ask; it stays in the history for ever.
enum Reason {
    static func validate(_ reason: String?) throws {
        if let reason, reason.contains(/sk-[A-Za-z0-9_-]{8,}/) {
            throw ValidationError("--reason: found something that looks like a token, expected none: it is kept in the history for ever")
        }
    }
}
