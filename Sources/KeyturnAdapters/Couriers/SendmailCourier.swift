import Glibc
package import KeyturnCore
package import KeyturnEngine

/// Mail by the host's own `sendmail`: whatever answers to that name, a whole mail system or a small relay.
///
/// What it accepts is its to deliver, with a queue of its own where it has one.
package struct SendmailCourier: Courier {
    package let name = "mail"
    package let severity: Severity
    private let settings: MailSettings
    private let program: String

    package init(_ settings: MailSettings, program: String) {
        severity = settings.severity
        self.settings = settings
        self.program = program
    }

    package func hand(over message: Message) async throws(CourierError) {
        let mail = Mail(message, from: settings.from, to: settings.to)
        // -i: a lone dot ends nothing. Recipients are arguments and not read from the header (-t), behind what ends all options.
        // Lines end as the host's do: the interface is older than CRLF, and some implementations double it.
        let command = Command(arguments: [program, "-i", "-f", settings.from, "--"] + settings.to, timeout: .seconds(30))
        guard let failure = await Program(command: command, input: mail.bytes(newline: "\n")).failure() else { return }
        if failure.isNotRun { throw Task.isCancelled ? .unreachable(failure.why) : .refused(failure.why) }
        guard let status = failure.status else { throw .unclear(failure.why) }
        throw SendmailCourier.passing.contains(status) ? .unreachable(failure.why) : .refused(failure.why)
    }

    /// Exit codes (sysexits.h) that may be others tomorrow. 1 is what programs say that know no better.
    private static let passing: Set<Int32> = [1, EX_NOHOST, EX_UNAVAILABLE, EX_OSERR, EX_IOERR, EX_TEMPFAIL]
}
