import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine

/// `history --verify`: what came of looking at every row, for people and for programs.
struct HistoryVerification {
    let site: Site
    let json: Bool

    private var journal: SQLiteJournal { site.house.journal }

    func run() async throws {
        guard let verdict = try await journal.verifyHistory(at: Date()) else { throw Refusal(.failed, "stopped") }
        let isOpen = try journal.openFindings().contains { $0.finding.code == .historyBroken }
        if json { try JSONOutput.print(Report(verdict, isOpen: isOpen)) } else { tell(verdict, isOpen: isOpen) }
        try (verdict.isSound ? Exit.done : .failed).leave()
    }

    func accept(because reason: String) async throws {
        try site.house.replaceLostHistoryKey()
        let accepted = try await journal.acceptHistory(because: reason, at: Date())
        guard let verdict = try await journal.verifyHistory(at: Date()) else { throw Refusal(.failed, "stopped") }
        if json {
            try JSONOutput.print(Report(verdict, isOpen: false))
        } else if let accepted {
            Terminal.print("accepted: \(accepted.complaint ?? "nothing is wrong any more"); it is recorded as row \(verdict.head.number)")
            Terminal.print("A keyturn that runs goes on by itself; restart it where its key was lost.")
        } else {
            Terminal.print("there is nothing to accept")
        }
        try (verdict.isSound ? Exit.done : .failed).leave()
    }

    private func tell(_ verdict: HistoryVerdict, isOpen: Bool) {
        let rows = "\(verdict.rows) row\(verdict.rows == 1 ? "" : "s")"
        if !verdict.isSound {
            var table = Table("ROW", "")
            for found in verdict.breaks { table.add(["\(found.number)", found.sentence]) }
            table.print()
            if verdict.breakCount > verdict.breaks.count { Terminal.print("and \(verdict.breakCount - verdict.breaks.count) more") }
            Terminal.error(
                "keyturn: the history (\(rows)) is not what keyturn wrote; restore journal.db from a backup, or, once you know why it is so, "
                    + "go on with it as it is: `keyturn history --verify --accept-loss REASON`")
            return
        }
        if verdict.unchained > 0 {
            Terminal.print("\(rows) of an older keyturn, not chained yet: that is done when keyturn next drives")
            return
        }
        Terminal.print("\(rows): none was changed, removed, inserted or moved")
        if verdict.rows > 0 {
            Terminal.print("newest: row \(verdict.head.number), hash \(verdict.head.hexHash), key \(verdict.head.keyID)")
        }
        if let known = verdict.checkpoint { Terminal.print("the checkpoint of \(known.at.iso) knows row \(known.number)") }
        if verdict.acceptedCount > 0 {
            Terminal.print("what a person has accepted: \(verdict.acceptedCount) place\(verdict.acceptedCount == 1 ? "" : "s")")
        }
        if isOpen {
            Terminal.print(
                "an earlier verification found it broken, and nobody has said why: `keyturn history --verify --accept-loss REASON`")
        }
    }

    private struct Report: Encodable {
        struct Place: Encodable {
            var number: Int64
            var at: Nullable<String>
            var token: Nullable<String>
            var kind: String
            var sentence: String
        }

        struct Head: Encodable {
            var number: Int64
            var hash: String
            var key: String
        }

        var sound: Bool
        var rows: Int
        var newest: Nullable<Head>
        var checkpoint: Nullable<Int64>
        var breaks: [Place]
        var breakCount: Int
        var acceptedCount: Int
        var unchained: Int
        var findingOpen: Bool

        init(_ verdict: HistoryVerdict, isOpen: Bool) {
            sound = verdict.isSound
            rows = verdict.rows
            let head = Head(number: verdict.head.number, hash: verdict.head.hexHash, key: verdict.head.keyID)
            newest = Nullable(verdict.rows == 0 ? nil : head)
            checkpoint = Nullable(verdict.checkpoint?.number)
            breaks = verdict.breaks.map {
                Place(number: $0.number, at: Nullable($0.at), token: Nullable($0.token), kind: $0.word, sentence: $0.sentence)
            }
            breakCount = verdict.breakCount
            acceptedCount = verdict.acceptedCount
            unchained = verdict.unchained
            findingOpen = isOpen
        }
    }
}
