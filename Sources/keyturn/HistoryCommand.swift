import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "history", abstract: "What happened, oldest first.")

    @OptionGroup var site: SiteOptions
    @Argument(help: "One token's stable name.") var token: String?
    @Option(help: "How many of the newest entries.") var limit = 1000
    @Flag(help: "One JSON document.") var json = false

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

    func run() throws {
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
        for entry in entries { table.add([entry.at.iso] + (token == nil ? [entry.token.text] : []) + [entry.code, entry.sentence]) }
        table.print()
    }
}
