import Foundation
import Glibc
import KeyturnAdapters

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

    static func print(_ text: String) { write(text + "\n", STDOUT_FILENO) }

    static func error(_ text: String) { write(text + "\n", STDERR_FILENO) }

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
