package import Foundation
package import KeyturnCore
package import KeyturnEngine

/// The machine that Keyturn runs on: repeats passes as the service does, moves time to the next look, and starts a new
/// process where one died.
package struct Machine {
    package let world: World
    package var policies: [TokenPolicy] {
        didSet { keeper = nil }
    }
    package var settings: Settings {
        didSet { keeper = nil }
    }
    /// Of environments.
    package var budgets: [String: BudgetPolicy] = [:] {
        didSet { keeper = nil }
    }
    package private(set) var outlook: Keeper.Outlook?
    package private(set) var passes = 0
    private let processor = OneAtATime()
    private var keeper: Keeper?
    private var process = 0
    private var nextWatch: Date
    private var troubled = 0
    /// Passes in a row that the time did not move between.
    private var hurried = 0
    /// When each pass of the last hour was made; those that ended their process apart.
    private var lately: [Date] = []

    package init(_ world: World, _ policies: [TokenPolicy], watchEvery: TimeSpan = .minutes(15), capacity: Int? = nil) {
        self.world = world
        self.policies = policies
        nextWatch = world.moment.wall
        let gateways = world.with { $0.accounts.keys.sorted() }
        settings = Settings(
            file: "keyturn.yaml",
            gateways: Dictionary(
                uniqueKeysWithValues: gateways.map { name in
                    // One at a time, so that a seed repeats everything.
                    let gateway = GatewaySettings(kind: "world", url: "", adminToken: .file("admin"), capacity: capacity, concurrent: 1)
                    return (name, gateway)
                }
            ), watchEvery: watchEvery, stateFolder: "", policyFolder: ""
        )
    }

    package mutating func restart() { keeper = nil }

    /// One pass now. Returns when the service would make the next one.
    @discardableResult
    package mutating func pass(watches forced: Bool? = nil) async -> Date {
        passes += 1
        let isNew = keeper == nil
        let keeper =
            self.keeper
            ?? Keeper(
                ports: world.ports(), policies: policies, settings: settings, budgets: budgets, log: world.logger())
        if isNew { (self.keeper, process) = (keeper, world.with { $0.process }) }
        let started = world.moment.wall
        let every = settings.watchEvery
        let watches = forced ?? (isNew || started >= nextWatch || nextWatch.timeIntervalSince(started) > every.approximateSeconds * 2)
        if watches { nextWatch = every.after(started) }
        world.with { $0.note("-- pass\(watches ? ", watching" : "")") }
        do {
            let outlook = try await withTaskExecutorPreference(processor) { try await keeper.pass(watches: watches) }
            self.outlook = outlook
            let post = await deliver(keeper, isNew: isNew)
            troubled = outlook.troubles.isEmpty ? 0 : troubled + 1
            let patience = min(outlook.troubles.values.compactMap(\.retryAfter).max() ?? 0, Backoff.longest)
            let wait = max(Backoff.wait(after: troubled, of: "pass"), patience)
            let retry = troubled == 0 ? nil : world.moment.wall.addingTimeInterval(wait)
            return [outlook.nextLook, retry, nextWatch, post].compactMap(\.self).min() ?? nextWatch
        } catch {
            let isDead = world.with { [process] in $0.process != process }
            if !isDead, !(error is JournalError) { world.with { $0.violate("a pass threw \(error)") } }
            if isDead {
                // As systemd would: a new process, five seconds later.
                self.keeper = nil
                return world.moment.wall.addingTimeInterval(5)
            }
            troubled += 1
            return world.moment.wall.addingTimeInterval(Backoff.wait(after: troubled, of: "pass"))
        }
    }

    /// The post, which the service runs beside its passes: here after each, so that a seed repeats.
    private func deliver(_ keeper: Keeper, isNew: Bool) async -> Date? {
        guard !keeper.post.couriers.isEmpty else { return nil }
        if isNew { try? keeper.post.open() }
        return await withTaskExecutorPreference(processor) { await keeper.post.round() }
    }

    /// Passes, whenever one is due, for so many seconds.
    package mutating func run(for seconds: TimeInterval) async {
        let end = world.with { $0.now }.addingTimeInterval(seconds)
        await run(until: { $0.now >= end }, end: end)
    }

    /// Passes until something is so, at most for so many seconds. Was it so in the end?
    @discardableResult
    package mutating func run(atMost seconds: TimeInterval, until isSo: (WorldState) -> Bool) async -> Bool {
        let end = world.with { $0.now }.addingTimeInterval(seconds)
        await run(until: isSo, end: end)
        return world.with { isSo($0) }
    }

    private mutating func run(until isOver: (WorldState) -> Bool, end: Date) async {
        while true {
            let next = await pass()
            if world.with({ isOver($0) }) { return }
            let left = world.with { end.timeIntervalSince($0.now) }
            if left <= 0 { return }
            let wait = next.timeIntervalSince(world.moment.wall)
            watchForHurry(wait)
            let step = min(max(wait, 0.01), left)
            world.with { $0.clock.advance(by: step) }
        }
    }

    /// A service that looks again and again while nothing can have changed burns a processor and a gateway.
    private mutating func watchForHurry(_ wait: TimeInterval) {
        hurried = wait <= 0 ? hurried + 1 : 0
        if hurried >= 20 { world.with { $0.violate("a hot loop: twenty passes in a row ask for the next one at once") } }
        let now = world.with { $0.now }
        lately = lately.filter { now.timeIntervalSince($0) < 3600 } + (keeper == nil ? [] : [now])
        if lately.count > 40 + 60 * policies.count { world.with { $0.violate("a hot loop: too many passes in an hour") } }
    }
}

extension World {
    package var moment: Moment { look { $0.clock.moment } }

    package func token(_ name: TokenName) -> Token? { look { $0.journal.token(name) } }

    package func advance(by seconds: TimeInterval) { with { $0.clock.advance(by: seconds) } }

    /// Files a request as a command would.
    @discardableResult
    package func ask(
        _ verb: Request.Verb, _ token: TokenName, reason: String? = nil, file: String? = nil, generation: String? = nil,
        mode: LeakMode? = nil
    )
        -> Int64
    {
        with { state in
            state.journal.file(
                Request(
                    verb: verb, token: token, reason: reason, file: file, generation: generation, mode: mode,
                    filedAt: state.clock.moment.wall)
            ).number
        }
    }

    package func request(_ number: Int64) -> Request? { with { state in state.journal.requests.first { $0.number == number } } }
}
