import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

/// What is allowed and will hurt: the warnings of `check` that look beyond the text of the files.
struct Foresight {
    private let configuration: Configuration

    init(_ configuration: Configuration) { self.configuration = configuration }

    func problems() -> [Problem] {
        // The journal comes last: looking into it, root becomes the user that it belongs to.
        let kinds = configuration.settings.gateways.mapValues(\.kind)
        return Foresight.problems(of: configuration.policies, configuration.places, kinds: kinds) + secretProblems() + idleProblems()
            + capacityProblems() + copyProblems()
    }

    /// Secrets of the host's own that others may read.
    private func secretProblems() -> [Problem] {
        configuration.secrets.compactMap { secret in
            guard case .file(let path) = secret.source, let attributes = try? FileManager.default.attributesOfItem(atPath: path),
                let mode = attributes[.posixPermissions] as? Int, mode & 0o044 != 0
            else { return nil }
            let group = attributes[.groupOwnerAccountName] as? String ?? "its group"
            let who = mode & 0o004 != 0 ? "everybody may read \(path): chmod 600 it" : "the group \(group) may read \(path): chmod g-r it"
            return Problem(place: secret.place, message: "\(secret.use): \(who)", severity: .warning)
        }
    }

    /// What is understood and not acted on yet must not be counted on.
    private func idleProblems() -> [Problem] {
        let settings = configuration.settings
        var idle: [(name: String, part: Places.Part)] = []
        if settings.audits != AuditSettings() { idle.append(("audits", .settings("audits"))) }
        guard let first = idle.first else { return [] }
        let names = idle.map(\.name).joined(separator: ", ")
        let message = "\(names): understood, and not acted on by this version"
        return [problem(message, at: first.part)]
    }

    /// At its place in the settings, or at them as a whole.
    private func problem(_ message: String, at part: Places.Part) -> Problem {
        let place = configuration.places[part] ?? FilePosition(file: configuration.settings.file)
        return Problem(place: place, message: message, severity: .warning)
    }

    /// `kinds`: of the gateways; one that is not known may be of any kind.
    static func problems(of policies: [Policy], _ places: Places, kinds: [GatewayName: String] = [:]) -> [Problem] {
        let surroundings = HostSurroundings { () throws(KeyringError) in throw KeyringError("nothing is compared") }
        return policies.flatMap { policy in
            let words = kinds[policy.gateway].map { House.permissions[$0] ?? [] } ?? House.permissions.values.flatMap(\.self)
            let problems = policy.tokens.flatMap { token in
                let all =
                    messages(of: token).map { (Places.Part.rule(token.name, $0.key), "\(token.name): \($0.message)") }
                    + permissions(of: token, words).map { (.rule(token.name, "permissions"), $0) }
                    + token.targets.flatMap { target in
                        TargetForesight(target: target, surroundings: surroundings).messages.map {
                            (.target(token.name, target.id), "\(token.name): \($0)")
                        }
                    }
                return all.map { part, message in
                    let place = places[part] ?? places[.token(token.name)] ?? FilePosition(file: policy.file)
                    return Problem(place: place, message: message, severity: .warning)
                }
            }
            // What stands in the defaults is said once and not for each token.
            return problems.enumerated().filter { index, problem in !problems[..<index].contains(problem) }.map(\.element)
        }
    }

    /// Words that the gateway's documentation does not name: it may know more than it documents, but a slip is likelier.
    private static func permissions(of token: TokenPolicy, _ known: [String]) -> [String] {
        guard case .only(let words) = token.attributes.permissions, !known.isEmpty else { return [] }
        return words.filter { !known.contains($0) }.map { word in
            let near = nearest(to: word, among: known).map { " (did you mean '\($0)'?)" } ?? ""
            return "permissions: found '\(word)', which the gateway does not document, expected \(known.joined(separator: ", "))\(near)"
        }
    }

    /// With the key that each is about.
    private static func messages(of token: TokenPolicy) -> [(key: String, message: String)] {
        var messages: [(key: String, message: String)] = []
        if token.environment == "prod", token.overlap.quietFor.isZero {
            let message = "quiet_for: 0s revokes by time and applied targets alone; a production token may still be in use"
            messages.append(("overlap", message))
        }
        if case .after(let life) = token.expires, token.rotate != .never {
            let seconds = life.approximateSeconds
            if seconds - token.overlap.atLeast.approximateSeconds - 86400 < seconds / 10 {
                let overlap = token.overlap.atLeast
                let message = "an expiry after \(life) leaves no room for an overlap of \(overlap) and a day"
                messages.append(("expires", message + ": it is replaced at half of its life"))
            }
        }
        return messages
    }

    /// A rotation needs a second place for its token as long as its overlap lasts: with none free, nothing can be rotated.
    private func capacityProblems() -> [Problem] {
        let settings = configuration.settings
        guard settings.gateways.values.contains(where: { $0.capacity != nil }) else { return [] }
        let agenda = agenda()
        return settings.gateways.sorted { $0.key < $1.key }.compactMap { name, gateway in
            guard let capacity = gateway.capacity else { return nil }
            let count = configuration.tokens.count { $0.gateway == name }
            var message = "gateway \(name) holds \(capacity) tokens and the policies ask for \(count)"
            if count >= capacity {
                message += ": none can be rotated without a free place"
            } else if let peak = agenda.peaks[name], peak.count > capacity {
                message +=
                    ", which leaves \(capacity - count) for overlaps, and \(peak.count - count) overlap at once on \(peak.at.iso.prefix(10)): "
                    + "rotations will wait; spread them by jitter, shorten overlaps or raise the capacity"
            } else {
                return nil
            }
            return problem(message, at: .capacity(name))
        }
    }

    /// Copies of targets beside them that hold a secret of ours, as far as this user may read journal and keyring.
    private func copyProblems() -> [Problem] {
        let environment = ProcessInfo.processInfo.environment
        guard let house = try? House(configuration.settings, environment: environment, makes: false),
            let generations = try? house.journal.fingerprinted(), !generations.isEmpty
        else { return [] }
        let known = Dictionary(generations.map { ($0.fingerprint, $0) }) { $0.isAlive ? $0 : $1 }
        let files = Set(configuration.tokens.flatMap(\.targets).map(\.file))
        var seen: Set<String> = []
        return configuration.tokens.flatMap { token in
            token.targets.filter { seen.insert($0.file).inserted }.flatMap { target in
                let copies = ((try? house.surroundings.copies(beside: target.file)) ?? []).filter { !files.contains($0.path) }
                return copies.compactMap { copy -> Problem? in
                    let held = copy.fingerprints.compactMap { known[$0] }.sorted { $0.name < $1.name }
                    guard let generation = held.first(where: \.isAlive) ?? held.first else { return nil }
                    let message = "\(copy.path) is a copy of it and holds the secret of \(generation.name)"
                    let part = Places.Part.target(token.name, target.id)
                    return problem("\(token.name): \(target.file): \(message): remove it (shred -u)", at: part)
                }
            }
        }
    }

    /// A year ahead, from the journal; where this user may not read it, as if all were issued now.
    private func agenda() -> Agenda {
        let now = HostClock.now()
        let environment = ProcessInfo.processInfo.environment
        let house = try? House(configuration.settings, environment: environment, makes: false)
        let known = house.flatMap { try? Site(configuration, house: $0).tokens() }
        let tokens = known ?? configuration.tokens.map { Token(name: $0.name, environment: $0.environment, gateway: $0.gateway) }
        let policies = Dictionary(configuration.tokens.map { ($0.name, $0) }) { first, _ in first }
        return Agenda(tokens: tokens, policies: policies, from: now, until: TimeSpan.months(12).after(now.wall))
    }
}
