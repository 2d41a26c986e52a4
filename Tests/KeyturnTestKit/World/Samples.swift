package import Foundation
package import KeyturnCore

extension TokenPolicy {
    /// `prod-webapp-api`, one file whose consumer reads it by itself.
    package static func sample(
        _ project: String = "webapp", rotate: RotateRule = .every(.months(3), window: nil, jitter: .zero), overlap: Overlap = Overlap(),
        attributes: Attributes = Attributes(), expires: Expiry = .never, whenRemoved: WhenRemoved = .keep, targets: [TargetPolicy]? = nil,
        gateway: GatewayName = .main
    ) -> TokenPolicy {
        TokenPolicy(
            environment: "prod", project: project, purpose: "api", gateway: gateway,
            pattern: NamingPattern(prefix: "prod-\(project)-api-", suffix: ""), rotate: rotate, overlap: overlap, attributes: attributes,
            expires: expires, whenRemoved: whenRemoved, targets: targets ?? [.sample("/etc/\(project)/token")]
        )
    }
}

extension TargetPolicy {
    package static func sample(_ file: String, then: Bool = false, confirm: Bool = false) -> TargetPolicy {
        TargetPolicy(
            file: file, format: .raw, then: then ? .run(Command(arguments: ["/bin/reload"])) : nil,
            confirm: confirm ? Command(arguments: ["/bin/ask"]) : nil
        )
    }
}

extension TimeInterval {
    package static func days(_ count: Double) -> TimeInterval { count * 86400 }
    package static func hours(_ count: Double) -> TimeInterval { count * 3600 }
    package static func minutes(_ count: Double) -> TimeInterval { count * 60 }
}
