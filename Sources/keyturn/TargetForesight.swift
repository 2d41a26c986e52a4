import Foundation
import Glibc
import KeyturnCore
import KeyturnEngine

/// What this host lacks of one target: its folder, the accounts that are to own it, the programs of its consumer.
///
/// Who checks may be another user than the daemon's: only what is so for everybody is said.
struct TargetForesight {
    let target: TargetPolicy
    let surroundings: any Surroundings

    var messages: [String] { (consumer + accounts + place).map { "\(target.file)\($0)" } }

    private var consumer: [String] {
        let told: [String] =
            switch target.then {
            case .run(let command): program(of: "then", command)
            case .signal(_, let pidFile):
                TargetForesight.isFolder(pidFile.folder)
                    ? [] : [": the folder of its pid_file \(pidFile) does not exist, so nobody is signalled"]
            case .reload(let unit): [unitMessage("reload", unit)]
            case .restart(let unit): [unitMessage("restart", unit)]
            case nil: []
            }
        return told + (target.confirm.map { program(of: "confirm", $0) } ?? [])
    }

    private func program(of key: String, _ command: Command) -> [String] {
        let program = command.arguments.first ?? ""
        var status = stat()
        guard unsafe stat(program, &status) == 0 else {
            return errno == ENOENT || errno == ENOTDIR ? [": \(program) of its \(key) does not exist, so the token is not rotated"] : []
        }
        let isExecutable = status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o111 != 0
        return isExecutable ? [] : [": \(program) of its \(key) is not executable, so the token is not rotated"]
    }

    private func unitMessage(_ verb: String, _ unit: String) -> String {
        ": this version cannot \(verb) \(unit), and does not rotate the token until it can; use then: {run: [...]} meanwhile"
    }

    private var accounts: [String] {
        var messages: [String] = []
        if let owner = target.owner, uid_t(owner) == nil, unsafe getpwnam(owner) == nil {
            messages.append(": its owner \(owner) is no user of this host, so nothing can be delivered there")
        }
        if let group = target.group, gid_t(group) == nil, unsafe getgrnam(group) == nil {
            messages.append(": its group \(group) is no group of this host, so nothing can be delivered there")
        }
        return messages
    }

    private var place: [String] {
        var messages: [String] = []
        if !TargetForesight.isFolder(target.file.folder) {
            messages.append(": its folder does not exist, so nothing can be delivered there")
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: target.file)
        guard attributes == nil || attributes?[.type] as? FileAttributeType != .typeDirectory else {
            return messages + [" is a folder, and a target is a file"]
        }
        return messages + surroundings.exposures(of: target).map { "\($0.sentence): \($0.help)" }
    }

    private static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }
}

extension String {
    /// Of an absolute path.
    fileprivate var folder: String { (self as NSString).deletingLastPathComponent }
}
