import Glibc
package import KeyturnCore
package import KeyturnEngine
import SystemPackage

/// `signal`: tells a running process by its pid file. A process that does not run reads the new file when it starts.
///
/// kill(2), not a pidfd: a pidfd proves that a process stays the same from its opening on, and nothing about the number
/// that the file held before.
package struct SignalConsumer: Consumer {
    private let signal: Int32
    private let pidFile: String
    private let asked: Program?

    /// A number and white space.
    private static let mostBytes = 64

    package init(signal: Int32, pidFile: String, confirm: Command?) {
        self.signal = signal
        self.pidFile = pidFile
        asked = confirm.map { Program(command: $0) }
    }

    package func preflight() throws(ConsumerError) {
        guard (1...64).contains(signal) else { throw ConsumerError("\(signal) is no signal; expected 1 ... 64") }
        guard pidFile.hasPrefix("/") else { throw ConsumerError("\(pidFile): a pid file is named by its whole path, beginning with /") }
        if let process = try process() { try send(0, to: process) }
        _ = try asked?.executable()
    }

    package func take() async throws(ConsumerError) {
        if let process = try process() { try send(signal, to: process) }
    }

    package func confirm() async throws(ConsumerError) { try await asked?.run() }

    private func send(_ signal: Int32, to process: pid_t) throws(ConsumerError) {
        guard kill(process, signal) < 0, Errno.current != .noSuchProcess else { return }
        throw ConsumerError(
            "process \(process) of \(pidFile) cannot be signalled: \(Errno.current); let the daemon's user do so, or use run")
    }

    /// The process that the file names; nil when there is no file, or nobody under that number.
    private func process() throws(ConsumerError) -> pid_t? {
        let text: String
        let owner: uid_t
        do {
            let file = try OwnedDescriptor.open(toRead: pidFile)
            let status = try file.status()
            guard status.type == .regular, !status.isOpenToAll, let bytes = try file.readAll(upTo: SignalConsumer.mostBytes) else {
                throw ConsumerError("\(pidFile): is no pid file; expected a small regular file that not everyone may write")
            }
            text = String(decoding: bytes, as: UTF8.self)
            owner = status.userID.rawValue
        } catch let error as ConsumerError {
            throw error
        } catch {
            let errno = Errno(caught: error)
            if errno == .noSuchFileOrDirectory { return nil }
            throw ConsumerError("\(pidFile): cannot be read: \(errno)")
        }
        guard let number = pid_t(text.filter { !$0.isWhitespace }), number > 1, number != getpid() else {
            throw ConsumerError(
                "\(pidFile): holds no number of a process that may be signalled; expected one above 1 that is not Keyturn's own")
        }
        guard let process = try? Stat(FilePath("/proc/\(number)")) else { return nil }
        // Who may write the file must not choose whom the daemon signals with its own rights.
        guard owner == 0 || owner == geteuid() || owner == process.userID.rawValue else {
            throw ConsumerError(
                "\(pidFile): belongs to user \(owner), process \(number) to user \(process.userID.rawValue); it may name only its own")
        }
        return number
    }
}
