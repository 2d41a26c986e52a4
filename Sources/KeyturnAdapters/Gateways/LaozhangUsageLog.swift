package import Foundation
package import KeyturnCore
package import KeyturnEngine

extension LaozhangGateway: UsageLog {
    /// The page on call logs names a limit and no pages: so many of the newest are asked for, and more is not to be had.
    private static let mostLines = 1000
    /// Bytes of one answer; a line is a hundred or two.
    private static let mostBytes = 1 << 20

    package func usageLog(
        _ secret: borrowing Secret, from start: Date, to end: Date
    ) async throws(GatewayError) -> (lines: [UsageLine], isPart: Bool) {
        let day = Date.ISO8601FormatStyle(timeZone: .gmt).year().month().day()
        // The end's own day is to be in it, whatever the gateway means by an end.
        let last = end.addingTimeInterval(86400)
        let query = "start_date=\(start.formatted(day))&end_date=\(last.formatted(day))&limit=\(LaozhangGateway.mostLines)"
        let request = HTTPRequest(
            .get, "\(url)/v1/usage/logs?\(query)", headers: ["Accept": "application/json"], timeout: timeout,
            maximumBody: LaozhangGateway.mostBytes)
        let response = try await ask(request, secret)
        switch response.status {
        case 200...299:
            guard let data = JSONValue(parsing: response.body)?["data"]?.list else {
                throw .inconclusive("/v1/usage/logs answered no list: \(said(response, secret))", retryAfter: nil)
            }
            // What has no time, or one out of what was asked for, belongs to no hour.
            let lines = data.prefix(LaozhangGateway.mostLines).compactMap { line -> UsageLine? in
                guard let at = line["timestamp"]?.time?.date, at >= start.addingTimeInterval(-86400), at <= last else { return nil }
                return UsageLine(at: at, cost: line["cost"]?.decimal.flatMap { $0 >= 0 ? $0 : nil })
            }
            return (lines, data.count >= LaozhangGateway.mostLines)
        case 401, 403, 404, 405: throw .rejected(said(response, secret))
        default: throw inconclusive(response, secret)
        }
    }
}
