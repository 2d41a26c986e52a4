import Glibc
import Synchronization

/// Ends the process groups that tests have started when the tests themselves are gone, killed ones included: a shell that reads
/// from a socket whose other end this process alone holds, and that the kernel closes.
///
/// Not PR_SET_PDEATHSIG, which counts from the end of the thread that started a child: threads come and go here.
final class Guardian: Sendable {
    static let shared = Guardian()

    private static let script = """
        groups=" "
        while read -r sign group; do
          case $sign in
            +) groups="$groups$group " ;;
            -) groups="${groups%% $group *} ${groups#* $group }" ;;
          esac
        done
        for group in $groups; do kill -s KILL -- "-$group"; done
        """

    private let way: Mutex<Int32>

    private init() {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { fatalError("no way to a guardian") }
        defer { close(ends[0]) }
        let spawn = Spawn(input: .descriptor(ends[0]), output: "/dev/null", errors: "/dev/null")
        guard (try? spawn.start(["/bin/sh", "-c", Guardian.script], environment: [])) != nil else { fatalError("no guardian") }
        way = Mutex(ends[1])
    }

    func began(_ group: pid_t) { tell("+ \(group)\n") }
    /// To be called before its number can be another's: before it is waited for.
    func ends(_ group: pid_t) { tell("- \(group)\n") }

    private func tell(_ line: String) {
        let bytes = Array(line.utf8)
        way.withLock { _ = unsafe write($0, bytes, bytes.count) }
    }
}
