import Foundation
import KeyturnCore
import Synchronization

/// What was accepted and could not be written down, because the journal could not be written just then: this process at least does
/// not hand it over again and again until it can.
final class Unrecorded: Sendable {
    struct Record: Sendable {
        var dispatch: Dispatch
        var notices: [Notice]
        var at: Date
    }

    private let records = Mutex<[String: Record]>([:])

    /// Of one courier.
    subscript(courier: String) -> Record? {
        get { records.withLock { $0[courier] } }
        set { records.withLock { $0[courier] = newValue } }
    }
}
