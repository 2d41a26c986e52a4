import Foundation
import KeyturnEngine

/// What an answer says about its place among the pages: beside `data`, or in an object of its own.
struct LaozhangPageMarks {
    private let places: [JSONValue]
    private let link: String?

    init(_ json: JSONValue, link: String?) {
        places = [json] + ["pagination", "paging", "meta", "page_info"].compactMap { json[$0] }
        self.link = link
    }

    subscript(names: String...) -> JSONValue? {
        for place in places {
            for name in names { if let value = place[name] { return value } }
        }
        return nil
    }

    var hasMore: Bool? {
        get throws(GatewayError) {
            switch self["has_more", "has_next", "has_next_page"] {
            case nil: return nil
            case .bool(let flag): return flag
            default: throw .inconclusive("whether the list of tokens has more pages is said in no way that is understood", retryAfter: nil)
            }
        }
    }

    /// The next page, named as a number or as an address; empty and false say that there is none.
    var next: JSONValue? {
        let value = self["next_page", "next"] ?? self["links", "_links"]?["next"] ?? linked.map(JSONValue.text)
        return value == .text("") || value == .bool(false) ? nil : value?["href"] ?? value
    }

    /// `Link: <ADDRESS>; rel="next"` (RFC 8288).
    private var linked: String? {
        link?.split(separator: ",").first { $0.contains(/;\s*rel="?next"?/) }?.firstMatch(of: /<([^>]*)>/).map { String($0.1) }
    }
}
