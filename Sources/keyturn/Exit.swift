import ArgumentParser
import Foundation
import KeyturnAdapters
import KeyturnEngine

/// The exit codes of the contract (sysexits.h where it has one).
enum Exit: Int32, Error {
    case done = 0
    case failed = 1
    case waits = 2
    case stuck = 3
    case unreachable = 69
    /// What is there may not be read or used by this user.
    case permission = 77
    /// Something is known to be wrong in settings or policies, whatever else may not be read.
    case configuration = 78

    /// Ends the command with this code, quietly: what there was to say has been said.
    func leave() throws { if self != .done { throw ExitCode(rawValue) } }
}

/// An error for a person, with its code.
struct Refusal: Error, CustomStringConvertible {
    var exit: Exit
    var description: String

    init(_ exit: Exit, _ description: String) {
        self.exit = exit
        self.description = description
    }
}

/// Turns whatever went wrong into one line and the right code.
enum ExitReport {
    static func end(with error: any Error) -> Never {
        switch error {
        case let refusal as Refusal: leave(refusal.exit, refusal.description)
        case let errors as ConfigurationErrors:
            // Nothing before the file's name: editors and build tools jump to `file:line:column`.
            Terminal.error(errors.description)
            Foundation.exit(Exit(of: errors).rawValue)
        case let failure as House.Failure: leave(failure.isPermission ? .permission : .failed, failure.description)
        case let failure as SecretReader.Failure: leave(.configuration, failure.description)
        case let error as JournalError: leave(.failed, error.description)
        case let error as KeyringError: leave(.failed, error.description)
        case let error as GatewayError: leave(error.isUnreachable ? .unreachable : .failed, error.description)
        default: Keyturn.exit(withError: error)
        }
    }

    private static func leave(_ exit: Exit, _ text: String) -> Never {
        Terminal.error("keyturn: \(text)")
        Foundation.exit(exit.rawValue)
    }
}

extension Exit {
    init(of errors: ConfigurationErrors) { self = errors.isPermission ? .permission : .configuration }
}

extension GatewayError {
    var isUnreachable: Bool { if case .unreachable = self { true } else { false } }
}
