package import Foundation
import GRDB
package import KeyturnCore
package import KeyturnEngine

/// Meters, readings and daily sums. Amounts are whole billionths, days are numbered: sums are made by SQLite, exactly, and of the
/// days that are asked for alone, however many readings there are.
extension SQLiteJournal {
    /// Version 9. `reading.at` is in milliseconds since 1970; `hourly_to` and `daily_to` say up to where a meter's readings are thinned.
    static let usageTables = """
        CREATE TABLE meter (
            number INTEGER PRIMARY KEY,
            gateway TEXT NOT NULL,
            generation TEXT NOT NULL,
            token TEXT NOT NULL,
            currency TEXT NOT NULL,
            first_at TEXT,
            read_at TEXT NOT NULL,
            today INTEGER, month INTEGER,
            doubt_at TEXT, doubt_today INTEGER, doubt_month INTEGER,
            unconfirmed INTEGER NOT NULL, largest INTEGER NOT NULL, is_new INTEGER NOT NULL,
            ended TEXT CHECK (ended IN ('read', 'unread')),
            hourly_to INTEGER NOT NULL DEFAULT 0, daily_to INTEGER NOT NULL DEFAULT 0,
            UNIQUE (gateway, generation)
        ) STRICT;
        CREATE INDEX lacking_meter ON meter(number) WHERE doubt_at IS NOT NULL OR ended = 'unread';
        CREATE INDEX meter_of_token ON meter(token, first_at);

        CREATE TABLE reading (
            meter INTEGER NOT NULL REFERENCES meter(number),
            at INTEGER NOT NULL,
            today INTEGER, month INTEGER,
            PRIMARY KEY (meter, at)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE spent (
            day INTEGER NOT NULL,
            meter INTEGER NOT NULL REFERENCES meter(number),
            environment TEXT NOT NULL,
            amount INTEGER NOT NULL CHECK (amount >= 0),
            PRIMARY KEY (day, meter, environment)
        ) STRICT, WITHOUT ROWID;
        CREATE TRIGGER spent_stays BEFORE DELETE ON spent BEGIN SELECT RAISE(ABORT, 'what was spent stays'); END;
        CREATE TRIGGER spent_grows BEFORE UPDATE ON spent WHEN NEW.amount < OLD.amount
            BEGIN SELECT RAISE(ABORT, 'what was spent does not fall'); END;

        CREATE INDEX finding_by_key ON finding(key);
        """

    package func meters(of gateway: GatewayName, names: Set<String>) throws(JournalError) -> [String: Meter] {
        try read { db in
            let statement = try db.cachedStatement(sql: "SELECT * FROM meter WHERE gateway = ? AND generation = ?")
            var meters: [String: Meter] = [:]
            for name in names {
                if let row = try Row.fetchOne(statement, arguments: [gateway.text, name]) { meters[name] = try Meter(row) }
            }
            return meters
        }
    }

    package func keep(_ readings: [KeptReading]) throws(JournalError) {
        try write { db in
            for reading in readings {
                let number = try SQLiteJournal.keep(reading, db)
                if let figures = reading.figures {
                    try db.cachedStatement(
                        sql: "INSERT INTO reading (meter, at, today, month) VALUES (?, ?, ?, ?) "
                            + "ON CONFLICT DO UPDATE SET today = excluded.today, month = excluded.month"
                    ).execute(arguments: [number, reading.at.milliseconds, figures.today?.billionths, figures.month?.billionths])
                }
                for (day, amount) in reading.spent {
                    // What would not fit into a number any more stays where it is, far beyond every budget.
                    try db.cachedStatement(
                        sql: "INSERT INTO spent (day, meter, environment, amount) VALUES (?, ?, ?, ?) "
                            + "ON CONFLICT DO UPDATE SET amount = max(amount, min(amount + excluded.amount, 9000000000000000000))"
                    ).execute(arguments: [day.number, number, reading.environment, amount.billionths])
                }
            }
        }
    }

    /// Its meter's number.
    private static func keep(_ reading: KeptReading, _ db: Database) throws -> Int64 {
        let meter = reading.meter
        return try Int64.fetchOne(
            db.cachedStatement(
                sql: """
                    INSERT INTO meter (gateway, generation, token, currency, first_at, read_at, today, month, doubt_at, doubt_today,
                        doubt_month, unconfirmed, largest, is_new, ended)
                    VALUES (:gateway, :generation, :token, :currency, :first, :read, :today, :month, :doubt, :doubtToday, :doubtMonth,
                        :unconfirmed, :largest, :isNew, :ended)
                    ON CONFLICT (gateway, generation) DO UPDATE SET first_at = coalesce(first_at, excluded.first_at),
                        read_at = excluded.read_at, today = excluded.today, month = excluded.month, doubt_at = excluded.doubt_at,
                        doubt_today = excluded.doubt_today, doubt_month = excluded.doubt_month, unconfirmed = excluded.unconfirmed,
                        largest = excluded.largest, is_new = excluded.is_new, ended = excluded.ended
                    RETURNING number
                    """),
            arguments: [
                "gateway": meter.gateway.text, "generation": meter.generation, "token": meter.token.text, "currency": meter.currency,
                "first": reading.figures == nil ? nil : reading.at, "read": meter.readAt, "today": meter.today?.billionths,
                "month": meter.month?.billionths, "doubt": meter.doubt?.at, "doubtToday": meter.doubt?.figures.today?.billionths,
                "doubtMonth": meter.doubt?.figures.month?.billionths, "unconfirmed": meter.unconfirmed.billionths,
                "largest": meter.largest.billionths, "isNew": meter.isNew, "ended": meter.end?.rawValue,
            ]
        ) ?? 0
    }

    package func spent(_ days: ClosedRange<Day>) throws(JournalError) -> [DaySpent] {
        try read { db in
            // Whole units and billionths apart: their sums cannot overflow.
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT meter.token, spent.environment, meter.currency, spent.day, sum(spent.amount / 1000000000) AS units,
                        sum(spent.amount % 1000000000) AS billionths
                    FROM spent JOIN meter ON meter.number = spent.meter WHERE spent.day BETWEEN ? AND ?
                    GROUP BY spent.day, meter.token, spent.environment, meter.currency
                    """, arguments: [days.lowerBound.number, days.upperBound.number])
            var spent: [DaySpent] = []
            while let row = try rows.next() {
                // By position: these are the many rows of a command that is waited for.
                guard let token = String.fromDatabaseValue(row[0]), let environment = String.fromDatabaseValue(row[1]),
                    let currency = String.fromDatabaseValue(row[2]), let day = Int.fromDatabaseValue(row[3]),
                    let units = Int64.fromDatabaseValue(row[4]), let billionths = Int64.fromDatabaseValue(row[5])
                else { throw UnreadableRow(description: "a sum of no day or amount") }
                let amount = Decimal(units) + Decimal(sign: .plus, exponent: -9, significand: Decimal(billionths))
                spent.append(
                    DaySpent(token: TokenName(token), environment: environment, currency: currency, day: Day(number: day), amount: amount))
            }
            return spent
        }
    }

    package func firstReadings() throws(JournalError) -> [TokenName: Date] {
        try read { db in
            var first: [TokenName: Date] = [:]
            for row in try Row.fetchAll(db, sql: "SELECT token, min(first_at) AS at FROM meter WHERE first_at IS NOT NULL GROUP BY token") {
                first[TokenName(try row.value("token"))] = try row.value("at")
            }
            return first
        }
    }

    package func lackingMeters() throws(JournalError) -> [Meter] {
        try read { db in try Row.fetchAll(db, sql: "SELECT * FROM meter WHERE doubt_at IS NOT NULL OR ended = 'unread'").map(Meter.init) }
    }

    package func everOpened(_ keys: Set<String>) throws(JournalError) -> Set<String> {
        try read { db in
            let statement = try db.cachedStatement(sql: "SELECT 1 FROM finding WHERE key = ? LIMIT 1")
            return try keys.filter { try Row.fetchOne(statement, arguments: [$0]) != nil }
        }
    }

    package func thin(_ retention: ReadingRetention, at now: Date, limit: Int) throws(JournalError) -> Int {
        let hourly = Thinning(from: "hourly_to", before: now.addingTimeInterval(-retention.raw), keepsOneEach: 3_600_000)
        let daily = Thinning(from: "daily_to", before: now.addingTimeInterval(-retention.hourly), keepsOneEach: 86_400_000)
        let end = now.addingTimeInterval(-retention.daily).milliseconds
        // Asked without a writer first: a pass that has nothing to thin writes nothing.
        let isDue = try read { db in try hourly.isDue(db) || daily.isDue(db) }
        guard isDue else { return 0 }
        return try write { db in
            let first = try hourly.run(db, limit: limit)
            let second = try daily.run(db, limit: max(0, limit - first.seen))
            return first.removed + second.removed + (try Thinning.removeOld(before: end, db, limit: limit))
        }
    }
}

/// One step of making readings fewer with age: of those before a moment the last of each hour, or day, is kept.
private struct Thinning {
    /// The column that says up to where a meter's readings went through it.
    let column: String
    /// In milliseconds; whole spans only.
    let before: Int64
    let span: Int64

    init(from column: String, before: Date, keepsOneEach span: Int64) {
        self.column = column
        self.before = before.milliseconds / span * span
        self.span = span
    }

    /// Of meters behind by a whole span, those that are furthest behind.
    private func behind(_ db: Database, _ count: Int) throws -> [Row] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT number, \(column) AS cursor FROM meter
                WHERE \(column) < ? AND EXISTS (SELECT 1 FROM reading WHERE meter = number AND at >= \(column) AND at < ?)
                ORDER BY \(column) LIMIT ?
                """, arguments: [before, before, count])
    }

    func isDue(_ db: Database) throws -> Bool { try !behind(db, 1).isEmpty }

    func run(_ db: Database, limit: Int) throws -> (seen: Int, removed: Int) {
        var (seen, removed) = (0, 0)
        for meter in try behind(db, 500) {
            guard seen < limit else { break }
            let (number, cursor): (Int64, Int64) = (try meter.value("number"), try meter.value("cursor"))
            let room = max(2, limit - seen)
            let times = try Int64.fetchAll(
                db, sql: "SELECT at FROM reading WHERE meter = ? AND at >= ? AND at < ? ORDER BY at LIMIT ?",
                arguments: [number, cursor, before, room])
            seen += times.count
            for (time, next) in zip(times, times.dropFirst()) where time / span == next / span {
                try db.cachedStatement(sql: "DELETE FROM reading WHERE meter = ? AND at = ?").execute(arguments: [number, time])
                removed += 1
            }
            // The span that the last one lies in may go on: it is looked at again unless nothing more is there.
            guard let last = times.last else { continue }
            try db.execute(
                sql: "UPDATE meter SET \(column) = ? WHERE number = ?",
                arguments: [times.count < room ? before : last / span * span, number])
        }
        return (seen, removed)
    }

    static func removeOld(before end: Int64, _ db: Database, limit: Int) throws -> Int {
        var removed = 0
        for number in try Int64.fetchAll(db, sql: "SELECT number FROM meter WHERE daily_to > 0") where removed < limit {
            try db.cachedStatement(
                sql: "DELETE FROM reading WHERE meter = ? AND at IN (SELECT at FROM reading WHERE meter = ? AND at < ? ORDER BY at LIMIT ?)"
            ).execute(arguments: [number, number, end, limit - removed])
            removed += db.changesCount
        }
        return removed
    }
}

extension Meter {
    init(_ row: Row) throws {
        func amount(_ column: String) throws -> Amount? { (try row.optional(column) as Int64?).map(Amount.init(billionths:)) }
        let doubtAt: Date? = try row.optional("doubt_at")
        let doubtful = Figures(today: try amount("doubt_today"), month: try amount("doubt_month"))
        try self.init(
            gateway: GatewayName(row.value("gateway")), generation: row.value("generation"), token: TokenName(row.value("token")),
            currency: row.value("currency"), readAt: row.value("read_at"), today: amount("today"), month: amount("month"),
            doubt: doubtAt.map { Doubt(figures: doubtful, at: $0) }, unconfirmed: Amount(billionths: row.value("unconfirmed")),
            largest: Amount(billionths: row.value("largest")), isNew: row.value("is_new"), end: row.optionalWord("ended")
        )
    }
}

extension Date {
    fileprivate var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded()) }
}
