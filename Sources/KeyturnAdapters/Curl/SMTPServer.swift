import CCurl
import Foundation
import Glibc
package import KeyturnCore
import Synchronization

/// One mail on its way: addresses of the settings, and bytes whose lines end with CRLF. Dots are doubled by libcurl.
package struct SMTPLetter: Sendable {
    package var from: String
    package var to: [String]
    package var bytes: [UInt8]

    package init(from: String, to: [String], bytes: [UInt8]) {
        self.from = from
        self.to = to
        self.bytes = bytes
    }
}

package final class SMTPLogin: Sendable {
    let user: String
    let password: Secret?

    package init(_ user: String, _ password: consuming Secret?) {
        self.user = user
        self.password = password
    }
}

/// Why a mail server has not taken a letter.
package enum SMTPFailure: Error, Sendable, Equatable {
    /// It did not get it, or asked to come again.
    case notTaken(String)
    /// A clear no: the address, the login, the certificate.
    case refused(String)
    /// The whole letter was given to it, and it did not say what became of it.
    case lost(String)
}

/// A mail server by its URL: `smtps://` is TLS from the first byte, `smtp://` is turned into TLS by STARTTLS before anything else is
/// said, or fails. Only to this host itself, where no authority is named, plain SMTP will do.
package struct SMTPServer: Sendable {
    package var url: String
    /// PEM file of the authorities to trust instead of the system's.
    package var caFile: String?

    package init(url: String, caFile: String? = nil) {
        self.url = url
        self.caFile = caFile
    }

    var needsTLS: Bool {
        guard let parts = URLComponents(string: url), parts.scheme == "smtp", caFile == nil else { return true }
        return !["localhost", "127.0.0.1", "::1", "[::1]"].contains(parts.host ?? "")
    }

    /// Mail is rare: each letter has a connection and a thread of its own. Ends within a minute, or soon after its task is cancelled.
    package func take(_ letter: SMTPLetter, as login: SMTPLogin?) async throws(SMTPFailure) {
        let isCancelled = CancelFlag()
        let result: Result<Void, SMTPFailure> = await withTaskCancellationHandler {
            await withCheckedContinuation { answer in
                let thread = Thread {
                    CurlLoop.blockSignals()
                    answer.resume(returning: SMTPTransfer(letter, to: self, as: login, isCancelled).perform())
                }
                thread.name = "keyturn-smtp"
                thread.start()
            }
        } onCancel: {
            isCancelled.raise()
        }
        try result.get()
    }
}

/// Raised by one thread, looked at by another.
final class CancelFlag: Sendable {
    private let flag = Atomic(false)
    var isRaised: Bool { flag.load(ordering: .acquiring) }
    func raise() { flag.store(true, ordering: .releasing) }
}
