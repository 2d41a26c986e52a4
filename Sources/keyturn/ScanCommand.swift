import ArgumentParser
import Foundation
import Glibc
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

struct ScanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan", abstract: "Find managed tokens in files, archives, standard input and git histories.",
        discussion: """
            PATH is a file, a folder, an archive (tar, zip, 7z, cpio, ar; gzip, xz, zstd, bzip2, lz4), the top of a git work tree or a bare \
            repository, whose whole history is searched too, or - for standard input. Secrets are known by their fingerprints, those of \
            revoked generations too. Links are not followed.

            Exit codes: 0 nothing of ours was found, 1 something was, or a PATH could not be looked at, 77 the host's key may not be read. \
            What lies in the keyring, or in a target where it was delivered, is expected and no find; what only looks like a key is told \
            and no find.
            """
    )

    @OptionGroup var site: SiteOptions
    @Argument(help: "What to look into; - is standard input.", completion: .file()) var paths: [String]
    @Flag(
        name: [.customLong("git"), .customLong("history")],
        help: "Also the history of every repository below a PATH, and of the one around it.")
    var git = false
    @Flag(name: .customLong("no-git"), help: "No history, only files.") var noGit = false
    @Flag(help: "One JSON document.") var json = false

    func validate() throws {
        if paths.isEmpty { throw ValidationError("name what to look into") }
        if git, noGit { throw ValidationError("--git and --no-git exclude each other") }
    }

    /// Bytes that this process may ask for, and each git that it starts: a hostile archive must not take the host's memory.
    private static let memory: rlim_t = 1 << 30

    func run() throws {
        // The administrator's own rights decide what is read, the service's what is known.
        let (matcher, expected) = try known()
        StepDown.back()
        ScanCommand.limitMemory()
        if matcher.generations.isEmpty {
            Terminal.error("the journal knows no secret yet: only what looks like a key can be told")
        }
        let progress = ScanProgress()
        let scan = Scan(matcher, expected: expected, histories: noGit ? .none : git ? .all : .ofPaths, progress: progress.show)
        for path in paths { scan.look(at: path) }
        let report = scan.finish()
        if json { try JSONOutput.print(ScanDocument(report)) } else { ScanText(report).print() }
        if !report.finds.isEmpty || report.isIncomplete { try Exit.failed.leave() }
    }

    /// Never raises what the host allows already.
    private static func limitMemory() {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) == 0, limit.rlim_cur > memory else { return }
        limit.rlim_cur = memory
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit)
    }

    /// All that the state has to say, so that nothing of it is open afterwards.
    private func known() throws -> (SecretMatcher, ExpectedPlaces) {
        let site = try site.look(.readable, stepsBack: true)
        let generations = try site.house.journal.fingerprinted()
        let matcher = SecretMatcher(generations, generations.isEmpty ? nil : try site.house.fingerprinter())
        let tokens = try site.house.journal.ledger()
        return (matcher, ExpectedPlaces(keyring: site.house.keyringPath, tokens: tokens, policies: site.policies))
    }
}

/// Shows a few times a second how far a scan has come.
private final class ScanProgress {
    private var next = ContinuousClock.now

    func show(_ report: ScanReport, _ path: String) {
        let now = ContinuousClock.now
        guard now >= next else { return }
        next = now + .milliseconds(200)
        let finds = report.finds.isEmpty ? "" : ", \(report.finds.count) found"
        Terminal.progress("\(ScanText.size(report.bytes))\(finds): \(path)")
    }
}
