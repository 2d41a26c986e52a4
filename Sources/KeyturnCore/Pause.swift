package import Foundation

/// How long a gateway wants to be left alone after it said "too many" (429).
///
/// Counted by the boot clock: a wall clock that is set neither cuts a pause short nor stretches it. Calls that were under
/// way when it began say the same thing once more, or an old "well"; a call therefore remembers how many pauses there had
/// been when it was sent, and only an answer to a call that knew of the last one counts.
package struct Pause: Sendable, Equatable {
    /// Seconds, for a gateway that does not say how long: New API's windows are 180 and 1200 s, and a limit that outlasts
    /// those is looked at every twenty minutes.
    package static let table: [TimeInterval] = [2, 5, 15, 60, 180, 600, 1200]
    /// No answer makes us ask more often than this.
    package static let shortest: TimeInterval = 1

    /// Whose pause it is, for the spread.
    private let name: String
    /// Boot seconds; nil before the first pause.
    private var end: TimeInterval?
    /// "Too many" in a row without a length.
    private var unnamed = 0
    /// How many pauses there have been: what a call remembers as it is sent.
    package private(set) var count = 0

    package init(of name: String) { self.name = name }

    /// Seconds until a call may be sent; nil where it may be sent now.
    package func rest(at now: Moment) -> TimeInterval? {
        guard let end else { return nil }
        let rest = end - now.boot
        // A rest that was never handed out comes from another boot.
        return rest > 0 && rest <= Backoff.longest ? rest : nil
    }

    /// It said "too many" to a call that was sent after `known` pauses. `seconds` is what it asked for, bounded by
    /// `shortest` and `Backoff.longest`; zero, or no number, is a pause without a length and follows the table.
    package mutating func asked(for seconds: TimeInterval, knowing known: Int, at now: Moment) {
        let isNews = known == count || rest(at: now) == nil
        let isNamed = seconds > 0
        guard isNews || isNamed else { return }
        if isNews { count += 1 }
        if isNews, !isNamed { unnamed += 1 }
        let wait = isNamed ? min(max(seconds, Pause.shortest), Backoff.longest) : Pause.wait(after: unnamed, of: name)
        end = now.boot + max(wait, rest(at: now) ?? 0)
    }

    /// It answered anything else to a call that was sent after `known` pauses.
    package mutating func answered(knowing known: Int) {
        if known == count { unnamed = 0 }
    }

    /// Up to a fifth longer by a hash, so that several hosts do not come back at once.
    private static func wait(after refusals: Int, of name: String) -> TimeInterval {
        let base = table[min(max(refusals, 1), table.count) - 1]
        return base * (1 + 0.2 * Spread.share("\(name) 429 \(refusals)"))
    }
}
