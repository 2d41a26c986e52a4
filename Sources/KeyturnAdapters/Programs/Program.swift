import Glibc
import KeyturnCore
import KeyturnEngine
import Subprocess
import SystemPackage

/// One run of a command: no shell, no input but what it is given, an environment that holds nothing of the daemon's, a process group of its own
/// and an end.
struct Program: Sendable {
    let command: Command
    /// Nil: it reads from nowhere.
    var input: [UInt8]?

    private static let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    /// Between asking the group to end and ending it.
    private static let grace = Duration.seconds(2)

    private enum End: Sendable {
        case ended(TerminationStatus)
        case timedOut
    }

    /// The file to run: a whole path, or a name that is looked up where systemd looks.
    func executable() throws(ConsumerError) -> String {
        guard let name = command.arguments.first, !name.isEmpty else {
            throw ConsumerError("an empty command; expected a program and its arguments")
        }
        let candidates = name.contains("/") ? [name] : Program.path.split(separator: ":").map { "\($0)/\(name)" }
        guard !name.contains("/") || name.hasPrefix("/") else {
            throw ConsumerError("\(name): a program is named by its whole path, or by its name alone")
        }
        let found = candidates.first { path in
            guard (try? Stat(FilePath(path)))?.type == .regular else { return false }
            return unsafe access(path, X_OK) == 0
        }
        guard let found else { throw ConsumerError("\(name): no such program, or the daemon's user may not run it") }
        return found
    }

    /// Returns when the command has ended with status 0. Only its own end counts: what it leaves in the background may keep
    /// its output open.
    func run() async throws(ConsumerError) {
        let failure = await failure()
        if let failure { throw ConsumerError(failure.why) }
    }

    /// How a command failed.
    struct Failure: Sendable {
        /// Its exit status; nil where it did not end by itself, or never began.
        var status: Int32?
        /// Was it never run, so that nothing can have come of it?
        var isNotRun = false
        var why: String
    }

    /// Nil: it ended with status 0.
    func failure() async -> Failure? {
        let file: String
        do throws(ConsumerError) { file = try executable() } catch { return Failure(isNotRun: true, why: error.description) }
        let transcript = Transcript()
        let end: End
        do {
            end = try await withThrowingTaskGroup(of: End.self) { group in
                group.addTask { .ended(try await spawn(file, transcript)) }
                group.addTask {
                    try await Task.sleep(for: timeout)
                    return .timedOut
                }
                defer { group.cancelAll() }
                return try await group.next() ?? .timedOut
            }
        } catch let error as SubprocessError where !Task.isCancelled {
            return Failure(isNotRun: !transcript.hasBegun, why: "\(name) could not be run: \(error)")
        } catch {
            transcript.endGroup()
            return Failure(isNotRun: !transcript.hasBegun, why: "\(name) was interrupted, because Keyturn stops\(transcript.quoted)")
        }
        switch end {
        case .ended(let status) where status.isSuccess: return nil
        case .ended where Task.isCancelled:
            transcript.endGroup()
            return Failure(why: "\(name) was interrupted, because Keyturn stops\(transcript.quoted)")
        case .ended(.exited(let code)): return Failure(status: code, why: "\(name) ended with status \(code)\(transcript.quoted)")
        case .ended(.signaled(let signal)): return Failure(why: "\(name) was ended by signal \(signal)\(transcript.quoted)")
        case .timedOut:
            transcript.endGroup()
            return Failure(why: "\(name) did not end within \(command.timeout) and was ended\(transcript.quoted)")
        }
    }

    private var name: String { command.arguments.first ?? "" }
    private var timeout: Duration { .seconds(command.timeout.approximateSeconds) }

    /// Ends the whole group when its task is cancelled: asks first, and forces after a while.
    private func spawn(_ file: String, _ transcript: Transcript) async throws -> TerminationStatus {
        var options = PlatformOptions()
        options.processGroupID = 0
        options.teardownSequence = [.send(signal: .terminate, toProcessGroup: true, allowedDurationToNextStep: Program.grace)]
        guard let input else { return try await spawn(file, transcript, options, .none) }
        return try await spawn(file, transcript, options, .array(input))
    }

    private func spawn(
        _ file: String, _ transcript: Transcript, _ options: PlatformOptions, _ input: some InputProtocol
    ) async throws -> TerminationStatus {
        let result = try await Subprocess.run(
            .path(FilePath(file)),
            arguments: Arguments(executablePathOverride: name, remainingValues: Array(command.arguments.dropFirst())),
            environment: .custom(Program.environment),
            workingDirectory: "/",
            platformOptions: options,
            input: input,
            output: .sequence,
            error: .combinedWithOutput
        ) { execution in
            transcript.began(execution.processIdentifier.value)
            for try await buffer in execution.standardOutput {
                transcript.append(unsafe buffer.withUnsafeBytes { unsafe Array($0) })
                if Task.isCancelled { break }
            }
        }
        return result.terminationStatus
    }

    /// Nothing but these: the daemon's own environment names its credentials and its journal.
    private static var environment: [Environment.Key: String] {
        var environment: [Environment.Key: String] = ["PATH": path, "LANG": "C.UTF-8"]
        if let home = unsafe getenv("HOME") { environment["HOME"] = unsafe String(cString: home) }
        return environment
    }
}
