import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

struct RevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "End a token: revoke all its generations. It stays ended until `rotate`."
    )

    @OptionGroup var site: SiteOptions
    @Argument(help: "Its stable name.") var token: String
    @Option(help: ArgumentHelp("Only this replaced generation, in spite of its use; the token goes on.", valueName: "name"))
    var generation: String?

    func run() async throws {
        CommandLog.bootstrap()
        let site = try site.enter(.readable)
        let name = try site.tokens(named: token)[0].name
        // Once it has ended, the journal says no more whether a generation was ever in use.
        let wasInUse = try site.house.journal.token(name)?.current != nil
        let request = try site.house.journal.file(Request(verb: .revoke, token: name, generation: generation, filedAt: Date()))
        let exit = try await Pursuit(site: site, requests: [request]) { _, token, _ in
            let left = ending(token)
            if left.isEmpty { return .done }
            if site.status(of: token, at: HostClock.now()).stuck != nil { return .stuck }
            // A gateway that lags for minutes is waited for by the driver, not by a person.
            let soon = Date().addingTimeInterval(30)
            return left.allSatisfy { $0.attempts.notBefore.map { $0 > soon } ?? false } ? .waits : nil
        }.follow()
        if exit == .done, generation == nil, let token = try site.house.journal.token(name) {
            for target in token.targets {
                // Where nothing of ours is known to lie although a generation was in use, somebody else has changed what lay there.
                guard let verb = target.generation != nil ? "still holds" : wasInUse ? "may hold" : nil else { continue }
                Terminal.print("\(name): \(target.id) \(verb) the revoked secret")
            }
        }
        for generation in try site.house.journal.token(name).map(ending) ?? [] where exit != .done && exit != .failed {
            let id = generation.keyID.map { " (\($0))" } ?? ""
            Terminal.print("\(name): \(generation.name)\(id) may be alive until it is revoked; in a hurry, do it in the gateway's console")
        }
        try CommandLog.sum(up: [name], site, exit)
    }

    /// What is to end and has not yet.
    private func ending(_ token: Token) -> [Generation] {
        token.generations.filter { one in one.isLiving && generation.map { one.name == $0 } ?? true }
    }
}
