package import KeyturnCore
package import KeyturnEngine

/// Which courier serves which entry of the settings.
package enum CourierKinds {
    /// Mail first. The host's own secrets are read each time that they are needed.
    package static func couriers(for settings: Settings, environment: [String: String], http: HTTPClient) -> [any Courier] {
        var couriers: [any Courier] = []
        if let settings = settings.mail { couriers.append(mail(settings, environment: environment)) }
        for webhook in settings.webhooks {
            let courier = WebhookCourier(webhook, http: http) { source throws(SecretReader.Failure) -> Secret in
                try SecretReader.read(source, environment: environment)
            }
            couriers.append(courier)
        }
        return couriers
    }

    private static func mail(_ settings: MailSettings, environment: [String: String]) -> any Courier {
        switch settings.transport {
        case .sendmail(let path): SendmailCourier(settings, program: path)
        case .smtp(let url, let user, let password, let caFile):
            SMTPCourier(settings, SMTPServer(url: url, caFile: caFile), user: user) { () throws(SecretReader.Failure) -> Secret? in
                guard let password else { return nil }
                return try SecretReader.read(password, environment: environment)
            }
        }
    }
}
