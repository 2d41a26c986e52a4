import Foundation
import KeyturnAdapters
import KeyturnCore

/// What is allowed and will hurt: the warnings of `check` that look beyond the text of the files.
struct Foresight {
    private let configuration: Configuration

    init(_ configuration: Configuration) { self.configuration = configuration }

    func problems() -> [Problem] {
        configuration.policies.flatMap { policy in policy.tokens.flatMap { Foresight.problems(of: $0, in: policy) } } + capacityProblems()
    }

    /// A rotation needs a second place for its token: with none free, nothing can be rotated.
    private func capacityProblems() -> [Problem] {
        configuration.settings.gateways.sorted { $0.key < $1.key }.compactMap { name, gateway in
            guard let capacity = gateway.capacity else { return nil }
            let count = configuration.tokens.count { $0.gateway == name }
            guard count >= capacity else { return nil }
            let message =
                "gateway \(name) holds \(capacity) tokens and the policies ask for \(count): none can be rotated without a free place"
            return Problem(place: FilePosition(file: configuration.settings.file), message: message, severity: .warning)
        }
    }

    static func problems(of token: TokenPolicy, in policy: Policy) -> [Problem] {
        var messages: [String] = []
        if policy.environment == "prod", token.overlap.quietFor.isZero {
            messages.append("quiet_for: 0s revokes by time and applied targets alone; a production token may still be in use")
        }
        for target in token.targets {
            switch target.then {
            case .reload(let unit): messages.append(unitMessage("reload", unit, target))
            case .restart(let unit): messages.append(unitMessage("restart", unit, target))
            case .run, .signal, nil: break
            }
            messages += placeMessages(target)
        }
        return messages.map { Problem(place: FilePosition(file: policy.file), message: "\(token.name): \($0)", severity: .warning) }
    }

    private static func unitMessage(_ verb: String, _ unit: String, _ target: TargetPolicy) -> String {
        "\(target.file): this version cannot \(verb) \(unit), and does not rotate the token until it can; use then: {run: [...]} meanwhile"
    }

    private static func placeMessages(_ target: TargetPolicy) -> [String] {
        var messages: [String] = []
        let folder = (target.file as NSString).deletingLastPathComponent
        var isFolder: ObjCBool = false
        if unsafe !FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) || !isFolder.boolValue {
            messages.append("\(target.file): its folder does not exist, so nothing can be delivered there")
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: target.file)
        if target.mode == nil, let mode = attributes?[.posixPermissions] as? Int, mode & 0o004 != 0 {
            messages.append("\(target.file) is readable by everybody: chmod o-r it")
        }
        if let work = GitWorkTree(around: folder), !work.ignores(target.file) {
            messages.append("\(target.file) lies in the git work tree \(work.root) and git does not ignore it: the secret may be committed")
        }
        return messages
    }
}
