import Foundation
package import KeyturnCore
import SystemPackage

/// Reads the host's own secrets from where the settings say, each time they are asked for.
package enum SecretReader {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Longer than any token; a file this long is not one.
    private static let longest = 16384

    package static func read(_ source: SecretSource, environment: [String: String]) throws(Failure) -> Secret {
        switch source {
        case .environment(let name):
            guard let value = environment[name] else { throw Failure(description: "there is no environment variable \(name)") }
            let secret = value.trimmingCharacters(in: .whitespacesAndNewlines)
            guard !secret.isEmpty else { throw Failure(description: "the environment variable \(name) is empty") }
            return Secret(secret)
        case .file(let path): return try file(path)
        case .credential(let name):
            guard let folder = environment["CREDENTIALS_DIRECTORY"], !folder.isEmpty else {
                throw Failure(
                    description:
                        "there is no $CREDENTIALS_DIRECTORY for the credential \(name); systemd sets it for units with LoadCredential=")
            }
            return try file("\(folder)/\(name)")
        }
    }

    /// The credential where systemd has given it; nil where it has not.
    package static func optionalCredential(_ name: String, environment: [String: String]) throws(Failure) -> Secret? {
        guard let folder = environment["CREDENTIALS_DIRECTORY"], !folder.isEmpty,
            FileManager.default.fileExists(atPath: "\(folder)/\(name)")
        else {
            return nil
        }
        return try file("\(folder)/\(name)")
    }

    private static func file(_ path: String) throws(Failure) -> Secret {
        var bytes: [UInt8]
        do {
            guard let content = try OwnedDescriptor.open(toRead: path).readAll(upTo: longest) else {
                throw Failure(description: "\(path) is too long for a secret")
            }
            bytes = content
        } catch let failure as Failure { throw failure } catch { throw Failure(description: "cannot read \(path): \(error)") }
        defer { unsafe bytes.withUnsafeMutableBytes { unsafe Secret.wipe($0) } }
        let isSpace: (UInt8) -> Bool = { $0 == 0x0a || $0 == 0x0d || $0 == 0x20 || $0 == 0x09 }
        let trimmed = bytes.drop(while: isSpace)
        let end = trimmed.lastIndex { !isSpace($0) }.map { $0 + 1 } ?? trimmed.startIndex
        guard end > trimmed.startIndex else { throw Failure(description: "\(path) is empty") }
        return Secret(bytes: trimmed[trimmed.startIndex..<end])
    }
}
