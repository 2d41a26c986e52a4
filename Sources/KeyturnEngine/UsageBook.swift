import Foundation
import KeyturnCore

/// Puts readings down: moves the meters, and has the journal keep what was spent.
struct UsageBook: Sendable {
    let journal: any UsageJournal
    let calendar: DayCalendar
    /// What the gateway's figures count.
    let currency: String

    /// One generation's answer.
    struct Entry: Sendable {
        var token: TokenName
        var environment: String
        var generation: Generation
        var reading: Reading
        /// When it was asked for, by this host's clock.
        var at: Date

        init(_ generation: Generation, of token: Token, under policy: TokenPolicy?, _ reading: Reading, at: Date) {
            self.token = token.name
            // Of its policy, which may have moved it since it was last written down.
            environment = policy?.environment ?? token.environment
            self.generation = generation
            self.reading = reading
            self.at = at
        }
    }

    /// Returns which figures could not be taken for what they should be; they change nothing.
    @discardableResult
    func keep(_ entries: [Entry], at gateway: GatewayName, ending: Bool = false) throws(JournalError) -> [(Entry, Unfit)] {
        guard !entries.isEmpty else { return [] }
        var meters = try journal.meters(of: gateway, names: Set(entries.map(\.generation.name)))
        var unfit: [(Entry, Unfit)] = []
        var kept: [KeptReading] = []
        for entry in entries {
            let name = entry.generation.name
            var meter = meters[name] ?? Meter(of: entry.generation, token: entry.token, at: gateway, currency: currency)
            let figures: Figures
            switch entry.reading.figures() {
            case .success(let fit): figures = fit
            case .failure(let why):
                unfit.append((entry, why))
                figures = Figures(today: nil, month: nil)
            }
            let isSilent = figures.today == nil && figures.month == nil
            if isSilent, !ending { continue }
            let increments = meter.take(figures, at: entry.at)
            if ending { meter.end = isSilent ? .unread : .read }
            let spent = increments.flatMap(calendar.shares)
            kept.append(
                KeptReading(meter: meter, figures: isSilent ? nil : figures, at: entry.at, environment: entry.environment, spent: spent))
            meters[name] = meter
        }
        if !kept.isEmpty { try journal.keep(kept) }
        return unfit
    }
}
