package import Foundation

/// The host's settings, `keyturn.yaml`, defaults filled in and paths made absolute.
package struct Settings: Sendable, Equatable {
    package var file: String
    package var gateways: [GatewayName: GatewaySettings]
    /// How often readings, trials and drift checks fall due.
    package var watchEvery: TimeSpan
    /// Whose days and months usage is summed by.
    package var watchZone: TimeZone
    package var stateFolder: String
    package var policyFolder: String
    package var mail: MailSettings?
    package var webhooks: [WebhookSettings]
    package var audits: AuditSettings
    /// The mail address of a gateway's people, for a leak's report; one that is missing is its kind's own. Not the gateway's settings: nothing
    /// that failed is tried again because it changed.
    package var support: [GatewayName: String]

    package init(
        file: String, gateways: [GatewayName: GatewaySettings], watchEvery: TimeSpan = .minutes(15), watchZone: TimeZone = .gmt,
        stateFolder: String, policyFolder: String,
        mail: MailSettings? = nil, webhooks: [WebhookSettings] = [], audits: AuditSettings = AuditSettings(),
        support: [GatewayName: String] = [:]
    ) {
        self.file = file
        self.gateways = gateways
        self.watchEvery = watchEvery
        self.watchZone = watchZone
        self.stateFolder = stateFolder
        self.policyFolder = policyFolder
        self.mail = mail
        self.webhooks = webhooks
        self.audits = audits
        self.support = support
    }
}

package struct GatewaySettings: Sendable, Equatable {
    /// Which file of code speaks to it, `laozhang`.
    package var kind: String
    /// Without a slash at its end.
    package var url: String
    package var adminToken: SecretSource
    /// How many living tokens the account may hold; nil is unlimited.
    package var capacity: Int?
    package var concurrent: Int
    /// For one whole request.
    package var timeout: TimeSpan
    package var currency: String

    package init(
        kind: String, url: String, adminToken: SecretSource, capacity: Int? = nil, concurrent: Int = 8, timeout: TimeSpan = .seconds(30),
        currency: String = "USD"
    ) {
        self.kind = kind
        self.url = url
        self.adminToken = adminToken
        self.capacity = capacity
        self.concurrent = concurrent
        self.timeout = timeout
        self.currency = currency
    }
}

/// Where a secret of the host's own is read from.
package enum SecretSource: Sendable, Equatable, CustomStringConvertible {
    /// `$CREDENTIALS_DIRECTORY/NAME`, set by systemd.
    case credential(String)
    case file(String)
    case environment(String)

    package var description: String {
        switch self {
        case .credential(let name): "credential \(name)"
        case .file(let path): "file \(path)"
        case .environment(let name): "environment variable \(name)"
        }
    }
}

package struct MailSettings: Sendable, Equatable {
    package var from: String
    package var to: [String]
    package var transport: Transport
    /// The least severity it is told of.
    package var severity: Severity

    package enum Transport: Sendable, Equatable {
        case sendmail(String)
        /// `caFile`: PEM of the authorities to trust instead of the system's.
        case smtp(url: String, user: String?, password: SecretSource?, caFile: String? = nil)
    }

    package init(from: String, to: [String], transport: Transport, severity: Severity = .warning) {
        self.from = from
        self.to = to
        self.transport = transport
        self.severity = severity
    }
}

/// How much a finding matters: `error` means that a person must act.
package enum Severity: String, Sendable, CaseIterable, Comparable {
    case info
    case warning
    case error

    private var rank: Int { Severity.allCases.firstIndex(of: self) ?? 0 }
    package static func < (one: Severity, other: Severity) -> Bool { one.rank < other.rank }
}

package struct WebhookSettings: Sendable, Equatable {
    package var url: String
    /// The least severity it is told of.
    package var severity: Severity
    /// What its messages are signed with; nil: they are not signed.
    package var secret: SecretSource?
    package init(url: String, severity: Severity, secret: SecretSource? = nil) {
        self.url = url
        self.severity = severity
        self.secret = secret
    }
}

package struct AuditSettings: Sendable, Equatable {
    package var weekly: AuditTime?
    package var monthly: AuditTime?
    package var quarterly: AuditTime?
    package init(weekly: AuditTime? = nil, monthly: AuditTime? = nil, quarterly: AuditTime? = nil) {
        self.weekly = weekly
        self.monthly = monthly
        self.quarterly = quarterly
    }
}

/// A day of the week (1 Sunday ... 7 Saturday) or of the month (1 ... 31) with a time of the day.
package struct AuditTime: Sendable, Equatable {
    package var day: Int
    package var minute: Int
    package var zone: TimeZone
    package init(day: Int, minute: Int, zone: TimeZone) {
        self.day = day
        self.minute = minute
        self.zone = zone
    }
}
