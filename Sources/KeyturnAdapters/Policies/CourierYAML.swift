import KeyturnCore

extension YAMLValue {
    func mail(_ secrets: SecretPlaces, _ folder: String) -> MailSettings? {
        map("a map such as {from: keyturn@example.com, to: [ops@example.com]}") { map in
            let from = map.required("from", "the sender's address")?.mailAddress()
            let to = map.required("to", "a list of addresses")?.list("a list of addresses such as [ops@example.com]") { $0.mailAddress() }
            if map.present(["sendmail", "smtp"]).count > 1 { map.refuse("found sendmail and smtp, expected one of them") }
            let smtp = map["smtp"]?.smtp(secrets, folder)
            let sendmail = map["sendmail"]?.filePath()
            let transport = smtp ?? .sendmail(sendmail ?? "/usr/sbin/sendmail")
            return MailSettings(from: from ?? "", to: to ?? [], transport: transport, severity: map.leastSeverity())
        } ?? nil
    }

    private func smtp(_ secrets: SecretPlaces, _ folder: String) -> MailSettings.Transport? {
        map("a map such as {url: smtps://mail.example.com, user: keyturn, password: {credential: smtp}}") { map in
            let url = map.required("url", "a mail server such as smtps://mail.example.com")?.mailServerURL()
            let user = map["user"]?.text("the user's name at the mail server")
            let password = map["password"]?.secretSource(for: "password of smtp", secrets, folder)
            if map.present(["user", "password"]).count == 1 { map.refuse("found one of user and password, expected both or none") }
            let caFile = map["ca_file"]?.path(from: folder, "a PEM file of authorities")
            return .smtp(url: url ?? "", user: user, password: password, caFile: caFile)
        }
    }

    func webhooks(_ secrets: SecretPlaces, _ folder: String) -> [WebhookSettings]? {
        var seen: Set<String> = []
        return items("a list such as [{url: https://hooks.example.com/keyturn, severity: warning}]", mayBeEmpty: true)?.compactMap { item in
            item.map("a map such as {url: https://hooks.example.com/keyturn, severity: warning}") { map in
                let url = map.required("url", "the URL that is told of findings")?.webURL(isBase: false)
                if let url, !seen.insert(url).inserted { map["url"]?.refuse(expected: "each URL once", found: "one a second time") }
                let secret = map["secret"]?.secretSource(for: "secret of a webhook", secrets, folder)
                return WebhookSettings(url: url ?? "", severity: map.leastSeverity(), secret: secret)
            }
        }
    }
}

extension YAMLMap {
    fileprivate func leastSeverity() -> Severity {
        self["severity"]?.word(of: Severity.allCases.map { ($0.rawValue, $0) }) ?? .warning
    }
}
