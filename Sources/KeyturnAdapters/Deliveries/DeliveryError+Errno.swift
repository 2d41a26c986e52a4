import KeyturnEngine
import SystemPackage

extension DeliveryError {
    /// The path, what was tried, what the system said, and what helps.
    init(_ path: String, _ what: String, _ errno: Errno) {
        self.init("\(path): \(what): \(errno)\(DeliveryError.advice(for: errno).map { "; \($0)" } ?? "")")
    }

    private static func advice(for errno: Errno) -> String? {
        switch errno {
        case .noSuchFileOrDirectory: "create its folder first"
        case .notDirectory: "a part of the path is no folder; correct the path"
        case .readOnlyFileSystem: "deliver elsewhere, or under systemd add its folder to ReadWritePaths="
        case .permissionDenied, .notPermitted: "give the daemon's user that right, or name an owner and group that it may set"
        case .noSpace, .diskQuotaExceeded: "free some space"
        case .tooManySymbolicLinkLevels:
            "its folder is reached by a link that neither root nor the daemon's user made, or by too many; name the real path"
        case .fileNameTooLong: "the new file beside it needs a name 18 bytes longer; choose a shorter name"
        default: nil
        }
    }
}
