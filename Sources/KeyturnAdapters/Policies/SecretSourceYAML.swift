package import KeyturnCore

/// Where the settings name a secret, and what it is for.
package struct SecretPlace: Sendable, Equatable {
    package var source: SecretSource
    /// As in `admin_token of gateway laozhang`.
    package var use: String
    package var place: FilePosition

    /// Why the secret cannot be had in this process; its content is not read.
    ///
    /// Apart from reading the settings, as commands that need no secret run without it.
    package func problem(environment: [String: String]) -> Problem? {
        func problem(_ found: String, _ expected: String, isPermission: Bool = false) -> Problem {
            Problem(place: place, message: "\(use): found \(found), expected \(expected)", isPermission: isPermission)
        }
        switch source {
        case .environment(let name):
            let isSet = environment[name].map { !$0.isEmpty } ?? false
            return isSet ? nil : problem("no environment variable \(name) (or an empty one)", "it to hold the secret")
        case .credential(let name):
            guard let folder = environment["CREDENTIALS_DIRECTORY"], !folder.isEmpty else {
                return problem(
                    "no $CREDENTIALS_DIRECTORY for the credential \(name)",
                    "a unit with LoadCredential=\(name):PATH (or LoadCredentialEncrypted=), for which systemd sets it"
                )
            }
            return unreadable("\(folder)/\(name)").map {
                problem($0.found, "a credential, by LoadCredential=\(name):PATH in the unit", isPermission: $0.isPermission)
            }
        case .file(let path):
            return unreadable(path).map { problem($0.found, "a file that holds the secret", isPermission: $0.isPermission) }
        }
    }

    /// Those of all places, in their order.
    package static func problems(of places: [SecretPlace], environment: [String: String]) -> [Problem] {
        places.compactMap { $0.problem(environment: environment) }
    }

    private func unreadable(_ path: String) -> (found: String, isPermission: Bool)? {
        do throws(RegularFile.Unusable) {
            return try RegularFile.size(path) == 0 ? ("\(path): an empty file", false) : nil
        } catch {
            return ("\(path): \(error.found)", error.isPermission)
        }
    }
}

/// Gathers them while settings are read.
final class SecretPlaces {
    private(set) var all: [SecretPlace] = []

    func add(_ place: SecretPlace) { all.append(place) }
}

extension SecretSource {
    static let expected = "{credential: NAME}, {file: PATH} or {env: NAME}"
}

extension YAMLValue {
    /// Never quotes what stands here: someone may have written the secret itself.
    func secretSource(for use: String, _ secrets: SecretPlaces, _ folder: String) -> SecretSource? {
        let source: SecretSource? =
            map(SecretSource.expected, secret: true) { map -> SecretSource? in
                guard map.present(["credential", "file", "env"]).count == 1 else {
                    map.refuse("found \(map.present(["credential", "file", "env"]).count) of credential, file and env, expected one")
                    return nil
                }
                let credential = map["credential"]?.matching("the name of a systemd credential", secret: true) {
                    $0.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9._-]{0,127}/) != nil && !$0.hasPrefix("sk-")
                }
                let file = map["file"]?.path(from: folder, "a path")
                let variable = map["env"]?.matching("the name of an environment variable", secret: true) {
                    $0.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]{0,127}/) != nil
                }
                return credential.map(SecretSource.credential) ?? file.map(SecretSource.file) ?? variable.map(SecretSource.environment)
            } ?? nil
        if let source { secrets.add(SecretPlace(source: source, use: use, place: place)) }
        return source
    }
}
