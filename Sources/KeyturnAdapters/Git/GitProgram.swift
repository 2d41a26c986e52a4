import Glibc
import SystemPackage

/// One run of git that reads a repository which may be anybody's: none of its settings can have a program run, nothing is fetched,
/// nothing hides an object, and nothing of ours is in its environment.
final class GitProgram {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Its standard output, to read from.
    private(set) var output: Int32
    private let process: pid_t
    private var status: Int32?

    private static let places = ["/usr/local/bin/git", "/usr/bin/git", "/bin/git"]

    /// Settings of the repository's own that name programs, and what bounds git's memory: blobs larger than this are streamed.
    private static let settings = [
        "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.alternateRefsCommand=", "core.bigFileThreshold=8m", "core.pager=cat",
        "log.showSignature=false", "safe.directory=*",
    ]

    private static let environment = [
        "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "HOME=/nonexistent", "GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null",
        "GIT_ATTR_NOSYSTEM=1", "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0",
        // A partial clone would fetch what it lacks, by a program that its settings name.
        "GIT_ALLOW_PROTOCOL=none", "GIT_NO_LAZY_FETCH=1",
        // Both can show another history than there is.
        "GIT_NO_REPLACE_OBJECTS=1", "GIT_GRAFT_FILE=/dev/null",
    ]

    /// - Parameters:
    ///   - folder: the repository's own; git looks for no other.
    ///   - workTree: where it is run, for questions about the files there.
    ///   - input: what it reads; nothing where none is given.
    init(folder: String, workTree: String = "/", _ arguments: [String], input: Int32? = nil) throws(Failure) {
        guard let git = GitProgram.places.first(where: { unsafe access($0, X_OK) == 0 }) else {
            throw Failure(description: "git is not installed")
        }
        var ends: [Int32] = [0, 0]
        guard unsafe pipe(&ends) == 0 else { throw Failure(description: Errno.current.description) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[1]) }
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        if let input {
            unsafe posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        }
        unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
        unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        // Keyturn ignores SIGPIPE; a git whose reader has gone is to end.
        let signals = UnsafeMutablePointer<sigset_t>.allocate(capacity: 1)
        defer { unsafe signals.deallocate() }
        unsafe sigemptyset(signals)
        unsafe posix_spawnattr_setsigmask(&attributes, signals)
        unsafe sigfillset(signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let options = GitProgram.settings.flatMap { ["-c", $0] }
        let words = [git, "-C", workTree, "--no-pager", "--no-replace-objects", "--git-dir=\(folder)"] + options + arguments
        var list = unsafe words.map { unsafe strdup($0) } + [nil]
        var variables = unsafe GitProgram.environment.map { unsafe strdup($0) } + [nil]
        defer {
            unsafe (list + variables).forEach { unsafe free($0) }
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        var process: pid_t = 0
        let failure = unsafe posix_spawn(&process, git, &actions, &attributes, &list, &variables)
        (self.process, output) = (process, ends[0])
        guard failure == 0 else {
            status = -1
            throw Failure(description: "git cannot be started: \(Errno(rawValue: failure).description)")
        }
    }

    deinit { stop() }

    /// Where another program reads it.
    func closeOutput() {
        if output >= 0 { close(output) }
        output = -1
    }

    /// Its status when it has ended by itself, 128 and the signal that ended it.
    func end() -> Int32 {
        if let status { return status }
        var answer: Int32 = 0
        while unsafe waitpid(process, &answer, 0) < 0, errno == EINTR {}
        let ended = answer & 0x7f == 0 ? answer >> 8 & 0xff : 128 + answer & 0x7f
        status = ended
        return ended
    }

    /// The same; nil, and it is ended, where it has not after that time. For one that says little.
    func end(within limit: Duration) -> Int32? {
        var look = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        // Its end closes its output.
        guard unsafe poll(&look, 1, Int32(limit.components.seconds * 1000)) > 0 else {
            stop()
            return nil
        }
        closeOutput()
        return end()
    }

    /// Ends it, whatever it still does.
    func stop() {
        closeOutput()
        guard status == nil else { return }
        kill(process, SIGKILL)
        _ = end()
    }
}
