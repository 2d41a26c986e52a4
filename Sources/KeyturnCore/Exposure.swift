/// Why others than its consumers may come by what lies in a target.
package enum Exposure: Sendable, Equatable {
    /// Everybody on the host may read it: by the mode that the policy gives it, else as it lies there.
    case everybody(policyMode: UInt16?)
    /// A group may that the policy does not name.
    case group(String, policyMode: UInt16?)
    /// It lies in a git work tree, by its top, and git does not ignore it.
    case workTree(String)

    /// What tells the exposures of one file apart.
    package var word: String {
        switch self {
        case .everybody: "everybody"
        case .group: "group"
        case .workTree: "git"
        }
    }

    /// Goes on behind the file's path.
    package var sentence: String {
        switch self {
        case .everybody(nil): " is readable by everybody"
        case .everybody(let mode?): " is readable by everybody by its mode \(String(mode, radix: 8))"
        case .group(let name, nil): " is readable by the group \(name), which its policy does not name"
        case .group(let name, let mode?):
            " is readable by the group \(name) by its mode \(String(mode, radix: 8)), and the policy names no group"
        case .workTree(let root): " lies in the git work tree \(root) and git does not ignore it: the secret may be committed"
        }
    }

    package var help: String {
        switch self {
        case .everybody(nil): "chmod o-r it"
        case .everybody(_?): "take that right out of the policy's mode"
        case .group(let name, nil): "chmod g-r it, or write group: \(name) where the policy delivers it"
        case .group(let name, _?): "write group: \(name) where the policy delivers it, or take that right out of its mode"
        case .workTree: "add it to .gitignore, or deliver it elsewhere"
        }
    }

    /// Who may read a target.
    /// - Parameters:
    ///   - present: the permission bits of what lies there, nil where nothing does.
    ///   - group: the name of the group that it belongs to; nil where that is nobody's but its owner's own.
    package static func readers(of target: TargetPolicy, present: UInt16?, group: String?) -> Exposure? {
        if let mode = target.mode, mode & 0o004 != 0 { return .everybody(policyMode: mode) }
        if let present, present & 0o004 != 0 { return .everybody(policyMode: nil) }
        // Who names the group means it.
        guard target.group == nil, let group else { return nil }
        if let mode = target.mode, mode & 0o040 != 0 { return .group(group, policyMode: mode) }
        if let present, present & 0o040 != 0 { return .group(group, policyMode: nil) }
        return nil
    }
}
