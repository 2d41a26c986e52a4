/// What ends a test that cannot go on: a sentence.
package struct Unexpected: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// How long a test waits for what has to come to pass: so long that only a defect fails it, however busy the machine is.
package let patience = Duration.seconds(90)

/// Looks again and again until a condition holds: the condition decides, and never the time between two looks.
package func until(_ sentence: String, within limit: Duration = patience, _ condition: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < end else { throw Unexpected("within \(limit) it never came to pass: \(sentence)") }
        try await Task.sleep(for: .milliseconds(20))
    }
}
