/// A program and its arguments as given, no shell.
package struct Command: Sendable, Equatable {
    package var arguments: [String]
    package var timeout: TimeSpan
    package init(arguments: [String], timeout: TimeSpan = .seconds(30)) {
        self.arguments = arguments
        self.timeout = timeout
    }
}

/// What makes a consumer take up a delivered secret.
package enum Then: Sendable, Equatable {
    case run(Command)
    /// A signal (1 ... 64) to the process whose number stands in a file.
    case signal(Int32, pidFile: String)
    case reload(unit: String)
    case restart(unit: String)
}
