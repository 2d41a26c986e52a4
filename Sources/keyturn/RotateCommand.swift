import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

struct RotateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Replace tokens now, windows ignored, the overlap kept; follow it to the overlap."
    )

    @OptionGroup var site: SiteOptions
    @Argument(help: "Stable names.") var tokens: [String] = []
    @Flag(help: "Every token of every policy.") var all = false
    @Option(help: "Why; kept in the history.") var reason: String?

    func validate() throws {
        if !all, tokens.isEmpty { throw ValidationError("name tokens, or say --all") }
        if all, !tokens.isEmpty { throw ValidationError("name tokens or say --all, not both") }
    }

    func run() async throws {
        CommandLog.bootstrap()
        let site = try site.enter()
        let journal = site.house.journal
        let names = try all ? notEnded(site) : tokens.map(TokenName.init)
        try CommandLog.refuseUnknown(names, site)
        let requests = try names.map { try journal.file(Request(verb: .rotate, token: $0, reason: reason, filedAt: Date())) }
        let pursuit = Pursuit(site: site, requests: requests) { request, token in
            guard let rotation = try request.rotation.flatMap({ try journal.rotation($0) }) else { return nil }
            switch rotation.phase {
            case .finished: return .done
            case .abandoned: return .failed
            default:
                let status = TokenStatus(of: token, under: site.policies[token.name], verdict: .underWay, at: HostClock.now())
                return status.stuck == nil ? nil : .stuck
            }
        }
        let exit = try await pursuit.follow()
        try CommandLog.sum(up: names, site, exit)
    }

    /// What somebody ended comes back only by its name.
    private func notEnded(_ site: Site) throws -> [TokenName] {
        try site.configuration.tokens.map(\.name).filter { name in
            guard let ending = try site.house.journal.token(name)?.ending, ending != .removed else { return true }
            Terminal.print("\(name) \(ending == .expired ? "has expired" : "is ended"): `keyturn rotate \(name)` takes it up again")
            return false
        }
    }
}

struct RevokeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "End a token: revoke all its generations. It stays ended until `rotate`."
    )

    @OptionGroup var site: SiteOptions
    @Argument(help: "Its stable name.") var token: String
    @Option(
        help: ArgumentHelp("Only this replaced generation, in spite of its use; the token goes on.", valueName: "name")) var generation: String?

    func run() async throws {
        CommandLog.bootstrap()
        let site = try site.enter()
        let name = TokenName(token)
        guard try site.tokens().contains(where: { $0.name == name }) else {
            throw Refusal(.failed, "no policy asks for \(name), and the journal does not know it")
        }
        let request = try site.house.journal.file(Request(verb: .revoke, token: name, generation: generation, filedAt: Date()))
        let pursuit = Pursuit(site: site, requests: [request]) { request, token in
            let left = token.generations.filter { one in one.isLiving && request.generation.map { one.name == $0 } ?? true }
            if left.isEmpty { return .done }
            if TokenStatus(of: token, under: site.policies[name], verdict: nil, at: HostClock.now()).stuck != nil { return .stuck }
            // A gateway that lags for minutes is waited for by the driver, not by a person.
            let soon = Date().addingTimeInterval(30)
            return left.allSatisfy { $0.attempts.notBefore.map { $0 > soon } ?? false } ? .waits : nil
        }
        let exit = try await pursuit.follow()
        if exit == .done, generation == nil, let token = try site.house.journal.token(name) {
            for target in token.targets { Terminal.print("\(name): \(target.id) still holds the revoked secret") }
        }
        try CommandLog.sum(up: [name], site, exit)
    }
}

struct AdoptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt", abstract: "Take over a token that exists: finds its generation at the gateway by name, keeps the secret."
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
        try CommandLog.refuseUnknown([name], site)
        let journal = site.house.journal
        let file = from.hasPrefix("/") ? from : FileManager.default.currentDirectoryPath + "/" + from
        let request = try journal.file(Request(verb: .adopt, token: name, file: file, generation: generation, filedAt: Date()))
        let pursuit = Pursuit(site: site, requests: [request]) { request, token in
            guard let rotation = try request.rotation.flatMap({ try journal.rotation($0) }) else { return nil }
            switch rotation.phase {
            case .finished: return .done
            case .abandoned: return .failed
            default:
                return TokenStatus(of: token, under: site.policies[name], verdict: .underWay, at: HostClock.now()).stuck == nil
                    ? nil : .stuck
            }
        }
        let exit = try await pursuit.follow()
        try CommandLog.sum(up: [name], site, exit)
    }
}
