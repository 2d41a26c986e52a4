import Foundation
import KeyturnCore

/// What `defaults:` holds and each token may override: read onto the rules that hold already, key by key.
struct TokenRules {
    var naming = NamingTemplate.builtIn
    var rotate: RotateRule
    var overlap = Overlap()
    var attributes = Attributes()
    var expires = Expiry.never
    var whenRemoved = WhenRemoved.keep
    var adopt = false
    var notifyBefore: [TimeSpan] = []
    var budget: BudgetPolicy?
    /// Where the keys stand that hold now.
    var places: [String: FilePosition] = [:]

    /// What is left out of a policy.
    init(environment: String) {
        rotate = .every(TimeSpan(months: environment == "dev" ? 6 : 3), window: nil, jitter: .zero)
    }

    /// `currency`: of the gateway, where it is known.
    mutating func read(_ map: YAMLMap, now: Date, currency: String?) {
        if let value = map["name"]?.namingTemplate() { naming = value }
        if let value = map["rotate"]?.rotateRule(over: rotate) { rotate = value }
        if let value = map["overlap"]?.overlap(over: overlap) { overlap = value }
        if let value = map["billing"]?.word(of: Billing.allCases.map { ($0.rawValue, $0) }) { attributes.billing = value }
        if let value = map["permissions"]?.permissions() { attributes.permissions = value }
        if let value = map["models"]?.models() { attributes.models = value }
        if let value = map["allow_ips"]?.list("a list of addresses and ranges", mayBeEmpty: true, of: { $0.ipRange() }) {
            attributes.allowIPs = value
        }
        if let value = map["limits"]?.limits(over: attributes.limits) { attributes.limits = value }
        if let value = map["expires"]?.expiry(now: now) { expires = value }
        if let value = map["when_removed"]?.whenRemoved() { whenRemoved = value }
        if let value = map["adopt"]?.word(of: [("true", true), ("false", false)]) { adopt = value }
        if let value = map["notify_before"]?.notifyBefore() { notifyBefore = value }
        if let value = map["budget"] {
            if value.plainText == "none" { budget = nil } else { budget = value.budget(currency: currency, over: budget) ?? budget }
        }
        for key in map.present(["overlap", "permissions", "expires"]) { places[key] = map[key]?.place }
        if let culprit = map["expires"] ?? map["rotate"], case .every(let every, _, _) = rotate, case .after(let life) = expires,
            life.approximateSeconds < every.approximateSeconds
        {
            culprit.warn("found an expiry (\(life)) shorter than the rotation (\(every)): tokens are replaced before they expire")
        }
    }
}

extension YAMLValue {
    fileprivate func rotateRule(over base: RotateRule) -> RotateRule? {
        if plainText == "never" { return .never }
        return map("never or a map such as {every: 3 months, window: \"Mon..Thu 09:00-16:00 Europe/Berlin\", jitter: 1 day}") { map in
            var (every, window, jitter): (TimeSpan?, Window?, TimeSpan) = (nil, nil, .zero)
            if case .every(let span, let inWindow, let byJitter) = base { (every, window, jitter) = (span, inWindow, byJitter) }
            // Where the defaults say never, a token that rotates must say how often.
            let ownEvery = every == nil ? map.required("every", "a time span such as 3 months") : map["every"]
            every = ownEvery?.span() ?? every
            if let value = map["window"]?.window() { window = value }
            if let value = map["jitter"]?.span(orZero: true) { jitter = value }
            return .every(every ?? TimeSpan(months: 3), window: window, jitter: jitter)
        }
    }

    fileprivate func overlap(over base: Overlap) -> Overlap? {
        map("a map such as {at_least: 24 hours, quiet_for: 1 hour, at_most: 14 days}") { map in
            var overlap = base
            let (least, most) = (map["at_least"]?.span(orZero: true), map["at_most"]?.span())
            if let least { overlap.atLeast = least }
            if let value = map["quiet_for"]?.span(orZero: true) { overlap.quietFor = value }
            if let most { overlap.atMost = most }
            // What was refused is compared with nothing.
            let isRead = (map["at_least"] == nil || least != nil) && (map["at_most"] == nil || most != nil)
            if isRead, overlap.atMost.approximateSeconds < overlap.atLeast.approximateSeconds,
                let culprit = map["at_most"] ?? map["at_least"]
            {
                let isMost = culprit.label == "at_most"
                culprit.refuse(expected: isMost ? "no less than at_least (\(overlap.atLeast))" : "no more than at_most (\(overlap.atMost))")
            }
            return overlap
        }
    }

    /// A span, or a list of spans; `never` takes back what the defaults say.
    fileprivate func notifyBefore() -> [TimeSpan]? {
        if plainText == "never" { return [] }
        if scalarText != nil { return span().map { [$0] } }
        guard let items = items("never, a time span such as 7 days or a list such as [14 days, 1 day]") else { return nil }
        var spans: [TimeSpan] = []
        for item in items {
            guard let span = item.span() else { return nil }
            if spans.contains(span) { item.refuse(expected: "each span once", found: "\(item.shown) a second time") }
            spans.append(span)
        }
        return spans
    }

    fileprivate func whenRemoved() -> WhenRemoved? {
        if plainText == "keep" { return .keep }
        return map("keep or a map such as {revoke_after: 7 days}") { map in
            map.required("revoke_after", "a time span such as 7 days")?.span().map { .revoke(after: $0) } ?? .keep
        }
    }

    fileprivate func permissions() -> Permissions? {
        if plainText == "full" { return .full }
        if plainText == "read_only" { return .readOnly }
        return list("full, read_only or a list such as [chat, completion]") { item in
            item.matching("a permission of the gateway's, such as chat (full and read_only stand without a list)") {
                $0.wholeMatch(of: /[A-Za-z0-9._:-]{1,64}/) != nil && $0 != "full" && $0 != "read_only"
            }
        }
        .map(Permissions.only)
    }

    fileprivate func models() -> Models? {
        if plainText == "all" { return .all }
        return list("all or a list such as [gpt-4, claude-3-opus]") { item in
            item.matching("a model's name such as gpt-4 (all stands without a list)") {
                $0.wholeMatch(of: /[A-Za-z0-9._:\/@+-]{1,128}/) != nil && $0 != "all"
            }
        }
        .map(Models.only)
    }

    fileprivate func limits(over base: Limits) -> Limits? {
        map("a map such as {day: {requests: 1000, amount: 10}, month: {amount: 300}, request: {tokens: 4000}}") { map in
            var limits = base
            _ = map["day"]?.map("a map such as {requests: 1000, amount: 10}") { day in
                if let value = day["requests"] { limits.requestsPerDay = value.numberOrUnlimited() }
                if let value = day["amount"] { limits.amountPerDay = value.amountOrUnlimited() }
            }
            _ = map["month"]?.map("a map such as {requests: 30000, amount: 300}") { month in
                if let value = month["requests"] { limits.requestsPerMonth = value.numberOrUnlimited() }
                if let value = month["amount"] { limits.amountPerMonth = value.amountOrUnlimited() }
            }
            _ = map["request"]?.map("a map such as {tokens: 4000}") { request in
                if let value = request["tokens"] { limits.tokensPerRequest = value.numberOrUnlimited() }
            }
            return limits
        }
    }

    /// Nil is unlimited (or refused).
    private func amountOrUnlimited() -> Decimal? { plainText == "unlimited" ? nil : amount() }
}
