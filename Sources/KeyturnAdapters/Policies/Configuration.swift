package import Foundation
package import KeyturnCore

/// The host's settings and all policies, read and found right.
package struct Configuration: Sendable {
    package var settings: Settings
    package var policies: [Policy]
    /// Where the settings name secrets; whether those are there is a question of its own, see `secretProblems`.
    package var secrets: [SecretPlace]
    package var warnings: [Problem]

    /// Of all policies, in the order of the files.
    package var tokens: [TokenPolicy] { policies.flatMap(\.tokens) }

    /// Reads `keyturn.yaml` and the policies that it names; throws every error of every file at once.
    ///
    /// - Parameters:
    ///   - environment: the process's environment, for `$STATE_DIRECTORY`.
    ///   - gatewayKinds: the kinds of gateway that there is code for.
    ///   - triesSecrets: also an error: a secret that cannot be had in this process, see `secretProblems`.
    ///   - now: what `expires` dates are compared with.
    package static func load(
        settingsFile: String,
        environment: [String: String],
        gatewayKinds: Set<String>,
        triesSecrets: Bool = false,
        now: Date = Date()
    ) throws(ConfigurationErrors) -> Configuration {
        let problems = ProblemList()
        let draft = SettingsReader(environment: environment, gatewayKinds: gatewayKinds).draft(of: settingsFile, into: problems)
        if let draft, triesSecrets { SecretPlace.problems(of: draft.secrets, environment: environment).forEach(problems.add) }
        let all = ProblemList()
        problems.sorted.forEach(all.add)
        var policies: [Policy] = []
        if let draft {
            // With gateways that are wrong themselves, a policy's gateway would be called unknown for nothing.
            let reader = PolicyReader(gateways: draft.gatewaysAreSound ? draft.settings.gateways : nil, now: now)
            policies = reader.policies(inFolder: draft.settings.policyFolder, into: all)
        }
        guard let draft, all.errors == 0 else { throw ConfigurationErrors(problems: all.all.filter { $0.severity == .error }) }
        return Configuration(settings: draft.settings, policies: policies, secrets: draft.secrets, warnings: all.all)
    }

    /// Which secrets of the settings cannot be had in this process, with the place that names each.
    package func secretProblems(environment: [String: String]) -> [Problem] {
        SecretPlace.problems(of: secrets, environment: environment)
    }
}
