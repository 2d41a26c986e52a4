import KeyturnCore
import KeyturnEngine

extension WorldJournal {
    func fingerprinted() throws(JournalError) -> [FingerprintedGeneration] {
        try world.call(.readJournal, by: process, "fingerprinted", dead: JournalError("the process is dead")) {
            state, fault throws(JournalError) in
            if case .fails(let why) = fault { throw JournalError("journal: \(why)") }
            return state.journal.fingerprinted
        }
    }
}
