import Foundation
import KeyturnCore

/// What policies are read against.
struct PolicyContext {
    /// The gateways of the settings with their currencies; nil where policies are checked without settings.
    var gateways: [GatewayName: GatewaySettings]?
    /// For `expires`, where it is past.
    var now: Date
}

/// A token or target with the place it stands at, to compare it with those of other files.
struct Placed<Value> {
    var value: Value
    var place: FilePosition
}

/// One policy file, fit for use only when no error was found beside it; parts that were refused are left out of the placed ones.
struct PolicyDraft {
    var policy: Policy
    var environment: Placed<String>?
    var tokens: [Placed<TokenName>]
    var targets: [(token: TokenName, target: Placed<TargetPolicy>)]
    var places = Places()

    static func read(_ file: String, _ context: PolicyContext, into problems: ProblemList) -> PolicyDraft? {
        guard let root = YAMLDocument.read(file, into: problems) else { return nil }
        return root.map("a map with environment, gateway and tokens") { map in
            let environment = map.required("environment", "its name such as prod")
            let environmentName = environment?.name("an environment's name")
            let gateway = map.required("gateway", "the name of a gateway of the settings")?.gateway(context)
            let currency = gateway.flatMap { context.gateways?[$0]?.currency }
            var rules = TokenRules(environment: environmentName ?? "")
            _ = map["defaults"]?.map("a map of what all tokens share") { rules.read($0, now: context.now, currency: currency) }
            let budget = map["budget"]?.budget(currency: currency) ?? nil
            var draft = PolicyDraft(
                policy: Policy(
                    file: file,
                    environment: environmentName ?? "",
                    gateway: gateway ?? GatewayName(""),
                    budget: budget,
                    tokens: []
                ),
                environment: environment.flatMap { value in environmentName.map { Placed(value: $0, place: value.place) } },
                tokens: [],
                targets: []
            )
            draft.places.note(.budget(file), map["budget"]?.place)
            let items = map.required("tokens", "a list of tokens")?.items(
                "a list of tokens such as [{project: webapp, purpose: api, deliver: ...}]"
            )
            for item in items ?? [] { draft.readToken(item, rules, context, currency) }
            return draft
        }
    }

    private mutating func readToken(_ item: YAMLValue, _ defaults: TokenRules, _ context: PolicyContext, _ currency: String?) {
        _ = item.map("a map with project, purpose and deliver") { map in
            let project = map.required("project", "a word for the token's name")?.name("a word")
            let purpose = map.required("purpose", "a word for the token's name")?.name("a word")
            var rules = defaults
            rules.read(map, now: context.now, currency: currency)
            let deliver = map.required("deliver", "at least one target: a token that nobody reads is not made")?.items(
                "at least one target such as {file: /etc/webapp/token}"
            )
            let folder = absolute(policy.file).deletingLastComponent
            let targets = (deliver ?? []).compactMap { item in item.target(folder).map { Placed(value: $0, place: item.place) } }
            let pattern = rules.naming.pattern(environment: policy.environment, project: project ?? "", purpose: purpose ?? "")
            let token = TokenPolicy(
                environment: policy.environment,
                project: project ?? "",
                purpose: purpose ?? "",
                gateway: policy.gateway,
                pattern: pattern,
                rotate: rules.rotate,
                overlap: rules.overlap,
                attributes: rules.attributes,
                expires: rules.expires,
                whenRemoved: rules.whenRemoved,
                adopt: rules.adopt,
                notifyBefore: rules.notifyBefore,
                budget: rules.budget,
                targets: targets.map(\.value)
            )
            policy.tokens.append(token)
            self.targets += targets.map { (token.name, $0) }
            places.note(.token(token.name), map.place)
            for (key, place) in rules.places { places.note(.rule(token.name, key), place) }
            for target in targets { places.note(.target(token.name, target.value.id), target.place) }
            // A name made of refused parts is compared with none.
            if project != nil, purpose != nil, environment != nil { tokens.append(Placed(value: token.name, place: map.place)) }
        }
    }
}

extension YAMLValue {
    fileprivate func gateway(_ context: PolicyContext) -> GatewayName? {
        guard let name = name("a gateway's name") else { return nil }
        guard let gateways = context.gateways, gateways[GatewayName(name)] == nil else { return GatewayName(name) }
        let names = gateways.keys.sorted().map(\.text)
        let near = nearest(to: name, among: names).map { " (did you mean '\($0)'?)" } ?? ""
        refuse(expected: "a gateway of the settings: \(names.joined(separator: ", "))\(near)")
        return nil
    }

    /// `base`: what holds where a key is left out.
    func budget(currency: String?, over base: BudgetPolicy? = nil) -> BudgetPolicy? {
        map("a map such as {day: 40 USD, month: 500 USD, alert_at: [50%, 80%, 100%]}") { map in
            if base == nil, map.present(["day", "month"]).isEmpty {
                map.refuse("found neither day nor month, expected at least one of them")
            }
            let day = map["day"]?.money(in: currency ?? base?.month?.currency) ?? base?.day
            let month = map["month"]?.money(in: currency ?? day?.currency) ?? base?.month
            return BudgetPolicy(
                day: day, month: month, alertAt: map["alert_at"]?.alerts() ?? base?.alertAt ?? BudgetPolicy.usualAlerts,
                whenSpent: map["when_spent"]?.word(of: BudgetPolicy.WhenSpent.allCases.map { ($0.rawValue, $0) }) ?? base?.whenSpent
                    ?? .alert)
        }
    }

    private func alerts() -> [Decimal]? {
        guard let items = items("a list of percentages such as [50%, 80%, 100%]") else { return nil }
        var percents: Set<Decimal> = []
        for item in items {
            guard let percent = item.percent() else { continue }
            if !percents.insert(percent).inserted { item.refuse(expected: "each percentage once", found: "\(item.shown) a second time") }
        }
        return percents.sorted()
    }
}
