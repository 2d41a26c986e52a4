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

/// The list of formats: one conformer, one file each.
package enum DeliveryKinds {
    package static func delivery(for target: TargetPolicy, in context: TargetContext) -> any Delivery {
        switch target.format {
        case .raw: RawFile(target)
        case .dotenv(let key): DotenvFile(target, key: key)
        case .json(let pointer): JSONFile(target, pointer: pointer)
        case .template(let template): TemplateFile(target, template: template, context: context)
        }
    }
}
