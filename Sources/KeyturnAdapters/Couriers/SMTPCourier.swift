package import KeyturnCore
package import KeyturnEngine

/// Mail straight to a mail server.
package struct SMTPCourier: Courier {
    package let name = "mail"
    package let severity: Severity
    private let settings: MailSettings
    private let server: SMTPServer
    private let user: String?
    private let password: @Sendable () throws(SecretReader.Failure) -> Secret?

    package init(
        _ settings: MailSettings, _ server: SMTPServer, user: String?,
        password: @escaping @Sendable () throws(SecretReader.Failure) -> Secret?
    ) {
        severity = settings.severity
        self.settings = settings
        self.server = server
        self.user = user
        self.password = password
    }

    package func hand(over message: Message) async throws(CourierError) {
        let mail = Mail(message, from: settings.from, to: settings.to)
        let letter = SMTPLetter(from: settings.from, to: settings.to, bytes: mail.bytes(newline: "\r\n"))
        let login: SMTPLogin?
        do throws(SecretReader.Failure) {
            login = try user.map { user throws(SecretReader.Failure) in SMTPLogin(user, try password()) }
        } catch {
            throw .refused(error.description)
        }
        do throws(SMTPFailure) { try await server.take(letter, as: login) } catch {
            switch error {
            case .notTaken(let why): throw .unreachable(why.hidingKeys)
            case .refused(let why): throw .refused(why.hidingKeys)
            case .lost(let why): throw .unclear(why.hidingKeys)
            }
        }
    }
}
