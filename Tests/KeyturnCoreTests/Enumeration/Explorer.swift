import KeyturnCore

/// Walks every way that a toy world can go, depth first, each distinct state once.
///
/// A state that was seen before has its runs counted already; one that is met again on its own way is a loop, and a way
/// that gets too long never rests. Both are failures: no state may be without a way out.
struct Explorer {
    struct Report: CustomStringConvertible {
        var states = 0
        var turns = 0
        /// Ends that were met.
        var rests = 0
        /// Complete runs from the beginning to rest; a float, since they multiply.
        var runs = 0.0
        /// The story of the first run that broke a promise.
        var broken: String?

        var description: String { "\(Int(runs)) runs, \(states) states with a choice, \(turns) turns, \(rests) ends" }
    }

    private struct Frame {
        var world: ToyWorld
        /// The script to try next; nil when all were tried.
        var script: [Int]?
        var runs = 0.0
    }

    private(set) var report = Report()
    /// The runs from each state at which something is to be chosen; nil while it is on the way that is walked.
    private var runs: [ToyWorld: Double?] = [:]
    private let rules: ToyRules

    static let longestRun = 600

    static func explore(_ start: ToyWorld, _ rules: ToyRules) -> Report {
        var explorer = Explorer(rules: rules)
        explorer.walk(start)
        return explorer.report
    }

    private init(rules: ToyRules) { self.rules = rules }

    private mutating func walk(_ start: ToyWorld) {
        var path = [Frame(world: start, script: [])]
        runs[start] = .some(nil)
        while var frame = path.popLast() {
            guard let script = frame.script else {
                runs[frame.world] = frame.runs
                if path.isEmpty { report.runs = frame.runs } else { path[path.count - 1].runs += frame.runs }
                continue
            }
            var world = frame.world
            var chooser = Chooser(script: script)
            let problem = follow(&world, &chooser)
            frame.script = chooser.next
            path.append(frame)
            if let problem {
                report.broken = story(of: path, last: script, problem)
                return
            }
            if world.process == .rested {
                report.rests += 1
                path[path.count - 1].runs += 1
            } else if let known = runs[world] {
                guard let known else {
                    report.broken = story(of: path, last: script, "it goes round in circles")
                    return
                }
                path[path.count - 1].runs += known
            } else {
                path.append(Frame(world: world, script: []))
                runs[world] = .some(nil)
                report.states += 1
            }
        }
    }

    /// One turn with its choices, and those after it in which nothing is to be chosen.
    private mutating func follow(_ world: inout ToyWorld, _ chooser: inout Chooser) -> String? {
        var problem = world.turn(rules, &chooser)
        var turns = 1
        while problem == nil, world.process != .rested, world.faults == 0, world.meddling == 0, world.late.isEmpty {
            var silent = Chooser(tells: chooser.story != nil)
            problem = world.turn(rules, &silent)
            for line in silent.story ?? [] { chooser.tell(line) }
            turns += 1
            if turns > Explorer.longestRun { problem = "it does not come to rest" }
        }
        report.turns += turns
        return problem
    }

    /// Walks the same way again, telling. A frame's script is the one after that which was taken, so the way is found by
    /// trying which choice leads to the next frame's world.
    private mutating func story(of path: [Frame], last: [Int], _ problem: String) -> String {
        var lines: [String] = []
        for (index, frame) in path.enumerated() {
            var script: [Int]? = index == path.count - 1 ? last : []
            while let now = script {
                var world = frame.world
                var chooser = Chooser(script: now, tells: true)
                _ = follow(&world, &chooser)
                if index == path.count - 1 || world == path[index + 1].world {
                    lines += chooser.story ?? []
                    break
                }
                script = chooser.next
            }
        }
        return (lines.suffix(60) + ["=> " + problem]).joined(separator: "\n")
    }
}
