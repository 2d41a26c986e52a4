import Foundation
import KeyturnSandbox
import KeyturnTestHost
import Synchronization

/// One host in a temporary folder: settings, policies, an admin token and targets, for the real executable to work with.
final class Host: Sendable {
    static let admin = "admin-4f1d8c2b97e6"

    let folder: String
    let url: String
    private let children = Mutex<[Child]>([])

    init(url: String) throws {
        self.url = url
        // A path that stays short: a socket's may have 107 bytes.
        folder = "/tmp/keyturn-\(UUID().uuidString.prefix(8))"
        for name in ["", "policies", "targets", "output"] {
            try FileManager.default.createDirectory(
                atPath: path(name), withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        }
        try write(Host.admin + "\n", to: "admin-token", mode: 0o600)
        try settings()
    }

    func end() {
        children.withLock { children in
            for child in children { child.send(9) }
            children = []
        }
        if ProcessInfo.processInfo.environment["KEYTURN_TESTS_KEEP"] == nil { try? FileManager.default.removeItem(atPath: folder) }
    }

    // MARK: Files

    func path(_ name: String) -> String { name.isEmpty ? folder : "\(folder)/\(name)" }

    func write(_ text: String, to name: String, mode: Int = 0o644) throws {
        try Data(text.utf8).write(to: URL(filePath: path(name)))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path(name))
    }

    func read(_ name: String) throws -> String { String(decoding: try Data(contentsOf: URL(filePath: path(name))), as: UTF8.self) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    /// `keyturn.yaml`; what is in `more` comes below the gateway, `lines` at the end.
    func settings(url: String? = nil, gateway more: String = "", lines: String = "watch: {every: 2s}") throws {
        try write(
            """
            gateways:
              laozhang:
                kind: laozhang
                url: \(url ?? self.url)
                admin_token: {file: admin-token}
                \(more)
            state: state
            policies: policies
            \(lines)
            """, to: "keyturn.yaml"
        )
    }

    // MARK: Running

    /// The executable lies beside the one that runs the tests.
    static let executable: String = {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: tests).deletingLastPathComponent().appending(path: "keyturn").path
    }()

    /// - Parameters:
    ///   - environment: on top of PATH and of KEYTURN_CONFIG, which names this host's settings.
    ///   - wrapper: a command that runs the executable, with its arguments.
    func start(_ arguments: [String], environment: [String: String] = [:], under wrapper: [String] = []) throws -> Child {
        let usual = ["PATH": "/usr/bin:/bin", "KEYTURN_CONFIG": path("keyturn.yaml"), "TMPDIR": folder, "HOME": folder]
        return try children.withLock { children in
            let child = try Child(
                wrapper + [Host.executable] + arguments, environment: usual.merging(environment) { $1 }, folder: folder,
                output: path("output/\(String(format: "%03d", children.count))-\(arguments.first ?? "none")")
            )
            children.append(child)
            return child
        }
    }

    func daemon(_ arguments: String..., environment: [String: String] = [:]) throws -> Child {
        try start(["daemon"] + arguments, environment: environment)
    }

    /// Runs a command to its end.
    func run(
        _ arguments: String..., environment: [String: String] = [:], under wrapper: [String] = [], within limit: Duration = patience
    ) async throws -> Run {
        let child = try start(arguments, environment: environment, under: wrapper)
        let code = try await child.ended(within: limit)
        return Run(code: code, output: child.written, errors: child.complained)
    }

    /// What every process here has written so far.
    var said: String { children.withLock { $0.map(\.said).joined() } }
}

/// A command that has ended.
struct Run: Sendable, CustomStringConvertible {
    let code: Int32
    let output: String
    let errors: String

    var lines: [String] { output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init) }
    var description: String { "exit \(code)\n\(output)\(errors)" }

    func json<Value: Decodable>(_: Value.Type = SandboxJSON.self) throws -> Value {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .iso8601
        do { return try decoder.decode(Value.self, from: Data(output.utf8)) } catch { throw Unexpected("\(error) in: \(self)") }
    }
}

/// Lets few hosts work at a time: seconds stand for months here, and fifty processes on two cores would turn them into years.
actor Turnstile {
    static let shared = Turnstile(places: 3)

    private var places: Int
    private var queue: [CheckedContinuation<Void, Never>] = []

    init(places: Int) { self.places = places }

    func enter() async {
        guard places == 0 else {
            places -= 1
            return
        }
        await withCheckedContinuation { queue.append($0) }
    }

    func leave() {
        if queue.isEmpty { places += 1 } else { queue.removeFirst().resume() }
    }
}
