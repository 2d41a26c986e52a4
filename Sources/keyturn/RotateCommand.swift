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
        try Reason.validate(reason)
        if all, !tokens.isEmpty { throw ValidationError("name tokens or say --all, not both") }
    }

    func run() async throws {
        CommandLog.bootstrap()
        let site = try site.enter()
        let names = try all ? willing(site) : tokens.map(TokenName.init)
        try site.requirePolicies(of: names)
        let requests = try names.map { try site.house.journal.file(Request(verb: .rotate, token: $0, reason: reason, filedAt: Date())) }
        let exit = try await Pursuit(site: site, requests: requests, verdict: site.rotationVerdict).follow()
        try CommandLog.sum(up: names, site, exit)
    }

    /// What somebody ended, or wants to adopt, is not replaced but by its name.
    private func willing(_ site: Site) throws -> [TokenName] {
        try site.configuration.tokens.filter { policy in
            let token = try site.house.journal.token(policy.name)
            if let ending = token?.ending, ending != .leftPolicies {
                let state = ending == .expired ? "has expired" : "is ended"
                Terminal.print("\(policy.name) \(state): `keyturn rotate \(policy.name)` takes it up again")
                return false
            }
            if policy.isToAdopt(token) {
                Terminal.print("\(policy.name) is to be adopted: `keyturn rotate \(policy.name)` issues a new one instead")
                return false
            }
            return true
        }.map(\.name)
    }
}

extension Site {
    /// How the rotation stands that a request began or joined.
    @Sendable func rotationVerdict(_ request: Request, _ token: Token, _ rotation: Rotation?) -> Exit? {
        guard let rotation else { return nil }
        switch rotation.phase {
        case .finished: return .done
        case .abandoned: return .failed
        default: return status(of: token, at: HostClock.now()).stuck == nil ? nil : .stuck
        }
    }
}
