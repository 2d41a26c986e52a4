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
    @Flag(help: "One JSON document.") var json = false

    private struct Entry: Encodable {
        var token: String
        var environment: String
        /// generation, target
        var what: String
        var place: String
        /// accepted, refused, unknown, unreachable, untried
        var verdict: String
        var why: Nullable<String>
    }

    func run() async throws {
        CommandLog.bootstrap()
        let site = try site.look(.readable)
        let tokens = try site.tokens(named: token)
        let http = HTTPClient()
        defer { http.shutdown() }
        let trial = Trial(site: site, http: http)
        var rows: [(token: Token, row: TrialRow)] = []
        for (number, token) in tokens.enumerated() {
            Terminal.progress("trying \(token.name), \(number + 1) of \(tokens.count)")
            rows += try await trial.rows(of: token).map { (token, $0) }
        }
        if json { try JSONOutput.print(rows.map { VerifyCommand.entry($0.token, $0.row) }) } else { VerifyCommand.table(rows).print() }
        try rows.map(\.row.verdict.exit).max { $0.rawValue < $1.rawValue }?.leave()
    }

    private static func entry(_ token: Token, _ row: TrialRow) -> Entry {
        Entry(
            token: token.name.text, environment: token.environment, what: row.what.rawValue, place: row.place,
            verdict: row.verdict.rawValue, why: Nullable(row.why.isEmpty ? nil : row.why)
        )
    }

    private static func table(_ rows: [(token: Token, row: TrialRow)]) -> Table {
        var table = Table("TOKEN", "VERDICT", "WHERE, AND WHY")
        for (token, row) in rows {
            let text = row.why.isEmpty ? row.place : "\(row.place): \(row.why)"
            table.add([token.name.text, row.verdict.rawValue, text], colour: row.verdict.colour)
        }
        return table
    }
}

/// One secret, tried.
struct TrialRow {
    enum What: String {
        case generation, target
    }

    enum Verdict: String {
        case accepted, refused, unknown, unreachable
        /// There is nothing to try, or a reason not to.
        case untried

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

    var what = What.generation
    /// A generation's name, or a target.
    var place: String
    var verdict: Verdict
    var why: String
}

/// Tries secrets against the gateway, with nothing but those secrets: no admin token is needed for it.
struct Trial {
    let site: Site
    let http: HTTPClient

    func rows(of token: Token) async throws -> [TrialRow] {
        guard let gateway = try site.house.gatewayForTrials(token.gateway, http: http) else {
            return [TrialRow(place: "-", verdict: .unknown, why: "the settings know no gateway \(token.gateway)")]
        }
        var rows: [TrialRow] = []
        for generation in token.generations where generation.isLiving { rows.append(await row(of: generation, token, gateway)) }
        rows += targetRows(of: token, tried: rows)
        if rows.isEmpty { rows.append(TrialRow(place: "-", verdict: .untried, why: "no generation of it exists")) }
        return rows
    }

    private func row(of generation: Generation, _ token: Token, _ gateway: any Gateway) async -> TrialRow {
        // A retiring secret is left in peace: its silence is the evidence for its end.
        if generation.state == .retiring, generation.retirement?.wantsQuiet == true {
            return TrialRow(place: generation.name, verdict: .untried, why: "not tried: it retires and must stay quiet")
        }
        do throws(KeyringError) {
            guard let secret = try site.house.keyring.secret(generation.name, of: token.gateway) else {
                return TrialRow(place: generation.name, verdict: .unknown, why: "its secret is not in the keyring")
            }
            return await row(generation.name, secret, gateway, generation.expiresAt)
        } catch { return TrialRow(place: generation.name, verdict: .unknown, why: error.description) }
    }

    private func row(_ place: String, _ secret: borrowing Secret, _ gateway: any Gateway, _ expiresAt: Date?) async -> TrialRow {
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
    private func targetRows(of token: Token, tried: [TrialRow]) -> [TrialRow] {
        // Without the secret there is nothing to compare with, which the generation's own row says.
        guard let policy = site.policies[token.name], let name = token.desired ?? token.current,
            let secret = try? site.house.keyring.secret(name, of: token.gateway)
        else { return [] }
        return policy.targets.map { target in
            func row(_ verdict: TrialRow.Verdict, _ why: String) -> TrialRow {
                TrialRow(what: .target, place: "\(target.id)", verdict: verdict, why: why)
            }
            let delivery = DeliveryKinds.delivery(for: target, in: TargetContext(token: policy.name, environment: policy.environment))
            do throws(DeliveryError) {
                if try delivery.holds(secret) { return row(tried.first { $0.place == name }?.verdict ?? .unknown, "holds \(name)") }
                guard let found = try delivery.published() else { return row(.refused, "there is no secret in it") }
                return row(.refused, Diagnosis(of: found, meant: secret, name).sentence)
            } catch { return row(.unknown, error.description) }
        }
    }
}
