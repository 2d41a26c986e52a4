import Foundation
import KeyturnCore
import Logging

extension Keeper {
    /// What a round of readings came to.
    struct UsageRound: Sendable {
        var findings: [Finding] = []
        /// Tokens whose every generation gave an answer, so that what was wrong with them and is not any more is over.
        var judged: Set<TokenName> = []
    }

    private struct Call: Sendable {
        var token: Token
        var generation: Generation
    }

    private enum Answer: Sendable {
        case read(Reading, at: Date)
        /// The gateway shows no figures, or refuses the secret: nothing comes of asking.
        case no
        case failed(GatewayError)
    }

    /// Reads the use of every living generation at one gateway, those first that were not read for longest, several at once.
    ///
    /// It comes last in a pass: whatever else is due goes before it. One answer that asks for a pause, or as many that do not come
    /// as may be under way at once, end the round: such a gateway is read less, and the rest has its turn at the next one. While
    /// the two clocks differ nothing is read, since it is not known which day it would count for.
    func readUsage(_ tokens: [Token], _ desk: Desk) async throws -> UsageRound {
        guard let book = desk.book, desk.clockIsOff == nil, case .success? = desk.answer else { return UsageRound() }
        let now = ports.now()
        let calls = tokens.flatMap { token in token.generations.filter { isToRead($0, at: now) }.map { Call(token: token, generation: $0) }
        }
        guard !calls.isEmpty else { return UsageRound() }
        let meters = try ports.journal.meters(of: desk.name, names: Set(calls.map(\.generation.name)))
        let order = calls.sorted {
            let (one, other) = (meters[$0.generation.name]?.readAt, meters[$1.generation.name]?.readAt)
            return (one ?? .distantPast, $0.generation.name) < (other ?? .distantPast, $1.generation.name)
        }
        let answers = await ask(order, desk)
        return try takeIn(answers, of: order, book, desk)
    }

    private func isToRead(_ generation: Generation, at now: Moment) -> Bool {
        switch generation.state {
        case .held: break
        case .retiring: if generation.retirement?.mayBeRead(at: now) != true { return false }
        // Once its revocation was answered its secret is refused.
        case .revoking: if generation.revokeAnsweredAt != nil { return false }
        case .unmade, .intended, .abandoned, .revoked: return false
        }
        // A new one's first reading falls due one `every` after its issue; a clock that was set back makes nothing new.
        let age = now.wall.timeIntervalSince(generation.createdAt ?? generation.intendedAt)
        return age < 0 || age >= settings.watchEvery.approximateSeconds
    }

    /// By the place of each in `calls`; those after the end of the round are missing.
    private func ask(_ calls: [Call], _ desk: Desk) async -> [Int: Answer] {
        let width = max(1, settings.gateways[desk.name]?.concurrent ?? 1)
        return await withTaskGroup(of: (Int, Answer).self) { group in
            var answers: [Int: Answer] = [:]
            var silent = 0
            var isOver = false
            func take(_ place: Int, _ answer: Answer) {
                answers[place] = answer
                guard case .failed(let error) = answer else { return }
                silent += 1
                if error.retryAfter != nil || silent >= width { isOver = true }
            }
            for (place, call) in calls.enumerated() {
                if place >= width, let (ended, answer) = await group.next() { take(ended, answer) }
                if isOver || isStopping() { break }
                group.addTask { (place, await answer(to: call, desk)) }
            }
            for await (place, answer) in group { take(place, answer) }
            return answers
        }
    }

    private func answer(to call: Call, _ desk: Desk) async -> Answer {
        guard let secret = try? ports.keyring.secret(call.generation.name, of: desk.name) else { return .no }
        let at = ports.now().wall
        do throws(GatewayError) { return .read(try await desk.usage(secret), at: at) } catch {
            if case .rejected = error { return .no }
            return .failed(error)
        }
    }

    private func takeIn(_ answers: [Int: Answer], of calls: [Call], _ book: UsageBook, _ desk: Desk) throws -> UsageRound {
        var entries: [UsageBook.Entry] = []
        var round = UsageRound(judged: Set(calls.map(\.token.name)))
        for (place, call) in calls.enumerated() {
            switch answers[place] {
            case .read(let reading, let at):
                entries.append(UsageBook.Entry(call.generation, of: call.token, under: policies[call.token.name], reading, at: at))
            case .no: break
            case .failed(let error):
                log.debug("the use of \(call.generation.name) was not read: \(error)", metadata: [LogKeys.token: "\(call.token.name)"])
                round.judged.remove(call.token.name)
            case nil: round.judged.remove(call.token.name)
            }
        }
        for (entry, why) in try book.keep(entries, at: desk.name) {
            round.findings.append(
                Finding(
                    code: .usageUnreadable, severity: .warning, token: entry.token, environment: entry.environment,
                    subject: entry.generation.name,
                    sentence: "the gateway's figures for the use of \(entry.generation.name) cannot be right: \(why); they are not counted",
                    help: "look at it in the gateway's console; budgets count what was read before"
                )
            )
        }
        return round
    }
}
