import Foundation
import Glibc
import KeyturnAdapters
import Synchronization

/// Where output goes: a terminal of some width, or a pipe.
enum Terminal {
    static let isTerminal = isatty(STDOUT_FILENO) == 1
    static let isColoured = isTerminal && (ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty

    /// Columns; nil where nobody counts them.
    static let width: Int? = {
        if let text = ProcessInfo.processInfo.environment["COLUMNS"], let columns = Int(text), columns > 20 { return columns }
        guard isTerminal else { return nil }
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 80 }
        return Int(size.ws_col)
    }()

    static func print(_ text: String) {
        progress(nil)
        write(text + "\n", STDOUT_FILENO)
    }

    static func error(_ text: String) {
        progress(nil)
        write(text + "\n", STDERR_FILENO)
    }

    /// A text of any making behind a head, wrapped to the terminal.
    static func print(_ text: String, after head: String, _ colour: Colour? = nil) {
        for line in text.oneLine.wrapped(to: width, after: head) { print(colour?.paint(line) ?? line) }
    }

    private static let canShowProgress = isatty(STDERR_FILENO) == 1
    private static let shown = Mutex<String?>(nil)

    /// One line that the next one replaces, for who waits at a terminal; nil takes it away.
    static func progress(_ text: String?) {
        guard canShowProgress else { return }
        shown.withLock { shown in
            guard text != shown else { return }
            write("\r\u{1b}[K" + (text.map { String($0.oneLine.prefix((width ?? 80) - 1)) } ?? ""), STDERR_FILENO)
            shown = text
        }
    }

    /// One write for one text, so that processes sharing a terminal do not mix within a line.
    private static func write(_ text: String, _ descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count <= 0 { return }
            bytes = bytes.dropFirst(count)
        }
    }
}

enum Colour: String {
    case red = "31"
    case yellow = "33"
    case green = "32"
    case dim = "2"

    func paint(_ text: String) -> String { Terminal.isColoured ? "\u{1b}[\(rawValue)m\(text)\u{1b}[0m" : text }
}
