import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

struct UsageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Today and this month per token and environment against the budget, with the forecast.",
        discussion: "Only what was read counts: `at least` says that something was not, or not lately. See docs/usage.md."
    )

    @OptionGroup var site: SiteOptions
    @Argument(help: "One token's stable name.") var token: String?
    @Flag(help: "One JSON document.") var json = false

    func run() throws {
        let site = try site.look(.readable)
        let now = HostClock.now().wall
        let tokens = try site.tokens()
        let chosen = try site.tokens(named: token)
        let sums = try UsageSums(
            site.house.journal, tokens: tokens, policies: site.policies, settings: site.configuration.settings, at: now)
        let reports = UsageReports(site, sums)
        let document = UsageDocument(
            at: now, zone: site.configuration.settings.watchZone.name, environments: token == nil ? reports.environments(of: tokens) : [],
            tokens: reports.tokens(chosen))
        if json { return try JSONOutput.print(document) }
        if token != nil { return UsageDetail(document.tokens, sums.today).print() }
        UsageTable(document, sums.today).print()
    }
}

extension TimeZone {
    /// As the settings write it.
    var name: String { self == .gmt ? "UTC" : identifier }
}
