import Foundation
import KeyturnCore

/// What may happen in a toy world beside the ordinary course.
struct ToyRules {
    /// What the policy folder holds, one after the other, each change at any time; nil is no policy for the token.
    var policies: [TokenPolicy?]
    /// Somebody ends or spoils a key at the gateway, or a secret is lost from the keyring.
    var kills = false
    /// `rotate TOKEN` and `revoke TOKEN` may come at any time.
    var requests = false
    /// `leak TOKEN` may come at any time, in either mode.
    var leaks = false
    /// Other programs write an older secret into a target.
    var drifts = false
}

/// A key at the toy gateway.
struct ToyKey: Hashable {
    var id: Int
    var name: String
    var isOurs = true
    var isListedAlive = true
    /// Refused, and somebody else than Keyturn saw to it.
    var isSpoilt = false
    /// A consumer that reads it although it is refused is not Keyturn's fault: it is spoilt, or its token was ended.
    var isExcused = false
    /// Made, or on its way, when its token leaked.
    var isLeaked = false
    var createdAt: Date
    var uses = 0
    /// A revocation that was answered and takes its time.
    var endsAt: Date?

    /// A key's secret is its id: nobody can guess either.
    var isAccepted: Bool { isListedAlive && !isSpoilt }
}

/// One token, its gateway, keyring, targets and consumers, and the process that drives it: all of a host that matters to
/// the machine, small enough to be walked through completely.
struct ToyWorld: Hashable {
    enum Process: Equatable {
        /// Dead, or not started yet: its first pass watches.
        case stopped
        case asleep(watches: Bool)
        case driving(Pass)
        case rested
    }

    struct Pass: Equatable {
        var watches: Bool
        /// What the gateway listed in this pass; nil while nobody asked.
        var listing: [ToyKey]?
        var listFailed = false
        /// Steps that needed something which is not to be had in this pass.
        var unavailable: [Step] = []
        /// Until when what was found out from outside has to wait.
        var waitsUntil: Date?
        var began: Token
        var faults: Int
        var meddling: Int
    }

    enum Request: Hashable { case rotate, revoke, leak(LeakMode) }

    /// A process that dies, or a promise that is broken.
    enum Stop: Error {
        case died(String)
        case broken(String)
    }

    var now: Moment
    var keys: [ToyKey] = []
    /// Creates whose request is still on its way.
    var late: [ToyKey] = []
    var nextID = 1
    /// Name to id; the id is not always known to Keyturn although its secret is.
    var keyring: [String: ToyRecord] = [:]
    var files: [TargetID: Int] = [:]
    /// What each consumer that is told runs with.
    var memories: [TargetID: Int] = [:]
    var token: Token
    var usedNames: Set<String> = []
    var requests: [Request] = []
    var policyIndex = 0
    var process = Process.stopped
    var nextWatch = Date.distantPast
    /// How many more things may go wrong: answers, writes, and the process itself.
    var faults: Int
    /// How many more times others may interfere: with requests, keys, files and policies.
    var meddling = 0

    struct ToyRecord: Hashable {
        var secret: Int
        var showsID: Bool
    }

    init(_ policy: TokenPolicy, faults: Int, meddling: Int = 0) {
        now = moment()
        token = .blank(policy)
        self.faults = faults
        self.meddling = meddling
        // Other people's: one bears the very name that we would take.
        keys = [
            ToyKey(id: 901, name: "prod-webapp-api-2026-11", isOurs: false, createdAt: monday),
            ToyKey(id: 902, name: "prod-webapp-api", isOurs: false, createdAt: monday),
        ]
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(now.wall)
        hasher.combine(keys)
        hasher.combine(files)
        hasher.combine(faults)
        hasher.combine(meddling)
        hasher.combine(token.rotation?.phase)
        hasher.combine(token.generations.map(\.state))
        hasher.combine(token.rotation?.attempts.failures)
        hasher.combine(memories)
        hasher.combine(late.count)
        hasher.combine(policyIndex)
        hasher.combine(requests)
        hasher.combine(token.targets.count { $0.appliedAt != nil })
    }

    // MARK: Turns

    /// One thing happens. What is returned is a promise that it broke.
    mutating func turn(_ rules: ToyRules, _ chooser: inout Chooser) -> String? {
        do throws(Stop) {
            happen(rules, &chooser)
            switch process {
            case .stopped: try wake(watches: true, rules, &chooser)
            case .asleep(let watches): try wake(watches: watches, rules, &chooser)
            case .driving(let pass): try drive(pass, rules, &chooser)
            case .rested: break
            }
        } catch {
            switch error {
            case .broken(let why): return why
            case .died(let when):
                chooser.tell("  the process dies \(when)")
                process = .stopped
            }
        }
        return process == .rested ? checkAtRest(rules) : check(rules)
    }

    /// What happens by itself: late creates land, revocations take effect, others interfere.
    private mutating func happen(_ rules: ToyRules, _ chooser: inout Chooser) {
        // A request is on its way for minutes; after an hour a new key of its name is somebody else's.
        late.removeAll { now.wall.timeIntervalSince($0.createdAt) > 3000 }
        if !late.isEmpty, chooser.pick(2) == 1 { land(&chooser) }
        for index in keys.indices where keys[index].isListedAlive {
            if let end = keys[index].endsAt, end <= now.wall { keys[index].isListedAlive = false }
        }
        for generation in token.generations where generation.state == .retiring && !generation.isLeaked {
            // The person who is asked at last looks into it, and ends the key in the gateway's console.
            guard let askAt = generation.retirement?.askAt, askAt <= now.wall else { continue }
            for index in keys.indices where keys[index].isOurs && keys[index].name == generation.name { keys[index].isListedAlive = false }
        }
        guard meddling > 0 else { return }
        var ways: [Meddling] = []
        if rules.kills { ways += [.endCurrent, .spoilCurrent, .spoilComing, .loseCurrent, .loseComing] }
        if case .driving = process {
        } else {
            if rules.drifts, token.generations.contains(where: { $0.state == .retiring }) { ways.append(.drift) }
            if rules.requests { ways += [.askRotate, .askRevoke] }
            if rules.leaks { ways += [.askContain, .askReplace] }
            if policyIndex + 1 < rules.policies.count { ways.append(.policy) }
        }
        guard !ways.isEmpty else { return }
        let choice = chooser.pick(ways.count + 1)
        guard choice > 0 else { return }
        meddling -= 1
        chooser.tell("  others: \(ways[choice - 1])")
        meddle(ways[choice - 1])
    }

    private enum Meddling {
        case endCurrent, spoilCurrent, spoilComing, loseCurrent, loseComing, drift, askRotate, askRevoke, askContain, askReplace, policy
    }

    private mutating func meddle(_ way: Meddling) {
        let coming = token.rotation?.isOpen == true ? token.rotation?.generation : nil
        let current = token.current
        switch way {
        case .endCurrent:
            spoil(current)
            for index in keys.indices where keys[index].name == current && keys[index].isOurs { keys[index].isListedAlive = false }
        case .spoilCurrent: spoil(current)
        case .spoilComing: spoil(coming)
        case .loseCurrent: lose(current)
        case .loseComing: lose(coming)
        case .drift:
            guard let old = token.generations.first(where: { $0.state == .retiring }), let secret = keyring[old.name]?.secret else {
                return
            }
            for id in files.keys { files[id] = secret }
        case .askRotate: requests.append(.rotate)
        case .askRevoke: requests.append(.revoke)
        case .askContain: requests.append(.leak(.containFirst))
        case .askReplace: requests.append(.leak(.replaceFirst))
        case .policy: policyIndex += 1
        }
    }

    private mutating func lose(_ name: String?) {
        guard let name else { return }
        keyring[name] = nil
        for index in keys.indices where keys[index].isOurs && keys[index].name == name { keys[index].isExcused = true }
    }

    mutating func land(_ chooser: inout Chooser) {
        chooser.tell("  the create of \(late[0].name) lands late")
        var key = late.removeFirst()
        key.createdAt = now.wall
        keys.append(key)
    }

    mutating func spoil(_ name: String?) {
        for index in keys.indices where keys[index].name == name && keys[index].isOurs {
            keys[index].isSpoilt = true
            keys[index].isExcused = true
        }
    }

    /// Nil: all goes well, which costs nothing; else one of `ways`, as long as something may still go wrong.
    mutating func fails(_ ways: [String], _ chooser: inout Chooser) throws(Stop) -> String? {
        guard faults > 0 else { return nil }
        let choice = chooser.pick(ways.count + 1)
        guard choice > 0 else { return nil }
        faults -= 1
        chooser.tell("  fault: \(ways[choice - 1])")
        return ways[choice - 1]
    }

    /// The process may die here.
    mutating func mayDie(_ when: String, _ chooser: inout Chooser) throws(Stop) {
        if try fails(["death \(when)"], &chooser) != nil { throw .died(when) }
    }

    func isAccepted(_ secret: Int) -> Bool { keys.contains { $0.id == secret && $0.isAccepted } }

    // MARK: The journal

    mutating func record(_ events: [Event], _ policy: TokenPolicy?, _ chooser: inout Chooser) throws(Stop) {
        var next = token
        for event in events {
            chooser.tell("\(now.wall.timeIntervalSince(monday)) \(event)")
            do throws(Mismatch) { try next.advance(event, for: policy, at: now) } catch { throw .broken("mismatch: \(error)") }
        }
        for case .leaked in events {
            for index in keys.indices where keys[index].isOurs { (keys[index].isLeaked, keys[index].isExcused) = (true, true) }
            for index in late.indices { (late[index].isLeaked, late[index].isExcused) = (true, true) }
        }
        token = next
        if token.ending != nil {
            for index in keys.indices where keys[index].isOurs { keys[index].isExcused = true }
        }
        usedNames.formUnion(token.generations.map(\.name))
    }

    // MARK: Promises

    /// What holds at every moment.
    private func check(_ rules: ToyRules) -> String? {
        for key in keys {
            guard key.isOurs else {
                if !key.isListedAlive { return "a key of others was touched: \(key.name)" }
                continue
            }
            if key.isListedAlive, !isKnown(key.name) { return "\(key.name) lives and is neither held nor queued" }
        }
        for key in late where !isKnown(key.name) { return "\(key.name) is on its way and nobody waits for it" }
        for generation in token.generations where generation.outlivesLeak {
            let most = Token.leakPatience.approximateSeconds + 60
            if let since = generation.leakedAt, now.wall.timeIntervalSince(since) > most { return "\(generation.name) leaked and is kept" }
        }
        if let current = token.currentGeneration, current.isLeaked { return "\(current.name) leaked and is current" }
        guard token.ending == nil, let policy = rules.policies[policyIndex] else { return nil }
        for target in policy.targets {
            let id = target.id
            if let secret = files[id], !mayBeRead(secret) { return "\(id) holds a secret that is refused" }
            if let secret = memories[id], !mayBeRead(secret) { return "the consumer of \(id) runs with a secret that is refused" }
        }
        return nil
    }

    /// Is it held, or queued to be looked for or revoked?
    private func isKnown(_ name: String) -> Bool {
        for generation in token.generations where generation.name == name {
            return generation.state != .revoked && generation.state != .unmade
        }
        return false
    }

    private func mayBeRead(_ secret: Int) -> Bool {
        for key in keys where key.id == secret { return key.isAccepted || key.isExcused }
        return false
    }

    /// What holds when nothing is left to do.
    private func checkAtRest(_ rules: ToyRules) -> String? {
        if let problem = check(rules) { return problem }
        let alive = keys.filter { $0.isOurs && $0.isListedAlive }
        if let leaked = alive.first(where: \.isLeaked) { return "\(leaked.name) leaked and lives at rest" }
        guard token.ending == nil else {
            if !alive.isEmpty { return "it has ended, and \(alive.map(\.name)) still lives" }
            if !keyring.isEmpty { return "it has ended, and the keyring still holds \(keyring.keys)" }
            if token.ending == .expired, !files.isEmpty { return "it has expired, and \(files.keys) still holds it" }
            return nil
        }
        guard let policy = rules.policies[policyIndex] else { return nil }
        if let rotation = token.rotation, rotation.isOpen { return "it rests while \(rotation.phase)" }
        guard alive.count == 1, alive[0].name == token.current, alive[0].isAccepted else {
            return "at rest \(alive.map(\.name)) live, current is \(token.current ?? "none")"
        }
        guard Set(keyring.keys) == [alive[0].name] else {
            return "at rest the keyring holds \(keyring.keys.sorted()), and \(alive[0].name) lives"
        }
        for target in policy.targets {
            guard files[target.id] == alive[0].id else { return "at rest \(target.id) does not hold what is current" }
            guard target.then == nil || memories[target.id] == alive[0].id else {
                return "at rest a consumer of \(target.id) runs with something else"
            }
        }
        return nil
    }
}
