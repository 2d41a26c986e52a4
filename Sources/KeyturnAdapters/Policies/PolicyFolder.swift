package import Foundation
package import KeyturnCore
import SystemPackage

/// Policies that were read without an error.
package struct PolicyReading: Sendable {
    package var policies: [Policy]
    package var warnings: [Problem]
    package var places: Places
}

/// Reads policy files: one, or all of a folder.
package struct PolicyReader {
    private let context: PolicyContext

    /// Without `gateways` their names and currencies are not checked. `now` tells which `expires` dates are past.
    package init(gateways: [GatewayName: GatewaySettings]? = nil, now: Date = Date()) {
        context = PolicyContext(gateways: gateways, now: now)
    }

    /// A policy file, or a folder of them. Throws every problem of every file at once.
    package func read(_ path: String) throws(ConfigurationErrors) -> PolicyReading {
        let problems = ProblemList()
        let drafts = drafts(at: path, into: problems)
        guard problems.errors == 0 else { throw ConfigurationErrors(problems: problems.all.filter { $0.severity == .error }) }
        return PolicyReading(policies: drafts.map(\.policy), warnings: problems.all, places: drafts.places)
    }

    /// The problems come in the order of files and lines.
    func drafts(at path: String, into problems: ProblemList) -> [PolicyDraft] {
        isFolder(path) ? drafts(inFolder: path, into: problems) : drafts(in: [path], into: problems)
    }

    func drafts(inFolder folder: String, into problems: ProblemList) -> [PolicyDraft] {
        drafts(in: list(folder, into: problems), into: problems)
    }

    private func drafts(in files: [String], into problems: ProblemList) -> [PolicyDraft] {
        let found = ProblemList()
        let drafts = files.compactMap { PolicyDraft.read($0, context, into: found) }
        PolicyConflicts.problems(in: drafts).forEach(found.add)
        for file in files { found.sorted.filter { $0.file == file }.forEach(problems.add) }
        return drafts
    }

    /// The policy files of a folder in the order of their names; hidden files and what editors leave behind are none.
    private func list(_ folder: String, into problems: ProblemList) -> [String] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            let isPermission = isForbidden(folder)
            let found =
                isPermission
                ? "a folder that user \(geteuid()) may not list (permission denied)"
                : isFolder(folder) ? "a folder that cannot be listed" : "no such folder"
            problems.add("found \(found), expected a folder of policies", at: FilePosition(file: folder), isPermission: isPermission)
            return []
        }
        let policies = names.filter { name in
            (name.hasSuffix(".yaml") || name.hasSuffix(".yml")) && !name.hasPrefix(".") && !name.hasPrefix("#") && !name.hasPrefix("~")
        }
        if policies.isEmpty {
            problems.add("found no policy (*.yaml), expected one file an environment", at: FilePosition(file: folder), severity: .warning)
        }
        return policies.sorted().map { "\(folder)/\($0)" }
    }

    /// Is it the rights of this user that lack, on the folder or on the way to it?
    private func isForbidden(_ folder: String) -> Bool {
        do {
            try FileDescriptor.open(FilePath(folder), .readOnly, options: [.closeOnExec, .directory]).close()
            return false
        } catch { return RegularFile.isPermission(error) }
    }

    private func isFolder(_ path: String) -> Bool {
        (try? FileManager.default.attributesOfItem(atPath: URL(filePath: path).resolvingSymlinksInPath().path)[.type] as? FileAttributeType)
            == .typeDirectory
    }
}

extension [PolicyDraft] {
    var places: Places { reduce(into: Places()) { $0.merge($1.places) } }
}
