import Foundation

/// One attribute that a gateway shows otherwise than it was asked for: edited outside, or never heeded.
package struct AttributeDifference: Sendable, Equatable {
    /// In the policy's words, such as `allow_ips`; `name` where the key bears another one.
    package var attribute: String
    /// Fit for a line of a log, whatever the gateway said: bounded, plain, and without what looks like a secret.
    package var shown: String
    package var asked: String

    /// `words` of the gateway's, of which those that `asked` has are known to be harmless.
    fileprivate init(_ attribute: String, shown words: [String], asked: [String]) {
        func text(_ words: [String], _ tell: (String) -> String) -> String {
            let more = words.count > 3 ? " and \(words.count - 3) more" : ""
            return words.isEmpty ? "none" : words.sorted().prefix(3).map(tell).joined(separator: ", ") + more
        }
        self.attribute = attribute
        shown = text(words) { asked.contains($0) ? $0 : AttributeDifference.plain($0) }
        self.asked = text(asked) { $0 }
    }

    private static let longest = 64

    /// Of scalars, never of characters: one character can be a megabyte of combining marks.
    private static func plain(_ word: String) -> String {
        let scalars = word.unicodeScalars.prefix(longest + 1)
        let runs = scalars.split {
            !(("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0) || "-_".unicodeScalars.contains($0))
        }
        if String(scalars).contains("sk-") || runs.contains(where: { $0.count >= 32 }) { return "***" }
        let line = scalars.prefix(longest).map { (" "..."~").contains($0) ? Character($0) : "?" }
        return String(line) + (scalars.count > longest ? "…" : "")
    }
}

extension Attributes {
    /// What was asked for and the gateway does not show, in the policy's words. Billing, permissions and expiry are documented as
    /// part of create: silence about those confirms them; the rest counts only when shown.
    package func unconfirmed(by shown: ShownAttributes) -> [String] {
        var names: [String] = []
        if case .only = models, shown.models == nil { names.append("models") }
        if !allowIPs.isEmpty, shown.allowIPs == nil { names.append("allow_ips") }
        if Limits.kinds.contains(where: { limits.value(of: $0) != nil && shown.limits?.value(of: $0) == nil }) { names.append("limits") }
        return names
    }

    /// What the gateway shows otherwise than it was asked for, as wider or as narrower. Order, case and other ways to write the same
    /// are no difference.
    package func differences(from shown: ShownAttributes) -> [AttributeDifference] {
        [
            shown.billing.flatMap(billingDifference), permissionsDifference(from: shown), shown.models.flatMap(modelsDifference),
            shown.allowIPs.flatMap(addressDifference), shown.limits.flatMap(limitsDifference),
        ].compactMap(\.self)
    }

    private func billingDifference(from shown: String) -> AttributeDifference? {
        shown.lowercased() == billing.rawValue ? nil : AttributeDifference("billing", shown: [shown], asked: [billing.rawValue])
    }

    private func permissionsDifference(from shown: ShownAttributes) -> AttributeDifference? {
        guard let listed = shown.permissions else { return nil }
        let words = Set(listed.map { $0.lowercased() })
        let all = Set(shown.allPermissions)
        func difference(_ asked: [String]) -> AttributeDifference? {
            words == Set(asked.map { $0.lowercased() }) ? nil : AttributeDifference("permissions", shown: listed, asked: asked)
        }
        switch permissions {
        // None at all is how a list is left empty that was optional.
        case .full: return words.isEmpty || words.contains("full") || !all.isEmpty && words.isSuperset(of: all) ? nil : difference(["full"])
        case .readOnly: return difference(["read_only"])
        case .only(let names): return difference(names)
        }
    }

    private func modelsDifference(from shown: [String]) -> AttributeDifference? {
        let words = Set(shown.map { $0.lowercased() })
        let isAll = words.isSubset(of: ["all", "*"])
        switch models {
        case .all: return isAll ? nil : AttributeDifference("models", shown: shown, asked: ["all"])
        case .only(let names):
            return words == Set(names.map { $0.lowercased() })
                ? nil : AttributeDifference("models", shown: isAll ? ["all"] : shown, asked: names)
        }
    }

    private func addressDifference(from shown: [String]) -> AttributeDifference? {
        let (there, here) = (Set(shown.map(AddressRange.init)), Set(allowIPs.map(AddressRange.init)))
        func isEverywhere(_ ranges: Set<AddressRange>) -> Bool { ranges.isEmpty || ranges.contains(where: \.isEverywhere) }
        guard there != here, !(isEverywhere(there) && isEverywhere(here)) else { return nil }
        return AttributeDifference(
            "allow_ips", shown: shown.isEmpty ? ["everywhere"] : shown, asked: allowIPs.isEmpty ? ["everywhere"] : allowIPs)
    }

    private func limitsDifference(from shown: Limits) -> AttributeDifference? {
        let kinds = Limits.kinds.filter { kind in
            guard let value = shown.value(of: kind) else { return false }
            // Nothing and less are how some write that there is no limit.
            return limits.value(of: kind).map { $0 != value } ?? (value > 0)
        }
        guard !kinds.isEmpty else { return nil }
        func words(_ limits: Limits) -> [String] {
            kinds.map { kind in "\(kind.name)=\(limits.value(of: kind).map { "\($0)" } ?? "none")" }
        }
        return AttributeDifference("limits", shown: words(shown), asked: words(limits))
    }
}

extension Generation {
    /// What its gateway shows of it otherwise than it was asked for.
    package func differences(from key: ListedKey, asked: Attributes) -> [AttributeDifference] {
        let name = key.name == self.name ? nil : AttributeDifference("name", shown: [key.name], asked: [self.name])
        return [name].compactMap(\.self) + asked.differences(from: key.shown) + [expiryDifference(from: key)].compactMap(\.self)
    }

    private func expiryDifference(from key: ListedKey) -> AttributeDifference? {
        guard let shown = key.expiresAt else { return nil }
        let isNever = !Generation.plausible.contains(shown)
        if let expiresAt, !isNever {
            // A console that keeps days rounds by one; what lives for hours only is not rounded away.
            let rounding = min(86400, max(Sighting.tolerance, expiresAt.timeIntervalSince(intendedAt) / 10))
            if abs(shown.timeIntervalSince(expiresAt)) <= key.doubt + rounding { return nil }
        }
        if expiresAt == nil, isNever { return nil }
        return AttributeDifference(
            "expires", shown: [isNever ? "never" : shown.formatted(.iso8601)], asked: [expiresAt?.formatted(.iso8601) ?? "never"])
    }

    /// 2001 to 3000: what lies outside is how some write that something never ends.
    private static let plausible = Date(timeIntervalSince1970: 1e9)..<Date(timeIntervalSince1970: 32_503_680_000)
}
