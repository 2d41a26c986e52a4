import Foundation
import KeyturnCore

extension Keeper {
    /// Takes up what commands asked for. A request is answered in the same breath as what it caused is recorded or
    /// begins: a driver that dies in between finds it again, and doing it again changes nothing.
    func takeRequests(_ tokens: inout [Token], _ desks: [GatewayName: Desk], _ recorder: Recorder) async throws -> [TokenName: Facts] {
        var facts: [TokenName: Facts] = [:]
        let requests = try ports.journal.pendingRequests()
        if requests.isEmpty { return facts }
        let places = Dictionary(tokens.indices.map { (tokens[$0].name, $0) }) { first, _ in first }
        for var request in requests {
            guard let index = places[request.token] else {
                if !isWhole { continue }
                request.refusal = Keeper.unknown(request.token)
                try ports.journal.answer(request, at: ports.now().wall)
                continue
            }
            let policy = policies[request.token]
            // Who reads all policies will know what it is about.
            if policy == nil, !isWhole, request.verb != .revoke, request.verb != .leak { continue }
            if desks[tokens[index].gateway] == nil, let why = stranded(tokens[index]) {
                request.refusal = why
                try ports.journal.answer(request, at: ports.now().wall)
                continue
            }
            switch request.verb {
            case .rotate: try rotate(&tokens[index], policy, &request, &facts, recorder)
            case .revoke where request.generation != nil: try release(&tokens[index], policy, &request, recorder)
            case .revoke:
                if tokens[index].ending == nil { try recorder.record([.ended(.requested)], of: &tokens[index], under: policy) }
                try recorder.record([.urged(request.reason)], of: &tokens[index], under: policy)
            case .leak:
                let desk = desks[tokens[index].gateway]
                try await leak(&tokens[index], policy, &request, desk, recorder)
            case .adopt:
                guard let policy, let desk = desks[tokens[index].gateway] else {
                    request.refusal = Keeper.unknown(request.token)
                    break
                }
                let adoption = Adoption(ports: ports, desk: desk, policy: policy, known: tokens.flatMap(\.generations))
                request.refusal = try await adoption.adopt(request, &tokens[index], recorder)
                request.rotation = tokens[index].rotation?.id
                if request.refusal != nil { facts[request.token, default: Facts()].adoptionIsRefused = true }
            }
            try ports.journal.answer(request, at: ports.now().wall)
        }
        return facts
    }

    /// Why nothing that is asked of a token can be done, now or later, where the settings do not name its gateway. Nil where nothing
    /// of it lives there, so that there is nothing to be done.
    private func stranded(_ token: Token) -> String? {
        guard token.generations.contains(where: \.isLiving) else { return nil }
        return "\(token.name) lives at \(token.gateway), which keyturn.yaml does not name: name it there again and reload, "
            + "or end its generations in that gateway's console"
    }

    /// `revoke TOKEN --generation NAME`: a person's word in place of the evidence that nobody needs a replaced generation.
    private func release(_ token: inout Token, _ policy: TokenPolicy?, _ request: inout Request, _ recorder: Recorder) throws {
        let name = request.generation ?? ""
        switch token.generation(name)?.state {
        case .retiring:
            if let target = token.targets.first(where: { $0.leftAt == nil && ($0.generation == name || $0.generation == nil) }) {
                let may = target.generation == nil ? "may hold" : "still holds"
                request.refusal = "\(target.id) \(may) \(name): whoever reads it would fail"
            } else {
                try recorder.record([.released(name)], of: &token, under: policy)
            }
        // Asked before, by a driver that died before it could answer: it goes on at once.
        case .revoking: try recorder.record([.urged(request.reason)], of: &token, under: policy)
        case .held:
            request.refusal =
                "\(name) is in use: `keyturn rotate \(token.name)` replaces it, `keyturn revoke \(token.name)` ends the token"
        case .unmade, .intended, .abandoned, .revoked, nil:
            request.refusal = "\(token.name) has no living generation \(name): see `keyturn status \(token.name)`"
        }
    }

    /// The command that asked has found it in a policy; what is in force may be older.
    private static func unknown(_ name: TokenName) -> String {
        "no policy in force asks for \(name): reload keyturn if one was written since it began"
    }

    /// Starts here and now rather than with the plan, so that the answer can name the rotation.
    private func rotate(
        _ token: inout Token, _ policy: TokenPolicy?, _ request: inout Request, _ facts: inout [TokenName: Facts], _ recorder: Recorder
    ) throws {
        guard let policy else {
            request.refusal = Keeper.unknown(token.name)
            return
        }
        if case .on(let date) = policy.expires, date <= ports.now().wall {
            request.refusal = "the expires date of \(token.name) is past: nothing is issued"
            return
        }
        if let rotation = token.rotation, rotation.isOpen {
            try recorder.record([.urged(request.reason)], of: &token, under: policy)
            request.rotation = rotation.id
            return
        }
        let resumes: [Event] = token.ending == nil ? [] : [.resumed]
        let cause = token.serial == 0 ? Rotation.Cause.first : .requested
        try recorder.record(resumes + [.urged(nil), .started(cause, reason: request.reason)], of: &token, under: policy)
        request.rotation = token.rotation?.id
    }
}
