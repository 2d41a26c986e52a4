import Foundation
import KeyturnTestHost

/// The library that names the durable steps of a process and ends it at one of them: `Tests/killpoint/killpoint.c`, built
/// once by the compiler that Swift links with.
enum Killpoint {
    /// Its path, or why there is none.
    static let library: Result<String, Unexpected> = Result { () throws(Unexpected) in try build() }

    private static func build() throws(Unexpected) -> String {
        let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "killpoint/killpoint.c").path
        // Beside the executable, and there in one step: another run may be using it.
        let library = URL(filePath: Host.executable).deletingLastPathComponent().appending(path: "killpoint.so").path
        let new = "\(library).\(getpid())"
        do {
            let compiler = Process()
            compiler.executableURL = URL(filePath: "/usr/bin/env")
            compiler.arguments = ["clang", "-std=gnu17", "-O1", "-fPIC", "-shared", "-o", new, source]
            try compiler.run()
            compiler.waitUntilExit()
            guard compiler.terminationStatus == 0 else { throw Unexpected("clang does not build \(source)") }
        } catch { throw Unexpected("\(error)") }
        guard unsafe rename(new, library) == 0 else { throw Unexpected("cannot make \(library)") }
        return library
    }

    /// Where and how a process meets its fault; nil: nowhere, its steps are only recorded.
    struct Order: Sendable {
        enum Side: String, Sendable {
            case before, after
            /// The step answers EIO, this time and from then on.
            case broken
        }

        var step: String
        /// From 1.
        var times: Int
        var side: Side
    }

    /// What the process needs in its environment.
    static func environment(_ host: Host, record: String, _ order: Order? = nil) throws -> [String: String] {
        var variables = [
            "LD_PRELOAD": try library.get(), "KILLPOINT_FOLDER": host.folder, "KILLPOINT_RECORD": host.path("output/\(record)"),
        ]
        if let order {
            variables["KILLPOINT_STEP"] = order.step
            variables["KILLPOINT_TIMES"] = String(order.times)
            variables["KILLPOINT_SIDE"] = order.side.rawValue
        }
        return variables
    }

    /// A step of a recorded life.
    struct Step: Sendable {
        let name: String
        /// At its how-manyeth time, from 1.
        let times: Int
        /// The code of the last entry of the history before it, as the process logged it.
        let after: String
    }

    static func steps(of host: Host, record: String) throws -> [Step] {
        var after = "start"
        var times: [String: Int] = [:]
        var steps: [Step] = []
        for line in try host.read("output/\(record)").split(separator: "\n") {
            if line.hasPrefix("# ") {
                if let code = line.firstMatch(of: /\(code=([a-z-]+)/)?.output.1 { after = String(code) }
            } else {
                times[String(line), default: 0] += 1
                steps.append(Step(name: String(line), times: times[String(line)] ?? 1, after: after))
            }
        }
        return steps
    }
}
