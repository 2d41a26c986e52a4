import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "What happened, oldest first; --verify proves that nothing of it was changed."
    )

    @OptionGroup var site: SiteOptions
    @Argument(help: "One token's stable name.") var token: String?
    @Option(help: "How many of the newest entries.") var limit = 1000
    @Flag(help: "Look at every row: was one changed, removed, inserted or moved?") var verify = false
    @Option(
        name: .customLong("accept-loss"),
        help: ArgumentHelp("With --verify: go on with the history as it is found, and why; recorded in it.", valueName: "reason"))
    var reason: String?
    @Flag(help: "One JSON document.") var json = false

    func validate() throws {
        guard verify else {
            if reason != nil { throw ValidationError("--accept-loss stands beside --verify") }
            return
        }
        if token != nil { throw ValidationError("--verify is about all tokens: one chain holds all rows") }
        guard let reason else { return }
        let isPlain = !reason.unicodeScalars.contains { $0.properties.generalCategory == .control }
        if reason.allSatisfy(\.isWhitespace) { throw ValidationError("--accept-loss needs a reason, in words for who reads the history") }
        if reason.utf8.count > 500 || !isPlain { throw ValidationError("the reason is one line of at most 500 bytes") }
    }

    func run() async throws {
        if let reason { return try await HistoryVerification(site: try site.enter(.readable), json: json).accept(because: reason) }
        if verify { return try await HistoryVerification(site: try site.look(.readable), json: json).run() }
        try list()
    }

    private struct Entry: Encodable {
        var number: Int64
        var at: Date
        var token: String
        var environment: String
        var rotation: Nullable<String>
        var generation: Nullable<String>
        var code: String
        var sentence: String
    }

    private func list() throws {
        let site = try site.look(.readable)
        let entries = try site.house.journal.history(of: token.map(TokenName.init), after: 0, limit: max(1, limit))
        if entries.isEmpty { _ = try site.tokens(named: token) }
        if json {
            return try JSONOutput.print(
                entries.map {
                    Entry(
                        number: $0.number, at: $0.at, token: $0.token.text, environment: $0.environment, rotation: Nullable($0.rotation),
                        generation: Nullable($0.generation), code: $0.code, sentence: $0.sentence
                    )
                }
            )
        }
        var table = token == nil ? Table("AT", "TOKEN", "WHAT", "") : Table("AT", "WHAT", "")
        for entry in entries {
            // What is about the host has no token.
            let name = entry.token.text.isEmpty ? "-" : entry.token.text
            table.add([entry.at.iso] + (token == nil ? [name] : []) + [entry.code, entry.sentence])
        }
        table.print()
    }
}
