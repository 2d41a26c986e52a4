import Foundation
import KeyturnAdapters
import KeyturnCore

/// A temporary folder that goes when the test is over, with readers for what lies in it.
final class Folder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "keyturn-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ text: String, to name: String) throws -> String { try write(Array(text.utf8), to: name) }

    @discardableResult
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: URL(filePath: file).deletingLastPathComponent().path,
            withIntermediateDirectories: true
        )
        try Data(bytes).write(to: URL(filePath: file))
        return file
    }

    /// Messages without the folder's path.
    func lines(_ problems: [Problem]) -> [String] { problems.map { $0.description.replacing(path + "/", with: "") } }

    /// The problems of one policy file, or of a folder of them.
    func policyProblems(_ name: String = "p.yaml", gateways: [GatewayName: GatewaySettings]? = nil) -> [String] {
        do throws(ConfigurationErrors) {
            return lines(try PolicyReader(gateways: gateways, now: Folder.now).read("\(path)/\(name)").warnings).map { "warning \($0)" }
        } catch {
            return lines(error.problems)
        }
    }

    func settingsProblems(_ name: String = "k.yaml") -> [String] {
        do throws(ConfigurationErrors) {
            return lines(try Folder.settingsReader().read("\(path)/\(name)").warnings)
        } catch {
            return lines(error.problems)
        }
    }

    func policy(_ text: String) throws -> Policy {
        let reading = try PolicyReader(now: Folder.now).read(write(text, to: "p.yaml"))
        return reading.policies[0]
    }

    static func settingsReader(_ environment: [String: String] = [:]) -> SettingsReader {
        SettingsReader(environment: environment, gatewayKinds: ["laozhang"])
    }

    /// 30 November 2026, 12:00 UTC
    static let now = Date(timeIntervalSince1970: 1_796_040_000)
}
