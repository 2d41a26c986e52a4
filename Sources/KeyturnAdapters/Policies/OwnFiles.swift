import Foundation
import KeyturnCore

/// What Keyturn itself lives on: a target there would overwrite its settings, its journal or its keys with a secret.
struct OwnFiles {
    private var folders: [(path: String, use: String)] = []
    private var files: [(path: String, use: String)] = []

    init(settingsFile: String, _ settings: Settings, _ secrets: [SecretPlace], _ drafts: [PolicyDraft]) {
        folders.append((OwnFiles.real(settings.stateFolder), "the state folder"))
        folders.append((OwnFiles.real(settings.policyFolder), "the folder of policies"))
        files.append((OwnFiles.real(settingsFile), "the settings"))
        for place in secrets {
            if case .file(let path) = place.source { files.append((OwnFiles.real(path), "the \(place.use)")) }
        }
        for (_, target) in drafts.flatMap(\.targets) {
            if case .template(.file(let path)) = target.value.format { files.append((OwnFiles.real(path), "a template")) }
        }
    }

    /// One error for each target that is one of them, whatever links lead there.
    func problems(in drafts: [PolicyDraft]) -> [Problem] {
        drafts.flatMap(\.targets).compactMap { _, target in
            let path = OwnFiles.real(target.value.file)
            let use = files.first { $0.path == path }?.use ?? folders.first { path == $0.path || path.hasPrefix($0.path + "/") }?.use
            guard let use else { return nil }
            return Problem(
                place: target.place,
                message:
                    "found the target \(quoted(target.value.file)), which is or lies in \(use) of Keyturn itself, expected a file of its consumers"
            )
        }
    }

    /// Links resolved as far as the path exists, `..` and the like taken out.
    private static func real(_ path: String) -> String {
        let file = URL(filePath: path).standardizedFileURL
        if FileManager.default.fileExists(atPath: file.path) { return file.resolvingSymlinksInPath().path }
        // What does not exist yet is made in its folder.
        return file.path == "/" ? "/" : real(file.deletingLastPathComponent().path) + "/" + file.lastPathComponent
    }
}
