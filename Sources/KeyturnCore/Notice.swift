package import Foundation

/// How far one courier has come with one finding, and so what it owes of it.
///
/// Nothing is queued: what is owed follows from what was told last and from what is so now. Whatever came to nothing meanwhile, a
/// finding that is over or a repetition that was missed while nobody could be told, is therefore never told late.
package struct Notice: Sendable, Equatable {
    /// Of the finding in the journal: another one each time that a finding opens.
    package var number: Int64
    package var finding: Finding
    package var openedAt: Date
    package var closedAt: Date?
    /// How often it was told that it is so.
    package var told = 0
    /// When anything was told of it last.
    package var toldAt: Date?
    /// As it was then.
    package var toldSeverity: Severity?
    /// When the same finding, which has opened before, was told of last.
    package var toldBefore: Date?

    package init(
        number: Int64, finding: Finding, openedAt: Date, closedAt: Date? = nil, told: Int = 0, toldAt: Date? = nil,
        toldSeverity: Severity? = nil, toldBefore: Date? = nil
    ) {
        self.number = number
        self.finding = finding
        self.openedAt = openedAt
        self.closedAt = closedAt
        self.told = told
        self.toldAt = toldAt
        self.toldSeverity = toldSeverity
        self.toldBefore = toldBefore
    }

    /// What is said of a finding.
    package enum Word: String, Sendable, CaseIterable {
        case opened
        /// More severe than it was when it was told.
        case worse
        /// Still so.
        case again
        case over
        /// It opened and was over before it could be told.
        case passed
    }

    package enum Due: Sendable, Equatable {
        case now(Word)
        case later(Date)
        /// Nothing, unless the finding changes.
        case idle
        /// Nothing any more.
        case settled
    }

    /// Seconds between the last word about a finding and the first one when it opens anew: what comes and goes all day is no news.
    package static let rest: TimeInterval = 3600

    /// `least`: the severity that the courier begins with.
    package func due(from least: Severity, at now: Date) -> Due {
        let matters = finding.telling == .asked || finding.severity >= least
        if finding.telling == .kept { return .settled }
        guard told > 0 else {
            if closedAt != nil { return matters && finding.telling != .asked ? .now(.passed) : .settled }
            guard matters else { return .idle }
            if let toldBefore, let end = Notice.end(of: Notice.rest, from: toldBefore, at: now), now < end { return .later(end) }
            return .now(.opened)
        }
        guard finding.telling == .whileOpen else { return .settled }
        if closedAt != nil { return .now(.over) }
        guard matters else { return .idle }
        if let toldSeverity, finding.severity > toldSeverity { return .now(.worse) }
        guard let end = Notice.end(of: Notice.wait(after: told), from: toldAt ?? openedAt, at: now), now < end else { return .now(.again) }
        return .later(end)
    }

    /// The notice once a word was said; nil when it is settled by it.
    package func saying(_ word: Word, at now: Date) -> Notice? {
        switch word {
        case .over, .passed: return nil
        case .opened, .worse, .again:
            var notice = self
            // What has got worse is told as often as what is new.
            notice.told = word == .again ? told + 1 : 1
            notice.toldAt = now
            notice.toldSeverity = finding.severity
            return notice
        }
    }

    /// Seconds until it is told again, when it was told `count` times: so that this is 1, 2, 4, 8 ... days after the first time.
    private static func wait(after count: Int) -> TimeInterval {
        86400 * Double(1 << min(max(count - 2, 0), 12))
    }

    /// Nil where the wait would begin more than an hour ahead: that moment is a wrong clock's, and counts as long past.
    private static func end(of wait: TimeInterval, from start: Date, at now: Date) -> Date? {
        start.timeIntervalSince(now) > 3600 ? nil : start.addingTimeInterval(wait)
    }
}
