import Foundation
package import KeyturnCore

/// What `keyturn.yaml` holds, and where it names secrets.
package struct SettingsReading: Sendable {
    package var settings: Settings
    /// Every place of a secret, to be checked where it is needed: see `SecretPlace.problems`.
    package var secrets: [SecretPlace]
    package var warnings: [Problem]
}

/// Reads the host's settings, defaults filled in and paths made absolute.
package struct SettingsReader {
    /// The process's environment; `STATE_DIRECTORY` is looked at.
    let environment: [String: String]
    /// The kinds of gateway that there is code for.
    let gatewayKinds: Set<String>

    package init(environment: [String: String], gatewayKinds: Set<String>) {
        self.environment = environment
        self.gatewayKinds = gatewayKinds
    }

    /// Throws every problem of the file at once.
    package func read(_ file: String) throws(ConfigurationErrors) -> SettingsReading {
        let problems = ProblemList()
        let draft = draft(of: file, into: problems)
        guard let draft, problems.errors == 0 else { throw ConfigurationErrors(problems: problems.sorted.filter { $0.severity == .error }) }
        return SettingsReading(settings: draft.settings, secrets: draft.secrets, warnings: problems.sorted)
    }

    /// Settings that are fit for use only when no error was found beside them.
    struct Draft {
        var settings: Settings
        var secrets: [SecretPlace]
        /// Nothing is wrong with the gateways, so policies can be checked against them whatever else is wrong.
        var gatewaysAreSound: Bool
        var places: Places
    }

    func draft(of file: String, into problems: ProblemList) -> Draft? {
        guard let root = YAMLDocument.read(file, into: problems) else { return nil }
        return root.map("a map of settings") { map in
            let folder = absolute(file).deletingLastComponent
            let secrets = SecretPlaces()
            let before = problems.errors
            var places = Places()
            var support: [GatewayName: String] = [:]
            let gateways = gateways(
                map.required("gateways", "a map of gateways such as {laozhang: {kind: laozhang, ...}}"),
                secrets,
                folder,
                &places,
                &support
            )
            let sound = problems.errors == before && !gateways.isEmpty
            let watch = map["watch"]?.map("a map such as {every: 15 minutes, zone: Europe/Berlin}") { watch in
                (every: watch["every"]?.span(), zone: watch["zone"]?.timeZone())
            }
            let state = map["state"]?.path(from: folder, "a path") ?? "/var/lib/keyturn"
            let policies = map["policies"]?.path(from: folder, "a path") ?? "\(folder)/policies"
            let settings = Settings(
                file: file,
                gateways: gateways,
                watchEvery: watch?.every ?? .minutes(15),
                watchZone: watch?.zone ?? .gmt,
                stateFolder: stateDirectory ?? state,
                policyFolder: normalised(policies),
                mail: map["mail"]?.mail(secrets, folder),
                webhooks: map["webhooks"]?.webhooks(secrets, folder) ?? [],
                audits: map["audits"]?.audits() ?? AuditSettings(),
                support: support
            )
            for key in map.present(["mail", "webhooks", "audits"]) { places.note(.settings(key), map[key]?.place) }
            return Draft(settings: settings, secrets: secrets.all, gatewaysAreSound: sound, places: places)
        }
    }

    /// systemd sets it for a unit with `StateDirectory=`; several are separated by colons.
    private var stateDirectory: String? {
        environment["STATE_DIRECTORY"]?.split(separator: ":").first.flatMap { $0.hasPrefix("/") ? normalised(String($0)) : nil }
    }

    private func gateways(
        _ value: YAMLValue?, _ secrets: SecretPlaces, _ folder: String, _ places: inout Places, _ support: inout [GatewayName: String]
    ) -> [GatewayName: GatewaySettings] {
        let expected = "a map of gateways such as {laozhang: {kind: laozhang, ...}}"
        var gateways: [GatewayName: GatewaySettings] = [:]
        _ = value?.map(expected) { map in
            let entries = map.all()
            if entries.isEmpty { map.refuse("found no gateway, expected at least one") }
            for (name, place, value) in entries {
                if name.wholeMatch(of: /[A-Za-z0-9._-]{1,64}/) == nil {
                    map.document.problems.add(
                        "gateways: found the name \(quoted(name)), expected letters, digits, '.', '_' and '-', at most 64",
                        at: place
                    )
                }
                gateways[GatewayName(name)] = gateway(value, secrets, folder, support: &support[GatewayName(name)]) {
                    places.note(.capacity(GatewayName(name)), $0)
                }
            }
        }
        return gateways
    }

    private func gateway(
        _ value: YAMLValue, _ secrets: SecretPlaces, _ folder: String, support: inout String?, capacityStands: (FilePosition?) -> Void
    ) -> GatewaySettings? {
        value.map("a map with kind, url and admin_token") { map in
            let kinds = gatewayKinds.sorted().map { ($0, $0) }
            let kind = map.required("kind", "one of \(gatewayKinds.sorted().joined(separator: ", "))")?.word(of: kinds)
            let url = map.required("url", "its base such as https://api.laozhang.ai")?.webURL(isBase: true)
            let token = map.required("admin_token", SecretSource.expected)?.secretSource(
                for: "admin_token of gateway \(map.label)",
                secrets,
                folder
            )
            let requests = map["requests"]?.map("a map such as {concurrent: 8, timeout: 30s}") { requests in
                (
                    concurrent: requests["concurrent"]?.integer(in: 1...64),
                    timeout: requests["timeout"]?.span(in: (.seconds(1), .minutes(5)))
                )
            }
            support = map["support"]?.mailAddress()
            defer { capacityStands(map["capacity"]?.place) }
            return GatewaySettings(
                kind: kind ?? "",
                url: url ?? "",
                adminToken: token ?? .file(""),
                capacity: map["capacity"]?.numberOrUnlimited(),
                concurrent: requests?.concurrent ?? 8,
                timeout: requests?.timeout ?? .seconds(30),
                currency: map["currency"]?.currency() ?? "USD"
            )
        }
    }
}

extension YAMLValue {
    /// Nil is unlimited (or refused).
    func numberOrUnlimited() -> Int? {
        plainText == "unlimited" ? nil : integer(in: 1...1_000_000_000, or: " or unlimited")
    }

    fileprivate func audits() -> AuditSettings? {
        map("a map such as {weekly: Mon 09:00, monthly: 1 09:00, quarterly: 1 09:00}") { map in
            AuditSettings(
                weekly: map["weekly"]?.auditTime(weekly: true),
                monthly: map["monthly"]?.auditTime(weekly: false),
                quarterly: map["quarterly"]?.auditTime(weekly: false)
            )
        }
    }
}

/// The path from the root, by the current folder where it is relative.
func absolute(_ path: String) -> String {
    normalised(path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)")
}

extension String {
    /// Of a normalised path; empty for what lies directly under the root.
    var deletingLastComponent: String { String(self[..<(lastIndex(of: "/") ?? startIndex)]) }
}
