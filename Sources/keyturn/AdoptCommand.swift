import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

struct AdoptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt", abstract: "Take over a token that exists: finds its generation at the gateway by name, keeps the secret.",
        discussion: "Beside a running daemon its policy says `adopt: true` first, so that the daemon does not issue a new one meanwhile."
    )

    @OptionGroup var site: SiteOptions
    @Argument(help: "The stable name that a policy gives it.") var token: String
    @Option(help: ArgumentHelp("The file its secret lies in; one of its targets is read in that target's format.", valueName: "file"))
    var from: String
    @Option(help: ArgumentHelp("The name at the gateway, where several would fit.", valueName: "name")) var generation: String?

    func run() async throws {
        CommandLog.bootstrap()
        let site = try site.enter()
        let name = TokenName(token)
        try site.requirePolicies(of: [name])
        let file = from.hasPrefix("/") ? from : FileManager.default.currentDirectoryPath + "/" + from
        let request = try site.house.journal.file(
            Request(verb: .adopt, token: name, file: file, generation: generation, filedAt: Date()))
        let exit = try await Pursuit(site: site, requests: [request], verdict: site.rotationVerdict).follow()
        try CommandLog.sum(up: [name], site, exit)
    }
}
