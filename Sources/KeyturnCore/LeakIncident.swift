package import Foundation

/// A leak as the journal keeps it: from a person's word to the moment when nothing that leaked is accepted any more and what
/// replaces it is applied. What happened in between is told by the history, from `firstEntry` on.
package struct LeakIncident: Sendable, Equatable {
    /// One generation that existed at the request, as it was then.
    package struct Generation: Sendable, Equatable {
        package var name: String
        package var state: KeyturnCore.Generation.State
        /// The gateway's own figures of its use, read with its own secret before it was revoked; nil where none were to be had in time.
        package var before: Reading?
        package var readAt: Date?
        /// What it had cost, hour by hour, before it was revoked; nil where the gateway keeps no such log or did not show it in time.
        package var cost: UsageCost?

        package init(
            name: String, state: KeyturnCore.Generation.State, before: Reading? = nil, readAt: Date? = nil, cost: UsageCost? = nil
        ) {
            self.name = name
            self.state = state
            self.before = before
            self.readAt = readAt
            self.cost = cost
        }
    }

    /// Given by the journal.
    package var number: Int64
    package var token: TokenName
    package var environment: String
    package var gateway: GatewayName
    package var mode: LeakMode
    package var reason: String?
    package var openedAt: Date
    package var closedAt: Date?
    /// The first of the history's entries that belong to it; given by the journal.
    package var firstEntry: Int64
    package var generations: [Generation]

    package init(
        number: Int64 = 0, token: TokenName, environment: String, gateway: GatewayName, mode: LeakMode, reason: String? = nil,
        openedAt: Date, closedAt: Date? = nil, firstEntry: Int64 = 0, generations: [Generation]
    ) {
        self.number = number
        self.token = token
        self.environment = environment
        self.gateway = gateway
        self.mode = mode
        self.reason = reason
        self.openedAt = openedAt
        self.closedAt = closedAt
        self.firstEntry = firstEntry
        self.generations = generations
    }

    /// What keeps it open, a clause each; nothing: it is over. `isWhole`: all policies were read, so that a token without one
    /// really has none.
    package func remains(of token: Token, under policy: TokenPolicy?, isWhole: Bool, at now: Moment) -> [String] {
        var clauses: [String] = []
        for one in generations {
            guard let generation = token.generation(one.name) else { continue }
            let trouble = generation.attempts.failures > 0 ? generation.attempts.lastError.map { ": \($0)" } ?? "" : ""
            switch generation.state {
            case .revoked, .unmade: break
            // After that nothing of it is on its way any more; should it turn up all the same it is revoked as any lost create is.
            case .abandoned where now.wall.timeIntervalSince(generation.intendedAt) > Sighting.longestWay + Sighting.tolerance: break
            case .abandoned, .intended: clauses.append("\(one.name), whose create was lost, may yet turn up")
            case .held, .retiring: clauses.append("\(one.name) is kept until its replacement is published")
            case .revoking: clauses.append("\(one.name) is not seen refused yet\(trouble)")
            }
        }
        return clauses + lacks(of: token, policy, isWhole, now)
    }

    /// Of the replacement, where one is to come.
    private func lacks(of token: Token, _ policy: TokenPolicy?, _ isWhole: Bool, _ now: Moment) -> [String] {
        guard token.ending == nil else { return [] }
        guard let policy else { return isWhole ? [] : ["its policy could not be read, so that nothing replaces it yet"] }
        if case .on(let date) = policy.expires, date <= now.wall { return [] }
        guard token.rotation?.isOpen != true, let current = token.currentGeneration, current.state == .held else {
            let why = token.rotation?.isOpen == true ? token.rotation?.attempts.lastError : token.attempts.lastError
            return ["its replacement is not in use yet" + (why.map { ": \($0)" } ?? "")] + late(token, policy, token.rotation?.generation)
        }
        return late(token, policy, current.name)
    }

    private func late(_ token: Token, _ policy: TokenPolicy, _ coming: String?) -> [String] {
        guard let coming else { return [] }
        return policy.targets.map { token.target($0.id) }.filter { !$0.isApplied(coming) }.map { target in
            let error = target.attempts.failures > 0 ? target.attempts.lastError.map { ": \(target.id.apart($0))" } ?? "" : ""
            return "\(target.id) has not taken up \(coming)\(error)"
        }
    }
}
