import Foundation
import Testing

/// A systemd-journald of the test's own, see Tests/tools/with-journald.
struct RealJournalTests {
    @Test(.enabled(if: PrivateJournal.works, "needs root, unshare and systemd-journald"))
    func `a journald reads back every field, and nothing that a gateway forged`() throws {
        let entries = try PrivateJournal.entries(of: "log")
        try #require(entries.count == 3)

        let warning = entries[0]
        let expected = [
            "MESSAGE": "prod-webapp-api: the new secret is refused", "PRIORITY": "4", "SYSLOG_IDENTIFIER": "keyturn",
            "_TRANSPORT": "journal",
            "MESSAGE_ID": "5a1c7f0e2b9d4c51a6f0c3d2e1b4a597", "CODE_FILE": "logprobe/LogProbe.swift",
            "KEYTURN_TOKEN": "prod-webapp-api", "KEYTURN_ENVIRONMENT": "prod", "KEYTURN_STEP": "verify", "KEYTURN_ROTATION": "7",
            "KEYTURN_GENERATION": "prod-webapp-api-2026-11", "KEYTURN_CODE": "secret-refused", "KEYTURN_HTTP_STATUS": "401",
        ]
        for (field, value) in expected { #expect(warning[field] == value, "\(field)") }

        let error = entries[1]
        #expect(error["MESSAGE"] == #"prod-webapp-api: two\nlines \u{1B}[31mred"#)
        #expect(error["PRIORITY"] == "3")
        #expect(error["KEYTURN_ANSWER"] == #"PRIORITY=0\nMESSAGE=forged"#)

        #expect(entries[2]["MESSAGE"]?.utf8.count == "prod-webapp-api: ".utf8.count + 300_000)
    }
}

/// Runs `logprobe` under a private journald with its stderr connected to the journal, as systemd does it for a service.
private enum PrivateJournal {
    private static let tool = Repository.path("Tests/tools/with-journald")

    /// Whether this user may have a mount namespace, tried out, and the machine has a journald.
    static let works: Bool = {
        guard FileManager.default.isExecutableFile(atPath: "/lib/systemd/systemd-journald") else { return false }
        let run = try? LogProbeRun(under: ["unshare", "--mount", "--propagation", "private"])
        return run?.status == 0
    }()

    /// The entries that the probe sent, oldest first. Each value must be text: journalctl shows one with control characters as an array
    /// of bytes, which does not decode here.
    static func entries(of command: String) throws -> [[String: String]] {
        try withScratchDirectory { directory in
            // systemd sets $JOURNAL_STREAM for a service; systemd-cat connects the streams, but sets it only in later versions.
            let service = #"JOURNAL_STREAM=$(stat -L -c %d:%i /proc/self/fd/2) exec "$0" "$@""#
            let run = try LogProbeRun(command, under: [tool, directory.path, "systemd-cat", "sh", "-c", service])
            try #require(run.status == 0, "\(run.errors)")
            let journalctl = Process()
            journalctl.executableURL = URL(filePath: "/usr/bin/journalctl")
            journalctl.arguments = ["--directory=\(directory.path)", "--all", "--no-pager", "--output=json", "SYSLOG_IDENTIFIER=keyturn"]
            let output = Pipe()
            journalctl.standardOutput = output
            try journalctl.run()
            let lines = output.fileHandleForReading.readDataToEndOfFile().split(separator: UInt8(ascii: "\n"))
            journalctl.waitUntilExit()
            return try lines.map { try JSONDecoder().decode([String: String].self, from: $0) }
        }
    }
}
