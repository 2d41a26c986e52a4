import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

struct TestMailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test-mail", abstract: "Hand a test to mail and to every webhook, and say who took it.",
        discussion: """
            Nothing is looked up in the journal and nothing is written: it works beside a daemon. Exit codes: 0 all have taken it, 1 one has \
            not, 69 one is out of reach, 77 what it needs may not be read by this user, 78 nothing to try, or bad settings.
            """
    )

    @OptionGroup var site: SiteOptions
    @Option(help: ArgumentHelp("Mail to this address instead, and to no webhook.", valueName: "address")) var to: String?
    @Flag(help: "Leave the webhooks alone.") var mailOnly = false
    @Flag(help: "Leave mail alone.") var webhooksOnly = false

    func validate() throws {
        guard !(webhooksOnly && (mailOnly || to != nil)) else {
            throw ValidationError("--webhooks-only stands alone: without --mail-only and --to")
        }
    }

    func run() async throws {
        CommandLog.bootstrap()
        let configuration = try site.load(.readable)
        var settings = configuration.settings
        if let to {
            guard MailAddress.isPlausible(to) else {
                throw Refusal(.configuration, "--to: found '\(to.oneLine.prefix(80))', expected a mail address such as ops@example.com")
            }
            settings.mail?.to = [to]
        }
        if webhooksOnly { settings.mail = nil }
        if mailOnly || to != nil { settings.webhooks = [] }
        try tellOfSecrets(configuration, settings)
        let http = HTTPClient()
        defer { http.shutdown() }
        let couriers = CourierKinds.couriers(for: settings, environment: ProcessInfo.processInfo.environment, http: http)
        guard !couriers.isEmpty else {
            throw Refusal(
                .configuration, "\(configuration.settings.file) names no \(webhooksOnly ? "webhooks" : "mail") to try; see docs/mail.md")
        }
        try await withStop(StopFlag()) { [settings] in try await TestMailCommand.trial(of: couriers, settings) }.leave()
    }

    /// Who may not read a secret learns that, and not that the server refused an empty one.
    private func tellOfSecrets(_ configuration: Configuration, _ settings: Settings) throws {
        let needed = TestMailCommand.secrets(of: settings)
        let problems = SecretPlace.problems(
            of: configuration.secrets.filter { needed.contains($0.source) }, environment: ProcessInfo.processInfo.environment)
        guard problems.isEmpty else { throw ConfigurationErrors(problems: problems) }
    }

    private static func secrets(of settings: Settings) -> [SecretSource] {
        var sources = settings.webhooks.compactMap(\.secret)
        if case .smtp(_, _, let password?, _) = settings.mail?.transport { sources.append(password) }
        return sources
    }

    private static func trial(of couriers: [any Courier], _ settings: Settings) async throws -> Exit {
        let id = "test.\(UUID().uuidString.lowercased())"
        var exits: [Exit] = []
        for courier in couriers {
            let way = TestMailCommand.way(of: courier, settings)
            Terminal.progress("\(way) ...")
            do throws(CourierError) {
                try await courier.hand(over: Message(id: id, at: Date(), items: []))
                Terminal.print(Colour.green.paint("\(way): accepted"))
            } catch {
                let (word, exit): (String, Exit) =
                    switch error {
                    case .unreachable: ("not accepted", .unreachable)
                    case .refused: ("refused", .failed)
                    case .unclear: ("unclear, it may have been accepted", .unreachable)
                    }
                Terminal.print("\(error)", after: "\(way): \(word): ", .red)
                exits.append(exit)
            }
        }
        return exits.contains(.failed) ? .failed : exits.first ?? .done
    }

    /// By whom it goes to whom.
    private static func way(of courier: any Courier, _ settings: Settings) -> String {
        guard let mail = settings.mail, courier.name == "mail" else { return courier.name }
        let by =
            switch mail.transport {
            case .sendmail(let path): path
            case .smtp(let url, let user, _, _): url + (user.map { " as \($0)" } ?? "")
            }
        return "mail to \(mail.to.joined(separator: ", ")) by \(by)"
    }
}
