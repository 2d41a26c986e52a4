package import Foundation
package import KeyturnCore

/// The host's settings and all policies, read and found right.
package struct Configuration: Sendable {
    package var settings: Settings
    package var policies: [Policy]
    /// Where the settings name secrets; whether those are there is a question of its own, see `secretProblems`.
    package var secrets: [SecretPlace]
    package var warnings: [Problem]
    /// The errors of policies that were left out; empty unless `leavesOut` was asked for.
    package var leftOut: [Problem] = []
    package var places = Places()

    /// Of all policies, in the order of the files.
    package var tokens: [TokenPolicy] { policies.flatMap(\.tokens) }

    /// Reads `keyturn.yaml` and the policies that it names; throws every error of every file at once.
    ///
    /// - Parameters:
    ///   - environment: the process's environment, for `$STATE_DIRECTORY`.
    ///   - gatewayKinds: the kinds of gateway that there is code for.
    ///   - leavesOut: a policy file with an error is left out instead of being an error of all; see `leftOut`.
    ///   - triesSecrets: also an error: a secret that cannot be had in this process, see `secretProblems`.
    ///   - now: what `expires` dates are compared with.
    package static func load(
        settingsFile: String,
        environment: [String: String],
        gatewayKinds: Set<String>,
        leavesOut: Bool = false,
        triesSecrets: Bool = false,
        now: Date = Date()
    ) throws(ConfigurationErrors) -> Configuration {
        let problems = ProblemList()
        let draft = SettingsReader(environment: environment, gatewayKinds: gatewayKinds).draft(of: settingsFile, into: problems)
        if let draft, triesSecrets { SecretPlace.problems(of: draft.secrets, environment: environment).forEach(problems.add) }
        let all = ProblemList()
        problems.sorted.forEach(all.add)
        var drafts: [PolicyDraft] = []
        if let draft {
            // With gateways that are wrong themselves, a policy's gateway would be called unknown for nothing.
            let reader = PolicyReader(gateways: draft.gatewaysAreSound ? draft.settings.gateways : nil, now: now)
            drafts = reader.drafts(inFolder: draft.settings.policyFolder, into: all)
        }
        if let draft { OwnFiles(settingsFile: settingsFile, draft.settings, draft.secrets, drafts).problems(in: drafts).forEach(all.add) }
        let errors = all.all.filter { $0.severity == .error }
        guard let draft, problems.errors == 0, leavesOut || errors.isEmpty else { throw ConfigurationErrors(problems: errors) }
        let bad = Set(errors.map(\.file))
        var places = draft.places
        places.merge(drafts.places)
        return Configuration(
            settings: draft.settings, policies: drafts.map(\.policy).filter { !bad.contains($0.file) }, secrets: draft.secrets,
            warnings: all.all.filter { $0.severity != .error }, leftOut: errors, places: places
        )
    }

    /// Which secrets of the settings cannot be had in this process, with the place that names each.
    package func secretProblems(environment: [String: String]) -> [Problem] {
        SecretPlace.problems(of: secrets, environment: environment)
    }
}
