import Foundation
import KeyturnCore

extension YAMLValue {
    /// What makes the consumer take the secret up: exactly one of run, signal, reload and restart.
    func then() -> Then? {
        map("a map such as {run: [/usr/bin/worker-ctl, reload]} or {reload: webapp.service}") { map in
            let ways = map.present(["run", "signal", "reload", "restart"])
            let timeout = map["timeout"]
            let pidFile = map["pid_file"]
            guard ways.count == 1 else {
                let found = ways.isEmpty ? "none of run, signal, reload and restart" : ways.joined(separator: " and ")
                map.refuse("found \(found), expected exactly one of run, signal, reload and restart")
                return nil
            }
            if ways != ["run"] { timeout?.refuse(expected: "a timeout beside run alone") }
            if ways != ["signal"] { pidFile?.refuse(expected: "a pid_file beside signal alone") }
            if let value = map["run"] { return value.command(timeout: timeout).map(Then.run) }
            if let value = map["signal"] {
                let number = value.signal()
                let file = map.required("pid_file", "the file that holds the number of the process")?.filePath()
                guard let number, let file else { return nil }
                return .signal(number, pidFile: file)
            }
            if let value = map["reload"] { return value.unit().map { .reload(unit: $0) } }
            return map["restart"]?.unit().map { .restart(unit: $0) }
        } ?? nil
    }

    func confirm() -> Command? {
        map("a map such as {run: [/usr/bin/worker-ctl, status], timeout: 30s}") { map in
            let timeout = map["timeout"]
            return map.required("run", "a program with its arguments such as [/usr/bin/worker-ctl, status]")?.command(timeout: timeout)
        } ?? nil
    }

    /// The list under `run`, with the timeout beside it.
    private func command(timeout: YAMLValue?) -> Command? {
        let limit = timeout?.span()
        guard let items = items("a program with its arguments such as [/usr/bin/worker-ctl, reload]"), let program = items.first else {
            return nil
        }
        let path = program.matching("the program's absolute path, such as /usr/bin/worker-ctl") { $0.hasPrefix("/") && $0.last != "/" }
        let arguments = items.dropFirst().map { $0.argument() }
        guard let path, !arguments.contains(nil) else { return nil }
        return Command(arguments: [path] + arguments.compactMap(\.self), timeout: limit ?? .seconds(30))
    }

    /// Unlike other texts it may be empty, in quotes.
    private func argument() -> String? { scalarText == "" ? "" : text("an argument as text") }

    /// `HUP`, `SIGHUP` or 1 ... 64.
    private func signal() -> Int32? {
        if let plain = plainText, case .integer = ScalarKind(plain: plain) {
            return integer(in: 1...64, or: " or a name such as HUP").map(Int32.init)
        }
        let names: [String: Int32] = [
            "HUP": SIGHUP, "INT": SIGINT, "QUIT": SIGQUIT, "ABRT": SIGABRT, "USR1": SIGUSR1, "USR2": SIGUSR2, "ALRM": SIGALRM,
            "TERM": SIGTERM,
            "CONT": SIGCONT, "WINCH": SIGWINCH, "IO": SIGIO, "PWR": SIGPWR, "URG": SIGURG, "KILL": SIGKILL,
        ]
        let expected = "a signal such as HUP, SIGUSR1 or 1"
        guard let text = text(expected) else { return nil }
        let name = text.hasPrefix("SIG") ? String(text.dropFirst(3)) : text
        guard let number = names[name] else {
            refuse(expected: expected + (nearest(to: name, among: names.keys).map { " (did you mean '\($0)'?)" } ?? ""))
            return nil
        }
        return number
    }

    /// A unit with its type, as the manager's bus wants it: `webapp.service`.
    private func unit() -> String? {
        matching("a systemd unit with its type, such as webapp.service") {
            $0.count <= 255 && !$0.contains("@.")
                && $0.wholeMatch(of: /[A-Za-z0-9:_.\\@-]+\.(service|socket|target|timer|path|mount|scope|slice)/) != nil
        }
    }
}
