import Foundation
import KeyturnCore
import KeyturnEngine

/// The list of tokens, page by page where there are pages. No paging is documented, so the usual ways of saying "there is
/// more" are understood; one that is said and not understood is an error, since half a list would make living tokens
/// look gone.
struct LaozhangPages {
    /// How much of a list is taken in. An account that really has more is an error, since a part of a list is none.
    struct Bounds: Sendable {
        /// Bytes of one page, and of all of them; what they say takes about ten times that in memory while a page is read.
        var page = 16 << 20
        var bytes = 64 << 20
        var keys = 100_000
        var pages = 2000
    }

    private let url: String
    private let bounds: Bounds
    /// The page to ask for; nil when the list is whole.
    private(set) var next: String?
    private(set) var keys: [ListedKey] = []
    private var page = 1
    private var asked: Set<String> = []
    private var ids: Set<KeyID> = []
    private var last: [ListedKey] = []
    private var bytes = 0
    /// How many tokens there are, as far as a page has said so.
    private var total: Int?
    private static let longestLink = 2048

    init(url: String, bounds: Bounds = Bounds()) {
        self.url = url
        self.bounds = bounds
        next = url
    }

    /// Bytes that the next page may have.
    var room: Int { min(bounds.page, bounds.bytes - bytes) }

    /// `link`: the answer's header of that name.
    mutating func take(_ body: [UInt8], link: String? = nil) throws(GatewayError) {
        bytes += body.count
        guard let json = JSONValue(parsing: body), let rows = json["data"]?.list else {
            throw .inconclusive("the list of tokens is not the JSON that is documented", retryAfter: nil)
        }
        guard keys.count + rows.count <= bounds.keys else {
            throw .inconclusive("the list of tokens has more than \(bounds.keys) of them", retryAfter: nil)
        }
        var listed: [ListedKey] = []
        for row in rows {
            guard let key = LaozhangPages.key(row) else {
                throw .inconclusive("the list of tokens holds an entry without a name", retryAfter: nil)
            }
            listed.append(key)
        }
        // A list that changes between two pages shows a token twice; one that shows only what it has shown ignores the page asked for.
        let fresh = listed.filter { key in key.id.map { !ids.contains($0) } ?? true }
        guard rows.isEmpty || asked.isEmpty || !fresh.isEmpty && listed != last else {
            throw .inconclusive("the pages of the list of tokens repeat themselves", retryAfter: nil)
        }
        // One that is removed between two pages moves a later one to a page that has been read.
        let marks = LaozhangPageMarks(json, link: link)
        let count = marks["total", "total_count"]?.int
        if let total, let count, count != total {
            throw .inconclusive("the list of tokens changed while it was read", retryAfter: nil)
        }
        total = count ?? total
        keys += fresh
        ids.formUnion(fresh.compactMap(\.id))
        last = listed
        if let next { asked.insert(next) }
        next = try following(marks)
        guard let next else { return }
        if asked.contains(next) || asked.count >= bounds.pages || rows.isEmpty {
            throw .inconclusive("the pages of the list of tokens do not end", retryAfter: nil)
        }
        if room <= 0 { throw .inconclusive("the list of tokens is longer than \(bounds.bytes >> 20) MiB", retryAfter: nil) }
    }

    private mutating func following(_ marks: LaozhangPageMarks) throws(GatewayError) -> String? {
        let more = try marks.hasMore
        if more == false { return nil }
        for (mark, name) in [("next_cursor", "cursor"), ("next_page_token", "page_token")] {
            guard let cursor = marks[mark], cursor != .text("") else { continue }
            guard let text = cursor.text ?? cursor.int.map(String.init), text.utf8.count <= LaozhangPages.longestLink else {
                throw .inconclusive("the list of tokens has a \(mark) that is none", retryAfter: nil)
            }
            return with(name, text)
        }
        if let next = marks.next {
            if let number = next.int {
                page = number
                return with("page", "\(number)")
            }
            guard let link = next.text else {
                throw .inconclusive("the list of tokens has a next page that is no address", retryAfter: nil)
            }
            return try address(of: link)
        }
        let pageCount = marks["total_pages", "pages"]?.int
        let total = self.total
        let current = marks["page", "current_page"]?.int
        guard more ?? pageCount.map({ (current ?? page) < $0 }) ?? total.map({ keys.count < $0 }) ?? false else { return nil }
        if current == nil, let id = marks["last_id"]?.identifier { return with("after", id) }
        page = (current ?? page) + 1
        return with("page", "\(page)")
    }

    /// Never to another place: the admin token goes with it.
    private func address(of link: String) throws(GatewayError) -> String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        let origin = parts.prefix(3).joined(separator: "/")
        guard link.utf8.count <= LaozhangPages.longestLink else {
            throw .inconclusive("the next page of the list has an endless address", retryAfter: nil)
        }
        if link.hasPrefix("/") { return origin + link }
        if link.hasPrefix("?") { return url + link }
        guard link.hasPrefix(origin + "/") else { throw .inconclusive("the next page of the list lies elsewhere", retryAfter: nil) }
        return link
    }

    private func with(_ name: String, _ value: String) -> String {
        "\(url)?\(name)=\(value.addingPercentEncoding(withAllowedCharacters: .unreserved) ?? "")"
    }

    // MARK: Rows

    private static func key(_ row: JSONValue) -> ListedKey? {
        guard let name = row["name"]?.text else { return nil }
        let created = (row["created_at"] ?? row["created"])?.time
        let used = (row["last_used"] ?? row["last_used_at"])?.time
        let expires = row["expires_at"]?.time
        let times = [created, used, expires].compactMap(\.self)
        return ListedKey(
            // Ours are short and plain; another's may be anything, and is shown in messages.
            id: row["id"]?.identifier.map(KeyID.init), name: Redaction.bounded(name), status: status(row["status"]?.text ?? ""),
            createdAt: created?.date, lastUsedAt: used?.date, expiresAt: expires?.date,
            doubt: times.contains { !$0.isZoned } ? ListedKey.zoneless : 0, mask: row["key"]?.text.flatMap { KeyMask($0) },
            shown: ShownAttributes(
                billing: row["billing_method"]?.text.map(LaozhangWords.billing),
                permissions: strings(row["permissions"])?.map(LaozhangWords.permission), allPermissions: LaozhangGateway.permissions,
                models: strings(row["allowed_models"]), allowIPs: strings(row["ip_whitelist"] ?? row["allowed_ips"]), limits: limits(row)
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
        default: .other(Redaction.bounded(word))
        }
    }
}

extension CharacterSet {
    /// What stands in a path or a query as it is, whatever it means there. A dot is not among it: two of them are a way up.
    static let unreserved = CharacterSet(charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
}
