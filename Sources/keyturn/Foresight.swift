import Foundation
import KeyturnAdapters
import KeyturnCore

/// What is allowed and will hurt: the warnings of `check` that look beyond the text of the files.
struct Foresight {
    private let configuration: Configuration

    init(_ configuration: Configuration) { self.configuration = configuration }

    func problems() -> [Problem] {
        // The journal comes last: looking into it, root becomes the user that it belongs to.
        configuration.policies.flatMap(Foresight.problems) + idleProblems() + capacityProblems()
    }

    /// What is understood and not acted on yet must not be counted on.
    private func idleProblems() -> [Problem] {
        let settings = configuration.settings
        var idle: [String] = []
        if settings.mail != nil { idle.append("mail") }
        if !settings.webhooks.isEmpty { idle.append("webhooks") }
        if settings.audits != AuditSettings() { idle.append("audits") }
        if configuration.policies.contains(where: { $0.budget != nil }) { idle.append("the policies' budget") }
        guard !idle.isEmpty else { return [] }
        let message =
            "\(idle.joined(separator: ", ")): understood, and not acted on by this version; findings go to the host's journal alone"
        return [Problem(place: FilePosition(file: settings.file), message: message, severity: .warning)]
    }

    static func problems(of policy: Policy) -> [Problem] {
        policy.tokens.flatMap { token in
            (messages(of: token) + token.targets.flatMap { TargetForesight(target: $0).messages }).map {
                Problem(place: FilePosition(file: policy.file), message: "\(token.name): \($0)", severity: .warning)
            }
        }
    }

    private static func messages(of token: TokenPolicy) -> [String] {
        var messages: [String] = []
        if token.environment == "prod", token.overlap.quietFor.isZero {
            messages.append("quiet_for: 0s revokes by time and applied targets alone; a production token may still be in use")
        }
        if case .after(let life) = token.expires, token.rotate != .never {
            let seconds = life.approximateSeconds
            if seconds - token.overlap.atLeast.approximateSeconds - 86400 < seconds / 10 {
                messages.append(
                    "an expiry after \(life) leaves no room for an overlap of \(token.overlap.atLeast) and a day: it is replaced at half of its life"
                )
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
            return Problem(place: FilePosition(file: settings.file), message: message, severity: .warning)
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
