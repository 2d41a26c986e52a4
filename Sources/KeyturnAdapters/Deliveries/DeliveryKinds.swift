package import KeyturnCore
package import KeyturnEngine

/// What a template may say beside the secret.
package struct TargetContext: Sendable {
    package var token: TokenName
    package var environment: String

    package init(token: TokenName, environment: String) {
        self.token = token
        self.environment = environment
    }
}

/// The list of formats: one file of code each.
package enum DeliveryKinds {
    package static func delivery(for target: TargetPolicy, in context: TargetContext) -> any Delivery {
        switch target.format {
        case .raw: FileDelivery(target) { RawText(bytes: $0) }
        case .dotenv(let key): FileDelivery(target) { try DotenvText($0, key: key) }
        case .json(let pointer): FileDelivery(target) { try JSONText($0, pointer: pointer) }
        case .template(let template): TemplateFile(target, template: template, context: context)
        }
    }
}
