package import Foundation

/// What one courier owes at one moment of all its findings, and in how many messages.
package struct Owed: Sendable, Equatable {
    package struct Item: Sendable, Equatable {
        package var notice: Notice
        package var word: Notice.Word
        package init(_ notice: Notice, _ word: Notice.Word) {
            self.notice = notice
            self.word = word
        }
    }

    /// What the next message tells; empty: nothing is due.
    package private(set) var next: [Item] = []
    /// Numbers of findings about which nothing is to be said any more.
    package private(set) var settled: [Int64] = []
    /// When something will be due if nothing changes; nil: never.
    package private(set) var later: Date?

    /// More than so many things to say at one time are said in one message, and not in one each.
    package static let mostAlone = 5
    /// So many messages an hour; what is due beyond waits and is then said in one.
    package static let mostAnHour = 12
    /// Of one message.
    package static let mostItems = 500

    /// - Parameters:
    ///   - taken: when the courier's latest messages were accepted; those of the last hour count.
    ///   - wasFailing: nothing could be told for a while: then what came and went meanwhile is worth a message of its own.
    package init(_ notices: [Notice], from least: Severity, taken: [Date], wasFailing: Bool, at now: Date) {
        var spoken: [Item] = []
        var passed: [Item] = []
        for notice in notices {
            switch notice.due(from: least, at: now) {
            case .now(.passed): passed.append(Item(notice, .passed))
            case .now(let word): spoken.append(Item(notice, word))
            case .later(let date): later = min(later ?? date, date)
            case .idle: break
            case .settled: settled.append(notice.number)
            }
        }
        guard !spoken.isEmpty || (wasFailing && !passed.isEmpty) else { return }
        let recent = taken.filter { $0 <= now && now.timeIntervalSince($0) < 3600 }
        if recent.count >= Owed.mostAnHour, let oldest = recent.min() {
            let end = oldest.addingTimeInterval(3600)
            later = min(later ?? end, end)
            return
        }
        spoken.sort { ($1.notice.finding.severity, $0.notice.number) < ($0.notice.finding.severity, $1.notice.number) }
        let alone = spoken.count <= Owed.mostAlone && recent.count + spoken.count <= Owed.mostAnHour
        next = Array(((alone ? Array(spoken.prefix(1)) : spoken) + passed).prefix(Owed.mostItems))
    }
}
