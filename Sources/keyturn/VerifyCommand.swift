import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Try every secret that is not revoked, and what the targets hold; diagnose those that are refused."
    )

    @OptionGroup var site: SiteOptions
    @Argument(help: "One token's stable name.") var token: String?

    func run() async throws {
        CommandLog.bootstrap()
        let site = try site.look()
        let tokens = try site.tokens().filter { token == nil || $0.name.text == token }
        guard !tokens.isEmpty else { throw Refusal(.failed, "no policy asks for \(token ?? "anything"), and the journal does not know it") }
        let http = HTTPClient()
        defer { http.shutdown() }
        let trial = Trial(site: site, http: http)
        var table = Table("TOKEN", "WHERE", "VERDICT", "WHY")
        var worst = Exit.done
        for token in tokens {
            for row in try await trial.rows(of: token) {
                table.add([token.name.text, row.place, row.verdict.rawValue, row.why], colour: row.verdict.colour)
                if row.verdict.exit.rawValue > worst.rawValue { worst = row.verdict.exit }
            }
        }
        table.print()
        try worst.leave()
    }
}

/// One secret, tried.
struct TrialRow {
    enum Verdict: String {
        case accepted, refused, unknown, unreachable
        /// There is nothing to try, or a reason not to.
        case untried = "-"

        var exit: Exit {
            switch self {
            case .accepted, .untried: .done
            case .refused, .unknown: .failed
            case .unreachable: .unreachable
            }
        }

        var colour: Colour? {
            switch self {
            case .accepted: .green
            case .refused: .red
            case .unknown, .unreachable: .yellow
            case .untried: nil
            }
        }
    }

    var place: String
    var verdict: Verdict
    var why: String
}

/// Tries secrets against the gateway, with nothing but those secrets: no admin token is needed for it.
struct Trial {
    let site: Site
    let http: HTTPClient

    func rows(of token: Token) async throws -> [TrialRow] {
        guard let settings = site.configuration.settings.gateways[token.gateway] else { return [] }
        // No admin token: this process may be a command beside a daemon that alone holds it.
        let gateway = LaozhangGateway(settings, admin: Secret(""), http: http)
        var rows: [TrialRow] = []
        for generation in token.generations where generation.isLiving {
            // A retiring secret is left in peace: its silence is the evidence for its end.
            if generation.state == .retiring, generation.retirement?.wantsQuiet == true {
                rows.append(TrialRow(place: generation.name, verdict: .untried, why: "not tried: it retires and must stay quiet"))
                continue
            }
            guard let secret = try site.house.keyring.secret(generation.name, of: token.gateway) else {
                rows.append(TrialRow(place: generation.name, verdict: .unknown, why: "its secret is not in the keyring"))
                continue
            }
            rows.append(await row(generation.name, secret, gateway, generation.expiresAt))
        }
        rows += try targetRows(of: token)
        if rows.isEmpty { rows.append(TrialRow(place: "-", verdict: .untried, why: "no generation of it exists")) }
        return rows
    }

    private func row(_ place: String, _ secret: borrowing Secret, _ gateway: LaozhangGateway, _ expiresAt: Date?) async -> TrialRow {
        do throws(GatewayError) {
            switch try await gateway.probe(secret) {
            case .accepted: return TrialRow(place: place, verdict: .accepted, why: "")
            case .refused(let why):
                let expired = expiresAt.map { $0 <= Date() } ?? false
                return TrialRow(place: place, verdict: .refused, why: expired ? "expired" : "revoked or unknown at the gateway: \(why)")
            }
        } catch { return TrialRow(place: place, verdict: error.isUnreachable ? .unreachable : .unknown, why: error.description) }
    }

    /// What each target holds, compared with what was delivered there.
    private func targetRows(of token: Token) throws -> [TrialRow] {
        guard let policy = site.policies[token.name], let name = token.desired ?? token.current,
            let secret = try site.house.keyring.secret(name, of: token.gateway)
        else { return [] }
        return policy.targets.map { target in
            let delivery = DeliveryKinds.delivery(for: target, in: TargetContext(token: policy.name, environment: policy.environment))
            do throws(DeliveryError) {
                if try delivery.holds(secret) { return TrialRow(place: "\(target.id)", verdict: .accepted, why: "holds \(name)") }
                guard let found = try delivery.published() else {
                    return TrialRow(place: "\(target.id)", verdict: .refused, why: "there is no secret in it")
                }
                return TrialRow(place: "\(target.id)", verdict: .refused, why: Diagnosis(of: found, meant: secret, name).sentence)
            } catch { return TrialRow(place: "\(target.id)", verdict: .unknown, why: error.description) }
        }
    }
}
