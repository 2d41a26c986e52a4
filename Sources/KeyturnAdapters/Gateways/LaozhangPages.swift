import Foundation
import KeyturnCore
import KeyturnEngine

/// The list of tokens, page by page where there are pages. No paging is documented, so the usual ways of saying "there is
/// more" are understood; one that is said and not understood is an error, since half a list would make living tokens
/// look gone.
struct LaozhangPages {
    private let url: String
    /// The page to ask for; nil when the list is whole.
    private(set) var next: String?
    private(set) var keys: [ListedKey] = []
    private var page = 1
    private var asked: Set<String> = []
    private static let mostPages = 2000

    init(url: String) {
        self.url = url
        next = url
    }

    mutating func take(_ body: [UInt8]) throws(GatewayError) {
        guard let json = JSONValue(parsing: body), let rows = json["data"]?.list else {
            throw .inconclusive("the list of tokens is not the JSON that is documented", retryAfter: nil)
        }
        var listed: [ListedKey] = []
        for row in rows {
            guard let key = LaozhangPages.key(row) else { throw .inconclusive("the list of tokens holds an entry without a name", retryAfter: nil) }
            listed.append(key)
        }
        keys += listed
        if let next { asked.insert(next) }
        next = try following(json, rows.count, lastID: listed.last?.id)
        if let next, asked.contains(next) || asked.count >= LaozhangPages.mostPages || rows.isEmpty {
            throw .inconclusive("the pages of the list of tokens do not end", retryAfter: nil)
        }
        page += 1
    }

    private func following(_ json: JSONValue, _ count: Int, lastID: KeyID?) throws(GatewayError) -> String? {
        if let cursor = (json["next_cursor"] ?? json["next_page_token"])?.identifier {
            return with(json["next_cursor"] == nil ? "page_token" : "cursor", cursor)
        }
        if let number = json["next_page"]?.int { return with("page", "\(number)") }
        if let link = (json["next"] ?? json["links"]?["next"])?.text {
            // Never to another place: the admin token goes with it.
            if link.hasPrefix("/") { return origin + link }
            guard link.hasPrefix(origin + "/") else { throw .inconclusive("the next page of the list lies elsewhere", retryAfter: nil) }
            return link
        }
        let total = (json["total"] ?? json["total_count"])?.int
        let pageCount = (json["total_pages"] ?? json["pages"])?.int
        let more = json["has_more"]?.bool ?? pageCount.map { page < $0 } ?? total.map { keys.count < $0 } ?? false
        guard more else { return nil }
        if json["page"] == nil, json["last_id"] != nil, let id = lastID { return with("after", id.text) }
        return with("page", "\(page + 1)")
    }

    private var origin: String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.prefix(3).joined(separator: "/")
    }

    private func with(_ name: String, _ value: String) -> String {
        let value = value.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-_."))) ?? ""
        return "\(url)?\(name)=\(value)"
    }

    private static func key(_ row: JSONValue) -> ListedKey? {
        guard let name = row["name"]?.text else { return nil }
        return ListedKey(
            id: row["id"]?.identifier.map(KeyID.init), name: name, status: status(row["status"]?.text ?? ""),
            createdAt: (row["created_at"] ?? row["created"])?.date,
            lastUsedAt: (row["last_used"] ?? row["last_used_at"])?.date,
            expiresAt: row["expires_at"]?.date,
            shown: ShownAttributes(
                billing: row["billing_method"]?.text, permissions: strings(row["permissions"]), models: strings(row["allowed_models"]),
                allowIPs: strings(row["ip_whitelist"] ?? row["allowed_ips"]), limits: limits(row)
            )
        )
    }

    private static func strings(_ value: JSONValue?) -> [String]? { value?.list.map { $0.compactMap(\.text) } }

    private static func limits(_ row: JSONValue) -> Limits? {
        let names = ["daily_limit", "monthly_limit", "max_tokens_per_request"]
        guard names.contains(where: { row[$0] != nil }) else { return nil }
        return Limits(
            requestsPerDay: row["daily_limit"]?["requests"]?.int, amountPerDay: row["daily_limit"]?["amount"]?.decimal,
            requestsPerMonth: row["monthly_limit"]?["requests"]?.int, amountPerMonth: row["monthly_limit"]?["amount"]?.decimal,
            tokensPerRequest: row["max_tokens_per_request"]?.int
        )
    }

    private static func status(_ word: String) -> ListedKey.Status {
        switch word.lowercased().replacing("_", with: " ") {
        case "active", "enabled": .active
        case "not used", "unused": .notUsed
        case "revoked", "deleted": .revoked
        case "expired": .expired
        default: .other(word)
        }
    }
}
