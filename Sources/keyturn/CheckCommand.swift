import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore

struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Validate settings and policies; warn of what will hurt.",
        discussion: "PATH is a keyturn.yaml, a policy file or a folder of policies; without it the settings in force."
    )

    @OptionGroup var site: SiteOptions
    @Argument(help: "What to check.", completion: .file(extensions: ["yaml", "yml"])) var path: String?

    func run() throws {
        let environment = ProcessInfo.processInfo.environment
        let target = try CheckTarget(path, fallback: site.file)
        let warnings: [Problem]
        let summary: String
        switch target {
        case .settings(let file):
            let configuration = try Configuration.load(
                settingsFile: file, environment: environment, gatewayKinds: House.gatewayKinds, triesSecrets: true
            )
            warnings = configuration.warnings + Foresight(configuration).problems()
            summary = CheckCommand.summary(configuration.policies)
        case .policies(let file):
            let reading = try PolicyReader(gateways: nil).read(file)
            warnings = reading.warnings + Foresight.problems(of: reading.policies, reading.places)
            summary = CheckCommand.summary(reading.policies) + " (their gateways were not looked up)"
        }
        for warning in warnings { Terminal.print(Colour.yellow.paint("\(warning.place): warning: \(warning.message)")) }
        Terminal.print(summary + (warnings.isEmpty ? "" : ", with \(CheckCommand.count(warnings.count, "warning"))"))
    }

    private static func summary(_ policies: [Policy]) -> String {
        "no errors in \(policies.count == 1 ? "1 policy" : "\(policies.count) policies") of \(count(policies.flatMap(\.tokens).count, "token"))"
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}

/// What kind of thing a path names.
private enum CheckTarget {
    case settings(String)
    case policies(String)

    init(_ path: String?, fallback: String) throws {
        guard let path else {
            self = .settings(fallback)
            return
        }
        var isFolder: ObjCBool = false
        if unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            let settings = path + "/keyturn.yaml"
            self = FileManager.default.fileExists(atPath: settings) ? .settings(settings) : .policies(path)
            return
        }
        // A policy says which environment it is for, settings never do; what says neither is read as its name suggests.
        let lines = ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n")
        let has = { (key: String) in lines.contains { $0.hasPrefix(key) } }
        let isSettings = has("gateways:") || (path as NSString).lastPathComponent.hasPrefix("keyturn.")
        self = isSettings && !has("environment:") && !has("tokens:") ? .settings(path) : .policies(path)
    }
}
