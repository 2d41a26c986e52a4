import ArgumentParser
import Glibc
import KeyturnAdapters

/// `keyturn`: one executable, one verb a file.
@main
struct Keyturn: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keyturn",
        abstract: "Keeps the API tokens of an LLM gateway young, watched and in the right place.",
        discussion: """
            Exit codes: 0 done or nothing to do, 1 failed, 2 part of it waits, 3 stuck and needs a person, 64 usage, \
            69 gateway out of reach, 77 permission, 78 bad settings or policy.
            """,
        version: "keyturn \(version)",
        subcommands: [
            DaemonCommand.self, CheckCommand.self, PlanCommand.self, StatusCommand.self, RotateCommand.self, RevokeCommand.self,
            LeakCommand.self, AdoptCommand.self, VerifyCommand.self, UsageCommand.self, ScanCommand.self, HistoryCommand.self,
            MetricsCommand.self, TestMailCommand.self, SandboxCommand.self, DemoCommand.self,
        ]
    )

    /// By semver.org: a change of files, JSON keys or exit codes that people rely on raises its first number once it is 1.
    static let version = "0.1.0"

    /// The parser would call a misspelt verb an unexpected argument.
    private static func refuseUnknownVerb(_ word: String?) throws {
        let verbs = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard let word, !verbs.contains(word), word != "help" else { return }
        if word.hasPrefix("--config") { throw ValidationError("--config stands behind the verb: keyturn status --config FILE") }
        guard !word.hasPrefix("-") else { return }
        let meant = nearest(to: word, among: verbs).map { "did you mean \($0)?" } ?? "there are \(verbs.joined(separator: ", "))"
        throw ValidationError("there is no verb '\(word)' (\(meant))")
    }

    static func main() async {
        // What keyturn creates is its owner's alone, whatever the shell that started it thinks.
        umask(0o077)
        // Secrets are in memory: no image of it is written down.
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        FatalSignals.endTheProcess()
        // A reader that goes away ends a write with an error, not the process with a signal.
        _ = signal(SIGPIPE, SIG_IGN)
        do {
            try refuseUnknownVerb(CommandLine.arguments.dropFirst().first)
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            ExitReport.end(with: error)
        }
    }
}
