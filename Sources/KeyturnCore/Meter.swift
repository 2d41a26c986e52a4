package import Foundation

/// The two counters of one reading, as far as the gateway shows them.
package struct Figures: Sendable, Equatable {
    package var today: Amount?
    package var month: Amount?

    package init(today: Amount?, month: Amount?) {
        self.today = today
        self.month = month
    }
}

extension Reading {
    /// Its counters, where they can be figures; else why not, for a person.
    package func figures() -> Result<Figures, Unfit> {
        if let trouble { return .failure(Unfit(description: trouble)) }
        for (name, number) in [("today_usage", today), ("month_usage", month)] {
            guard let number, Amount(number) == nil else { continue }
            let what = !number.isFinite ? "is no number" : number < 0 ? "is below zero" : "is above \(Amount.largest.decimal)"
            return .failure(Unfit(description: "\(name) \(what)"))
        }
        return .success(Figures(today: today.flatMap(Amount.init), month: month.flatMap(Amount.init)))
    }
}

/// Why a reading's counters are no figures.
package struct Unfit: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    package init(description: String) { self.description = description }
}

/// What was spent between two moments.
package struct Increment: Sendable, Equatable {
    package var amount: Amount
    package var from: Date
    package var to: Date

    package init(amount: Amount, from: Date, to: Date) {
        self.amount = amount
        self.from = from
        self.to = to
    }
}

/// Makes what was spent out of a generation's counters, which begin anew with the gateway's days and months, wherever those begin.
///
/// It never counts more than the counters show: where they leave room, the lesser is taken. The month's counter is followed where
/// it is shown, the day's stands in for it. A step that only a mistake could explain (a fall, or a rise far beyond all before) is
/// a doubt: it counts once the next reading bears it out, and is forgotten where that one goes on from before.
package struct Meter: Sendable, Equatable {
    package struct Doubt: Sendable, Equatable {
        package var figures: Figures
        package var at: Date
        package init(figures: Figures, at: Date) {
            self.figures = figures
            self.at = at
        }
    }

    /// How it ended with its generation.
    package enum End: String, Sendable {
        /// A last reading was taken right before the revocation was sent.
        case read
        /// It was tried and failed: what was spent since the one before is not known.
        case unread
    }

    package var gateway: GatewayName
    package var generation: String
    package var token: TokenName
    package var currency: String
    /// Of the counters that count: highest so far since their last reset.
    package var readAt: Date
    package var today: Amount?
    package var month: Amount?
    package var doubt: Doubt?
    /// Of what was counted last, and no later reading has borne out yet.
    package var unconfirmed: Amount
    /// The largest step so far.
    package var largest: Amount
    /// Was it never read? Then `readAt` is when its generation was made.
    package var isNew: Bool
    package var end: End?

    package init(
        gateway: GatewayName, generation: String, token: TokenName, currency: String, readAt: Date, today: Amount?, month: Amount?,
        doubt: Doubt? = nil, unconfirmed: Amount = .zero, largest: Amount = .zero, isNew: Bool = false, end: End? = nil
    ) {
        self.gateway = gateway
        self.generation = generation
        self.token = token
        self.currency = currency
        self.readAt = readAt
        self.today = today
        self.month = month
        self.doubt = doubt
        self.unconfirmed = unconfirmed
        self.largest = largest
        self.isNew = isNew
        self.end = end
    }

    /// Of a generation that was never read: it had spent nothing when it was made.
    package init(of generation: Generation, token: TokenName, at gateway: GatewayName, currency: String) {
        self.init(
            gateway: gateway, generation: generation.name, token: token, currency: currency,
            readAt: generation.createdAt ?? generation.intendedAt, today: .zero, month: .zero, isNew: true
        )
    }

    /// Takes a reading in; what it shows was spent since the one before. A reading without figures says nothing.
    package mutating func take(_ figures: Figures, at now: Date) -> [Increment] {
        guard figures.today != nil || figures.month != nil else { return [] }
        var increments: [Increment] = []
        if let doubt {
            self.doubt = nil
            if isBorneOut(doubt, by: figures, at: now) { increments = count(doubt.figures, at: doubt.at) }
        }
        if isDoubtful(step(to: figures, at: now)) {
            doubt = Doubt(figures: figures, at: now)
            return increments
        }
        return increments + count(figures, at: now)
    }

    // MARK: Steps

    private enum Step: Equatable {
        case rose(Amount)
        /// It was reset, and counted so much since.
        case reset(Amount)
        /// It shows less than before, which no reset explains: another server's older figure, or a correction.
        case lags
    }

    /// Seconds in which the day's counter begins anew for sure.
    private static let longestDay: TimeInterval = 86400

    private func step(to new: Figures, at now: Date) -> Step {
        let elapsed = now.timeIntervalSince(readAt)
        if let old = month, let month = new.month {
            // After months without a reading it may have been reset unseen: then it is this and more.
            if isNew || month >= old { return .rose(month - old) }
            // A month begins with a day: then both counters have counted the same since.
            let isReset = elapsed >= Meter.longestDay || new.today.map { month <= $0 } ?? Meter.fellFar(from: old, to: month)
            return isReset ? .reset(month) : .lags
        }
        if let old = today, let today = new.today {
            // Whatever it shows was spent after a reset that lies between the two.
            if isNew || elapsed >= Meter.longestDay { return .rose(today) }
            if today >= old { return .rose(today - old) }
            return Meter.fellFar(from: old, to: today) ? .reset(today) : .lags
        }
        // A counter that was not shown before has nothing to be compared with.
        return .rose(.zero)
    }

    private static func fellFar(from old: Amount, to new: Amount) -> Bool { new.billionths <= old.billionths / 2 }

    /// A unit of the currency, or ten times the largest step so far, is what a step may be without a second reading.
    private func isDoubtful(_ step: Step) -> Bool {
        switch step {
        case .rose(let amount): amount.billionths > max(1_000_000_000, largest.billionths * 10)
        case .reset: true
        case .lags: false
        }
    }

    private func isBorneOut(_ doubt: Doubt, by new: Figures, at now: Date) -> Bool {
        let there: Amount, here: Amount
        if month != nil, let doubted = doubt.figures.month, let shown = new.month {
            (there, here) = (doubted, shown)
        } else if today != nil, let doubted = doubt.figures.today, let shown = new.today {
            (there, here) = (doubted, shown)
        } else {
            return false
        }
        guard there <= here else { return false }
        // After a fall the next one has to have fallen as well: one that is as high as before says that nothing had.
        if case .reset = step(to: doubt.figures, at: doubt.at) {
            if case .reset = step(to: new, at: now) { return true }
            return false
        }
        return true
    }

    private mutating func count(_ new: Figures, at now: Date) -> [Increment] {
        let step = step(to: new, at: now)
        let followsMonth = month != nil && new.month != nil
        defer {
            today = new.today ?? today
            readAt = now
            isNew = false
        }
        guard step != .lags else {
            // Counted from where it stood at its highest, so that figures of two ages do not add up.
            return []
        }
        let amount: Amount
        switch step {
        case .rose(let risen), .reset(let risen): amount = risen
        case .lags: amount = .zero
        }
        // While only the day is shown, the month is followed by it, so that nothing counts twice when it is shown again.
        if followsMonth || month == nil { month = new.month } else { month = month.map { min($0 + amount, .largest) } }
        unconfirmed = amount
        largest = max(largest, amount)
        guard amount > .zero else { return [] }
        return isNew ? opening(amount, new, at: now) : [Increment(amount: amount, from: min(readAt, now), to: now)]
    }

    /// Of one that was not read in its first day (taken over, or older than its readings): what the day shows is of this day,
    /// the rest of the days before.
    private func opening(_ amount: Amount, _ new: Figures, at now: Date) -> [Increment] {
        let from = min(readAt, now)
        guard now.timeIntervalSince(from) > Meter.longestDay, let today = new.today, today < amount else {
            return [Increment(amount: amount, from: max(from, now.addingTimeInterval(-Meter.longestDay)), to: now)]
        }
        let yesterday = now.addingTimeInterval(-Meter.longestDay)
        return [Increment(amount: amount - today, from: yesterday, to: yesterday), Increment(amount: today, from: now, to: now)]
    }
}

extension DayCalendar {
    /// The days that an increment falls on, and its part of each: by time, where it spans several. The parts add up to it exactly.
    package func shares(of increment: Increment) -> [(day: Day, amount: Amount)] {
        let (first, last) = (day(of: increment.from), day(of: increment.to))
        // Longer than any outage that anybody would ask the days of.
        guard first < last, last.number - first.number <= 400 else { return [(last, increment.amount)] }
        let length = increment.to.timeIntervalSince(increment.from)
        var shares: [(day: Day, amount: Amount)] = []
        var rest = increment.amount
        var from = increment.from
        for number in first.number..<last.number {
            let end = start(of: Day(number: number + 1))
            let share = Int64((Double(increment.amount.billionths) * max(0, end.timeIntervalSince(from)) / length).rounded(.down))
            let amount = min(rest, Amount(billionths: share))
            if amount > .zero { shares.append((Day(number: number), amount)) }
            rest = rest - amount
            from = max(from, end)
        }
        if rest > .zero { shares.append((last, rest)) }
        return shares
    }
}
