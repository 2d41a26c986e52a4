import Foundation
package import KeyturnCore
package import KeyturnEngine

/// The documented API of laozhang.ai: `/v1/api-keys`, `/v1/models`, `/v1/usage`.
///
/// The document leaves much unsaid: whether create answers an id, how errors look, whether lists have pages. Nothing of
/// that is assumed; what an answer does not say is learnt from the list or is not known.
package final class LaozhangGateway: Gateway {
    /// The words for permissions that its documentation names; it may know others.
    package static let permissions = ["chat", "completion"]
    package static let kind = "laozhang"
    package static let support = "hi@laozhang.ai"

    private let http: HTTPClient
    let url: String
    let timeout: Duration
    private let currency: String
    private let admin: Secret

    package init(_ settings: GatewaySettings, admin: consuming Secret, http: HTTPClient) {
        url = settings.url
        timeout = .milliseconds(settings.timeout.milliseconds)
        currency = settings.currency
        self.admin = admin
        self.http = http
    }

    // MARK: Create

    package func create(_ order: CreateOrder) async -> CreateOutcome {
        guard let body = try? JSONEncoder().encode(LaozhangOrder(order)) else {
            return .notCreated(.rejected("the order cannot be written down"))
        }
        let headers = ["Content-Type": "application/json", "Accept": "application/json"]
        let request = HTTPRequest(.post, url + "/v1/api-keys", headers: headers, body: Array(body), timeout: timeout)
        var response: HTTPResponse
        do throws(HTTPFailure) { response = try await http.send(request, bearer: admin) } catch {
            switch error {
            case .notSent(let why): return .notCreated(.unreachable(Redaction.clean(why, of: admin)))
            case .lost(let why): return .unknown(Redaction.clean(why, of: admin))
            }
        }
        defer { response.wipe() }

        switch CreateStatus(response.status) {
        case .made: return read(response)
        case .adminRefused: return .notCreated(.adminRefused(said(response, admin)))
        case .tooMany: return .notCreated(inconclusive(response, admin))
        case .refused: return .notCreated(.rejected(said(response, admin)))
        case .elsewhere: return .notCreated(.rejected("\(said(response, admin)): is the url in keyturn.yaml right?"))
        case .unknown: return .unknown(said(response, admin))
        }
    }

    private func read(_ response: HTTPResponse) -> CreateOutcome {
        guard let json = JSONValue(parsing: response.body) else { return .unknown("its answer is not JSON") }
        let object = json["key"] == nil ? json["data"] ?? json : json
        guard let key = object["key"]?.text else { return .unknown("its answer holds no key: \(said(response, admin))") }
        // 8 is far below any key's length, 4096 far above; a masked one shows stars or dots.
        let isWhole =
            (8...4096).contains(key.utf8.count) && key.wholeMatch(of: /[A-Za-z0-9._~+\/=\-]+/) != nil && !key.contains("...")
        guard isWhole else { return .unknown("its answer holds a masked or broken key") }
        // An id is written into journal and log: one that tells of the key is none. A small number is in many keys by chance.
        let id = object["id"]?.identifier.flatMap { id in
            id.contains(key) || id.utf8.count >= Redaction.telling && key.contains(id) ? nil : KeyID(id)
        }
        return .created(id, Secret(key))
    }

    // MARK: List

    /// For all pages together: a slow gateway must not keep a pass for hours.
    private static let longestList = Duration.seconds(300)

    package func list() async throws(GatewayError) -> Listing {
        var pages = LaozhangPages(url: url + "/v1/api-keys")
        var time: Date?
        let end = ContinuousClock.now + LaozhangGateway.longestList
        while let page = pages.next {
            guard ContinuousClock.now < end else {
                throw .inconclusive("the list of tokens was not whole after \(LaozhangGateway.longestList)", retryAfter: nil)
            }
            let response = try await ask(
                HTTPRequest(.get, page, headers: ["Accept": "application/json"], timeout: timeout, maximumBody: pages.room), admin)
            time = response.date ?? time
            switch response.status {
            case 200...299: try pages.take(response.body, link: response.header("link"))
            case 401, 403: throw .adminRefused(said(response, admin))
            case 404, 405: throw .rejected("\(url)/v1/api-keys answered \(response.status): is the url in keyturn.yaml right?")
            default: throw inconclusive(response, admin)
            }
        }
        return Listing(keys: pages.keys, gatewayTime: time)
    }

    // MARK: Revoke

    package func revoke(_ id: KeyID) async throws(GatewayError) {
        guard let path = id.text.addingPercentEncoding(withAllowedCharacters: .unreserved), !path.isEmpty, id.text != ".", id.text != ".."
        else {
            throw .rejected("'\(Redaction.bounded(id.text))' cannot be an id")
        }
        let response = try await ask(HTTPRequest(.delete, url + "/v1/api-keys/" + path, timeout: timeout), admin)
        switch response.status {
        // 404 and 410: gone already. Whether that is true is seen when its secret is refused.
        case 200...299, 404, 410: return
        case 401, 403: throw .adminRefused(said(response, admin))
        case 400...499 where response.status != 408 && response.status != 429: throw .rejected(said(response, admin))
        default: throw inconclusive(response, admin)
        }
    }

    // MARK: With a token's own secret

    package func probe(_ secret: borrowing Secret) async throws(GatewayError) -> ProbeOutcome {
        let response = try await ask(
            HTTPRequest(.get, url + "/v1/models", headers: ["Accept": "application/json"], timeout: timeout), secret)
        switch response.status {
        case 200...299:
            guard let models = JSONValue(parsing: response.body)?["data"]?.list else {
                throw .inconclusive("/v1/models answered \(response.status) without a list of models", retryAfter: nil)
            }
            let names = Set(models.compactMap { $0["id"]?.text ?? $0.text })
            // A model's name may be told to people; what holds the bearer, or is no name, is left out.
            let value = secret.withBytes { span in unsafe span.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) } }
            return .accepted(models: names.filter { $0.utf8.count <= 100 && !$0.contains(value) })
        case 401: return .refused(said(response, secret))
        // An empty balance, a forbidden address, a limit: nothing about whether the token is alive.
        default: throw inconclusive(response, secret)
        }
    }

    package func usage(_ secret: borrowing Secret) async throws(GatewayError) -> Reading { try await usage(secret, within: timeout) }

    package func usage(_ secret: borrowing Secret, within limit: TimeSpan) async throws(GatewayError) -> Reading {
        try await usage(secret, within: min(timeout, .milliseconds(limit.milliseconds)))
    }

    private func usage(_ secret: borrowing Secret, within timeout: Duration) async throws(GatewayError) -> Reading {
        let response = try await ask(
            HTTPRequest(.get, url + "/v1/usage", headers: ["Accept": "application/json"], timeout: timeout), secret)
        switch response.status {
        case 200...299:
            // An error said with 200 is no figure: taken for one, it would hide the next rise.
            guard let json = JSONValue(parsing: response.body), case .object = json, json["error"] == nil else {
                throw .inconclusive("/v1/usage answered no figures: \(said(response, secret))", retryAfter: nil)
            }
            return Reading(
                today: json["today_usage"]?.decimal, month: json["month_usage"]?.decimal, lastUsedAt: nil, trouble: trouble(with: json))
        case 401, 404, 405: throw .rejected(said(response, secret))
        default: throw inconclusive(response, secret)
        }
    }

    /// Why its figures are not what budgets count.
    private func trouble(with json: JSONValue) -> String? {
        // In none of its words: whatever stands there is told to people.
        for key in ["today_usage", "month_usage"] {
            if let value = json[key], value.decimal == nil { return "\(key) is no number" }
        }
        guard let other = json["currency"]?.text, other.uppercased() != currency else { return nil }
        let isCode = other.wholeMatch(of: /[A-Za-z]{3}/) != nil
        return "it counts in \(isCode ? other.uppercased() : "another currency"), and keyturn.yaml says \(currency)"
    }

    // MARK: Asking

    func ask(_ request: HTTPRequest, _ bearer: borrowing Secret) async throws(GatewayError) -> HTTPResponse {
        do throws(HTTPFailure) { return try await http.send(request, bearer: bearer) } catch {
            switch error {
            case .notSent(let why): throw .unreachable(Redaction.clean(why, of: bearer))
            case .lost(let why): throw .inconclusive(Redaction.clean(why, of: bearer), retryAfter: nil)
            }
        }
    }

    func inconclusive(_ response: HTTPResponse, _ bearer: borrowing Secret) -> GatewayError {
        // "Too many" asks for a pause also where it does not say how long.
        .inconclusive(said(response, bearer), retryAfter: response.retryAfter ?? (response.status == 429 ? 0 : nil))
    }

    /// What the gateway said, fit for a log: its error's message or the beginning of its body, without the secret it may echo.
    func said(_ response: HTTPResponse, _ bearer: borrowing Secret) -> String {
        let json = JSONValue(parsing: response.body)
        let words = json?["error"]?["message"]?.text ?? json?["error"]?.text ?? json?["message"]?.text ?? ""
        let clean = Redaction.clean(words, of: bearer)
        return "it answered \(response.status)" + (clean.isEmpty ? "" : " (\(clean))")
    }
}

extension HTTPResponse {
    /// Seconds until it wants to be asked again: a number, or a date compared with its own clock.
    var retryAfter: TimeInterval? {
        guard let value = header("retry-after") else { return nil }
        if value.wholeMatch(of: /-?[0-9]{1,20}(\.[0-9]{0,20})?/) != nil, let seconds = TimeInterval(value) { return max(0, seconds) }
        let asDate = HTTPResponse(status: 0, headers: [Header(name: "date", value: value)], body: []).date
        return asDate.map { max(0, $0.timeIntervalSince(date ?? Date())) }
    }
}
