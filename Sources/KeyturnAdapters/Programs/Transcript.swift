import Glibc
import Synchronization

/// What one run of a program left: the end of its output, and the number of its process group.
final class Transcript: Sendable {
    private struct State {
        var group: pid_t?
        var tail: [UInt8] = []
    }

    private static let mostBytes = 4096
    private let state = Mutex(State())

    func began(_ group: pid_t) { state.withLock { $0.group = group } }

    var hasBegun: Bool { state.withLock { $0.group != nil } }

    func append(_ output: [UInt8]) {
        state.withLock { state in
            state.tail += output
            state.tail.removeFirst(max(0, state.tail.count - Transcript.mostBytes))
        }
    }

    /// Ends who is left of the group after its leader has ended. While anyone is left the kernel gives the number to nobody
    /// else; when nobody is, it comes round only after all other numbers.
    func endGroup() {
        guard let group = state.withLock({ $0.group }), group > 1 else { return }
        _ = kill(-group, SIGKILL)
    }

    /// `; it said: ...` on one line, nothing when it said nothing. Goes to the journal and into mail, so what looks like a
    /// key is left out.
    var quoted: String {
        let text = String(decoding: state.withLock { $0.tail }, as: UTF8.self)
        let lines = text.split(whereSeparator: \.isNewline).map { line in
            String(String.UnicodeScalarView(line.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
        }
        guard !lines.isEmpty else { return "" }
        return "; it said: " + lines.joined(separator: " | ").hidingKeys
    }
}
