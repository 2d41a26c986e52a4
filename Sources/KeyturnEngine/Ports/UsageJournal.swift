package import Foundation
package import KeyturnCore

/// The part of the journal that remembers usage: each generation's meter, its readings, thinned with age, and what was spent a
/// day, which is never forgotten and never falls.
package protocol UsageJournal: Sendable {
    /// Of these generations; one that was never read is missing from the answer.
    func meters(of gateway: GatewayName, names: Set<String>) throws(JournalError) -> [String: Meter]

    /// Keeps meters, the readings that moved them and what was spent, all in one transaction.
    func keep(_ readings: [KeptReading]) throws(JournalError)

    /// What was spent on the days of a range, a row for each token, environment, currency and day.
    func spent(_ days: ClosedRange<Day>) throws(JournalError) -> [DaySpent]

    /// When each token was read first.
    func firstReadings() throws(JournalError) -> [TokenName: Date]

    /// Meters of any generation, also revoked ones, that lack something: a doubt that nothing settled, a last reading that failed.
    func lackingMeters() throws(JournalError) -> [Meter]

    /// Thins readings that are old enough by `retention`, looking at `limit` of them at most. Returns how many it removed.
    func thin(_ retention: ReadingRetention, at now: Date, limit: Int) throws(JournalError) -> Int

    /// Which of these findings, by key, were ever opened.
    func everOpened(_ keys: Set<String>) throws(JournalError) -> Set<String>
}

/// How long readings are kept, and how many of them.
package struct ReadingRetention: Sendable, Equatable {
    /// Every reading: long enough to look into what a mail of last week told, short enough to be small.
    package var raw: TimeInterval
    /// The last of each hour: half a year has the hours of the week twenty-six times, which is what a habit is judged by.
    package var hourly: TimeInterval
    /// The last of each day: ten years, as long as bills are kept where that is the law. Then they go; the sums of each day stay.
    package var daily: TimeInterval

    package init(raw: TimeInterval = 14 * 86400, hourly: TimeInterval = 183 * 86400, daily: TimeInterval = 3653 * 86400) {
        self.raw = raw
        self.hourly = hourly
        self.daily = daily
    }
}

/// One reading as the journal keeps it.
package struct KeptReading: Sendable, Equatable {
    /// As it is after the reading.
    package var meter: Meter
    /// Nil: nothing was read, and only the meter is kept.
    package var figures: Figures?
    package var at: Date
    /// Whose sums it counts in: where the token is now, wherever it was before.
    package var environment: String
    package var spent: [(day: Day, amount: Amount)]

    package init(meter: Meter, figures: Figures?, at: Date, environment: String, spent: [(day: Day, amount: Amount)]) {
        self.meter = meter
        self.figures = figures
        self.at = at
        self.environment = environment
        self.spent = spent
    }

    package static func == (one: KeptReading, other: KeptReading) -> Bool {
        one.meter == other.meter && one.figures == other.figures && one.at == other.at && one.environment == other.environment
            && one.spent.elementsEqual(other.spent) { $0 == $1 }
    }
}

package struct DaySpent: Sendable, Equatable {
    package var token: TokenName
    package var environment: String
    package var currency: String
    package var day: Day
    package var amount: Decimal

    package init(token: TokenName, environment: String, currency: String, day: Day, amount: Decimal) {
        self.token = token
        self.environment = environment
        self.currency = currency
        self.day = day
        self.amount = amount
    }
}
