/// What reached the gateway since it was made. Every request counts, those that a fault struck included.
package struct SandboxStatistics: Equatable, Sendable {
    /// Creates that arrived, whatever became of them.
    package internal(set) var creates = 0
    /// Creates that made a token, late ones from the moment they land.
    package internal(set) var created = 0
    package internal(set) var lists = 0
    package internal(set) var revokes = 0
    package internal(set) var modelsCalls = 0
    package internal(set) var usageCalls = 0
    /// Calls of consumers, by whether the token was accepted.
    package internal(set) var chatAccepted = 0
    package internal(set) var chatRefused = 0
    /// Answers by HTTP status. Connections cut and requests left hanging are in none of them.
    package internal(set) var answers: [Int: Int] = [:]

    mutating func count(_ operation: SandboxOperation) {
        switch operation {
        case .create: creates += 1
        case .list: lists += 1
        case .revoke: revokes += 1
        case .models: modelsCalls += 1
        case .usage: usageCalls += 1
        case .chat: break  // counted by outcome
        }
    }
}
