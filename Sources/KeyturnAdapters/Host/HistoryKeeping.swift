import Foundation
import KeyturnCore
import KeyturnEngine
import Synchronization

extension House {
    /// The history's chain, under its key in the keyring's folder. What is wrong with the key keeps the history from being
    /// written, and nobody from looking.
    ///
    /// - Parameter makes: begins the chain where there is none yet, and goes on with it under a key that has replaced another one.
    static func chain(_ journal: SQLiteJournal, folder: String, makes: Bool) throws(JournalError) {
        var keys: HistoryKeys
        do throws(KeyringError) { keys = try HistoryKeys(in: folder) } catch { return journal.chain(with: .missing(error.description)) }
        if makes, keys.current == nil, try mayBeMade(keys, journal) {
            do {
                keys = try HistoryKeys.make(in: folder) { new in
                    // A key without a checkpoint means that somebody took the checkpoint away.
                    if let chain = ChainKeys(new) { try journal.layCheckpoint(chain, at: Date()) }
                }
            } catch { return journal.chain(with: .missing("\(error)")) }
        }
        guard let chain = ChainKeys(keys) else { return journal.chain(with: .missing(missing(folder))) }
        guard makes else { return journal.chain(with: .keys(chain)) }
        try journal.begin(with: chain, at: Date())
    }

    /// The first key of all, or the next one where the last was put aside.
    private static func mayBeMade(_ keys: HistoryKeys, _ journal: SQLiteJournal) throws(JournalError) -> Bool {
        if try journal.wasNeverChained() { return true }
        return keys.retired.contains(try journal.historyHead(at: Date()).keyID)
    }

    /// A key in the place of one that is lost; for who has said that this may be.
    package func replaceLostHistoryKey() throws {
        guard case .missing = journal.seal.withLock({ $0 }) else { return }
        let keys = try HistoryKeys.make(in: settings.stateFolder + "/keys") { _ in }
        if let chain = ChainKeys(keys) { journal.chain(with: .keys(chain)) }
    }

    private static func missing(_ folder: String) -> String {
        "\(folder)/history.key is missing: no history can be written without it; restore it from a backup; if it is lost, "
            + "`keyturn history --verify --accept-loss REASON` goes on with a new one"
    }
}

extension ChainKeys {
    /// Nil where none is in use.
    fileprivate init?(_ keys: HistoryKeys) {
        guard let current = keys.current else { return nil }
        self.init(id: current, retired: keys.retired, code: { keys.code($0, $1) })
    }
}
