import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Logging

/// What commands that ask for something have in common: they tell the history, not the log, and end with a sentence.
enum CommandLog {
    /// Steps are told by the command itself; the log keeps quiet short of errors that nothing else tells.
    static func bootstrap() { Logs.bootstrap(level: .critical) }

    static func sum(up names: [TokenName], _ site: Site, _ exit: Exit) throws {
        let now = HostClock.now()
        let obstacles = try site.obstacles()
        for name in names {
            guard let token = try site.house.journal.token(name) else { continue }
            let status = site.status(of: token, heeding: obstacles, at: now)
            let why = status.stuck ?? status.reason
            Terminal.print("\(name) is \(status.state.rawValue)" + (why.map { ": \($0.oneLine)" } ?? ""))
        }
        if exit == .waits { Terminal.print("what waits is left to the daemon, or to the next `keyturn daemon --once`") }
        try exit.leave()
    }
}
