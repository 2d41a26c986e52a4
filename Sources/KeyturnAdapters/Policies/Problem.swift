package import KeyturnCore

/// A position in a settings or policy file; line and column count from 1, columns in Unicode scalars, as editors show them.
package struct FilePosition: Sendable, Hashable, CustomStringConvertible {
    package var file: String
    /// Nil where the file as a whole is meant.
    package var line: Int?
    package var column: Int?

    package init(file: String, line: Int? = nil, column: Int? = nil) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line:column`
    package var description: String { ([file] + [line, column].compactMap { $0.map(String.init) }).joined(separator: ":") }
}

/// One thing that is wrong, or doubtful, in what an administrator wrote.
package struct Problem: Sendable, Equatable, CustomStringConvertible {
    package var place: FilePosition
    /// What was found and what was expected, for the person who edits the file; never a secret.
    package var message: String
    /// `.error` keeps the file from being used, `.warning` does not.
    package var severity: Severity
    /// The file or folder is there, and this user may not read it: what it says is not known.
    package var isPermission: Bool

    package init(place: FilePosition, message: String, severity: Severity = .error, isPermission: Bool = false) {
        self.place = place
        self.message = message
        self.severity = severity
        self.isPermission = isPermission
    }

    package var file: String { place.file }
    package var line: Int? { place.line }
    package var column: Int? { place.column }

    /// `file:line:column: message`
    package var description: String { "\(place): \(message)" }
}

/// Every error of every file that was read, in the order of the files and of their lines.
package struct ConfigurationErrors: Error, CustomStringConvertible {
    package var problems: [Problem]

    package init(problems: [Problem]) { self.problems = problems }

    /// Nothing is known to be wrong, this user only may not read it; one error in what could be read is for the file's author.
    package var isPermission: Bool { !problems.isEmpty && problems.allSatisfy(\.isPermission) }

    /// One line for each problem.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// What is wrong with one file, gathered while it is read: reading goes on after a problem, so that all come at once.
final class ProblemList {
    private(set) var all: [Problem] = []

    func add(_ message: String, at place: FilePosition, severity: Severity = .error, isPermission: Bool = false) {
        all.append(Problem(place: place, message: message, severity: severity, isPermission: isPermission))
    }

    func add(_ problem: Problem) { all.append(problem) }

    var errors: Int { all.count { $0.severity == .error } }

    /// In the order of the lines.
    var sorted: [Problem] { all.sorted { ($0.line ?? 0, $0.column ?? 0) < ($1.line ?? 0, $1.column ?? 0) } }
}
