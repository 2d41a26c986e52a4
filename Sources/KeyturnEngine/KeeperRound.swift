import KeyturnCore
import Logging

extension Keeper {
    /// What a pass asks of every gateway alike.
    struct Round: Sendable {
        var watches: Bool
        var only: Set<TokenName>?
        /// What requests have found out.
        var facts: [TokenName: Facts]
        /// About tokens that have left the policies.
        var removed: [TokenName: Verdict]
        var recorder: Recorder
    }

    /// What came of it at one gateway.
    private struct Stop: Sendable {
        /// Where its tokens stand among all.
        var indices: [Int]
        var tokens: [Token]
        var verdicts: [TokenName: Verdict]
        var blocked: Set<TokenName>
        var findings: [Finding]
        var usage: UsageRound
    }

    /// Looks, judges and drives at every gateway at once: one that takes its time for every answer is nobody else's delay.
    func goRound(_ tokens: inout [Token], _ desks: [GatewayName: Desk], _ round: Round) async throws
        -> (verdicts: [TokenName: Verdict], blocked: Set<TokenName>, findings: [Finding], usage: UsageRound)
    {
        let places = Dictionary(grouping: tokens.indices) { tokens[$0].gateway }
        let order = desks.values.sorted { $0.name < $1.name }
        let snapshot = tokens
        let stops = try await withThrowingTaskGroup(of: (Int, Stop).self) { group in
            for (position, desk) in order.enumerated() {
                let mine = places[desk.name] ?? []
                group.addTask { (position, try await stop(at: desk, mine, mine.map { snapshot[$0] }, round)) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        // Nothing can be done for those whose gateway the settings do not know.
        let stranded = places.filter { desks[$0.key] == nil }.flatMap(\.value).map { tokens[$0] }
        var verdicts = judge(stranded, round.facts).merging(round.removed) { first, _ in first }
        var blocked = Set(stranded.map(\.name).filter { round.only?.contains($0) ?? true })
        var findings: [Finding] = []
        var usage = UsageRound()
        for (_, stop) in stops.sorted(by: { $0.0 < $1.0 }) {
            for (index, token) in zip(stop.indices, stop.tokens) { tokens[index] = token }
            verdicts.merge(stop.verdicts) { _, here in here }
            blocked.formUnion(stop.blocked)
            findings += stop.findings
            usage.findings += stop.usage.findings
            usage.judged.formUnion(stop.usage.judged)
        }
        return (verdicts, blocked, findings, usage)
    }

    private func stop(at desk: Desk, _ indices: [Int], _ mine: [Token], _ round: Round) async throws -> Stop {
        var tokens = mine
        var facts = round.facts
        let seen = try await lookOutside(&tokens, &facts, desk, round.recorder, watches: round.watches)
        var verdicts = judge(tokens, facts)
        for token in tokens where verdicts[token.name] == nil { verdicts[token.name] = round.removed[token.name] }
        desk.expect(tokens.flatMap(\.generations))
        let (blocked, unreadable) = try await drive(&tokens, verdicts, desk, round)
        let usage = round.watches ? try await readUsage(tokens, desk) : UsageRound()
        return Stop(indices: indices, tokens: tokens, verdicts: verdicts, blocked: blocked, findings: seen + unreadable, usage: usage)
    }

    // MARK: Driving

    /// One token of the pass, from where it stands.
    private struct Turn: Sendable {
        var index: Int
        var verdict: Verdict?
        var progress: Rotator.Progress
        /// The answer to the list that it waited for.
        var answer: Result<Listing, GatewayError>?
    }

    /// Where a token of the pass has got to; blocked: something of its own broke, and trying again at once is no use.
    private struct Driven: Sendable {
        var index: Int
        var progress: Rotator.Progress
        var isBroken = false
        var finding: Finding?
    }

    private enum Ended: Sendable {
        case driven(Driven)
        case listed(Result<Listing, GatewayError>)
    }

    /// One gateway's tokens, what is most urgent first, as many at once as it may be asked at once.
    private func drive(
        _ tokens: inout [Token], _ verdicts: [TokenName: Verdict], _ desk: Desk, _ round: Round
    ) async throws -> (blocked: Set<TokenName>, findings: [Finding]) {
        let chosen = tokens.indices.filter { round.only?.contains(tokens[$0].name) ?? true }
        let turns = chosen.map { Turn(index: $0, verdict: verdicts[tokens[$0].name], progress: Rotator.Progress(token: tokens[$0])) }
            .sorted { urgency($0) < urgency($1) }
        // Without the list nothing begins.
        if desk.answer == nil, turns.contains(where: { $0.verdict?.begins ?? false }) { await desk.list() }
        var blocked: Set<TokenName> = []
        var findings: [Finding] = []
        for one in try await drive(turns, desk, round.recorder) {
            tokens[one.index] = one.progress.token
            if one.isBroken || one.progress.isBlocked { blocked.insert(one.progress.token.name) }
            if let finding = one.finding { findings.append(finding) }
        }
        return (blocked, findings)
    }

    /// Whoever needs a list that begins after something it did waits until nobody is left who could go on without one: then one
    /// list serves all who wait. Those who are still under way by then, a `then` may take minutes, are not waited for.
    private func drive(_ first: [Turn], _ desk: Desk, _ recorder: Recorder) async throws -> [Driven] {
        let width = max(1, settings.gateways[desk.name]?.concurrent ?? 1)
        return try await withThrowingTaskGroup(of: Ended.self) { group in
            var turns = first[...]
            var done: [Int: Driven] = [:]
            var waiting: [Turn] = []
            var asking: [Turn] = []
            var underWay = 0
            while true {
                while underWay < width, !isStopping(), let turn = turns.popFirst() {
                    underWay += 1
                    group.addTask { .driven(try await drive(turn, desk, recorder)) }
                }
                if turns.isEmpty, asking.isEmpty, !waiting.isEmpty, underWay < width, !isStopping() {
                    underWay += 1
                    (asking, waiting) = (waiting, [])
                    group.addTask { .listed(await desk.list()) }
                }
                guard let ended = try await group.next() else { return done.values.sorted { $0.index < $1.index } }
                underWay -= 1
                switch ended {
                case .driven(let driven):
                    done[driven.index] = driven
                    guard !driven.isBroken, !driven.progress.parked.isEmpty else { break }
                    waiting.append(Turn(index: driven.index, progress: driven.progress))
                case .listed(let answer):
                    turns += asking.map { turn in Turn(index: turn.index, progress: turn.progress, answer: answer) }
                    asking = []
                }
            }
        }
    }

    private func urgency(_ turn: Turn) -> Int {
        // Before anything of anybody else's: every second of it may be a thief's.
        if turn.progress.token.hasOpenLeak { return -1 }
        switch turn.verdict {
        case .start(let cause, _): return 1 + Plan.urgency(of: cause)
        case .end: return 0
        // One that has not created anything yet, because a person asked for it or the gateway for a pause, has its turn by its cause.
        case .underWay:
            guard let rotation = turn.progress.token.rotation, rotation.phase == .minting else { return 1 }
            return 1 + Plan.urgency(of: rotation.cause)
        case .waits, .rests, nil: return 9
        }
    }

    private func drive(_ turn: Turn, _ desk: Desk, _ recorder: Recorder) async throws -> Driven {
        var progress = turn.progress
        let token = progress.token
        let policy = policies[token.name]
        do {
            try begin(turn.verdict, &progress.token, policy, desk, recorder)
            let rotator = Rotator(ports: ports, recorder: recorder, desk: desk, policy: policy, pulse: pulse, isStopping: isStopping)
            return Driven(index: turn.index, progress: try await rotator.drive(progress, with: turn.answer))
        } catch let error as KeyringError {
            let left = Rotator.Progress(token: try ports.journal.token(token.name) ?? token)
            return Driven(index: turn.index, progress: left, isBroken: true, finding: unreadable(token, error))
        } catch let error as Mismatch {
            // A defect of ours, or a second driver: the token is left as it was, and no other one stops for it.
            log.error("\(error)", metadata: [LogKeys.token: "\(token.name)", LogKeys.environment: "\(token.environment)"])
            let left = Rotator.Progress(token: try ports.journal.token(token.name) ?? token)
            return Driven(index: turn.index, progress: left, isBroken: true)
        }
    }

    private func begin(_ verdict: Verdict?, _ token: inout Token, _ policy: TokenPolicy?, _ desk: Desk, _ recorder: Recorder) throws {
        switch verdict {
        case .start(let cause, let reason):
            // Without the gateway's list nothing can be created: the rotation begins when it can.
            if case .failure = desk.answer { break }
            let resumes: [Event] = token.ending == nil ? [] : [.resumed]
            try recorder.record(resumes + [.started(cause, reason: reason)], of: &token, under: policy)
        case .end(let how):
            // It revokes, and cannot be taken back: not by a clock that may be wrong.
            guard case .success = desk.answer, desk.clockIsOff == nil else { break }
            try recorder.record([.ended(how)], of: &token, under: policy)
        case .underWay, .waits, .rests, nil: break
        }
    }
}

extension Verdict {
    /// Does something begin by it?
    fileprivate var begins: Bool {
        switch self {
        case .start, .end: true
        case .underWay, .waits, .rests: false
        }
    }
}
