package import Foundation
package import KeyturnCore

/// What was told of findings to whom: the part of the journal from which follows what is still owed.
///
/// A finding that opens owes a notice to every courier that is enlisted, in the transaction of its opening.
package protocol Outbox: Sendable {
    /// From now on these are the couriers. A new one owes what is open; one that is not named gets nothing until it is named again.
    func enlist(_ couriers: [String], at date: Date) throws(JournalError)

    /// Those that are enlisted, by name.
    func couriers() throws(JournalError) -> [CourierState]

    /// Everything of one courier's that is not settled; nil where it is not enlisted. `taken`: how far back, see `Owed`.
    func desk(of courier: String, takenSince date: Date) throws(JournalError) -> CourierDesk?

    /// The message is about to be handed over: written before, so that who comes after a death knows what may have been said.
    func begin(_ dispatch: Dispatch, by courier: String) throws(JournalError)

    /// It was accepted: `notices` are as they are then, those that are missing of its findings are settled. Its trouble is over.
    func took(_ dispatch: Dispatch, _ notices: [Notice], by courier: String, at date: Date) throws(JournalError)

    /// It was not. `isUnclear`: it may have been, and is handed over again as it is; else what is owed is thought over.
    func failed(_ dispatch: Dispatch, by courier: String, _ attempts: Attempts, since: Date, isUnclear: Bool) throws(JournalError)

    /// No courier waits any longer because it failed; that it failed stays.
    func urge() throws(JournalError)

    /// Nothing is to be said of these findings any more.
    func settle(_ numbers: [Int64], of courier: String) throws(JournalError)

    /// What tells this journal's messages from those of any other; made once.
    func host() throws(JournalError) -> String
}

/// How a courier fares.
package struct CourierState: Sendable, Equatable {
    package var name: String
    package var attempts: Attempts
    /// Since when nothing was accepted; nil where its last message was.
    package var failingSince: Date?

    package init(name: String, attempts: Attempts = Attempts(), failingSince: Date? = nil) {
        self.name = name
        self.attempts = attempts
        self.failingSince = failingSince
    }
}

package struct CourierDesk: Sendable, Equatable {
    package var state: CourierState
    package var notices: [Notice]
    /// A message whose outcome is not known.
    package var underWay: Dispatch?
    /// When its latest messages were accepted.
    package var taken: [Date]

    package init(state: CourierState, notices: [Notice], underWay: Dispatch?, taken: [Date]) {
        self.state = state
        self.notices = notices
        self.underWay = underWay
        self.taken = taken
    }
}
