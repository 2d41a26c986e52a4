import Foundation
import KeyturnCore
import Testing

@Suite struct PauseTests {
    private static func at(_ boot: TimeInterval, wall: TimeInterval? = nil) -> Moment {
        Moment(wall: monday.addingTimeInterval(wall ?? boot), boot: boot, bootID: "boot")
    }

    private func rest(_ pause: Pause, _ boot: TimeInterval, wall: TimeInterval? = nil) -> TimeInterval? {
        pause.rest(at: PauseTests.at(boot, wall: wall))
    }

    @Test func `a pause with a length is kept to the second`() {
        var pause = Pause(of: "main")
        #expect(rest(pause, 100) == nil)
        pause.asked(for: 7, knowing: 0, at: PauseTests.at(100))
        #expect(rest(pause, 100) == 7 && rest(pause, 106.5) == 0.5)
        #expect(rest(pause, 107) == nil)
    }

    @Test(
        arguments: [
            (0.001, 1), (1, 1), (1e300, Backoff.longest), (Double.infinity, Backoff.longest), (Backoff.longest + 1, Backoff.longest),
        ] as [(TimeInterval, TimeInterval)])
    func `a length is bounded on both sides`(seconds: TimeInterval, expected: TimeInterval) {
        var pause = Pause(of: "main")
        pause.asked(for: seconds, knowing: 0, at: PauseTests.at(100))
        #expect(rest(pause, 100) == expected)
    }

    @Test func `without a length the table is followed, at most a fifth longer, and its end is kept`() {
        var pause = Pause(of: "main")
        var boot: TimeInterval = 100
        var waits: [TimeInterval] = []
        for seconds in [0, -1, Double.nan] + Array(repeating: 0, count: 6) {
            pause.asked(for: seconds, knowing: pause.count, at: PauseTests.at(boot))
            waits.append(rest(pause, boot) ?? 0)
            boot += waits.last ?? 0
        }
        for (wait, base) in zip(waits, Pause.table + [1200, 1200]) { #expect((base...base * 1.2).contains(wait), "\(wait) for \(base)") }
        // The same name waits the same, another name differently.
        var (same, other) = (Pause(of: "main"), Pause(of: "other"))
        same.asked(for: 0, knowing: 0, at: PauseTests.at(100))
        other.asked(for: 0, knowing: 0, at: PauseTests.at(100))
        #expect(rest(same, 100) == waits[0] && rest(other, 100) != waits[0])
    }

    @Test func `the first other answer begins the table anew`() {
        var pause = Pause(of: "main")
        for boot in [100, 200, 300] { pause.asked(for: 0, knowing: pause.count, at: PauseTests.at(TimeInterval(boot))) }
        #expect(rest(pause, 300) ?? 0 >= 15)
        pause.answered(knowing: pause.count)
        pause.asked(for: 0, knowing: pause.count, at: PauseTests.at(400))
        #expect((2...2.4).contains(rest(pause, 400) ?? 0))
    }

    @Test func `a hundred calls that hear the same no count once`() {
        var pause = Pause(of: "main")
        for _ in 0..<100 { pause.asked(for: 0, knowing: 0, at: PauseTests.at(100)) }
        #expect(pause.count == 1)
        #expect((2...2.4).contains(rest(pause, 100) ?? 0))
    }

    @Test func `an answer to a call that was sent before the pause does not end it, nor forget the ones before`() {
        var pause = Pause(of: "main")
        pause.asked(for: 0, knowing: 0, at: PauseTests.at(100))
        pause.answered(knowing: 0)
        #expect(rest(pause, 101) != nil)
        pause.asked(for: 0, knowing: 1, at: PauseTests.at(200))
        #expect((5...6).contains(rest(pause, 200) ?? 0))
    }

    @Test func `a longer length that comes late counts, a shorter one does not`() {
        var pause = Pause(of: "main")
        pause.asked(for: 10, knowing: 0, at: PauseTests.at(100))
        pause.asked(for: 30, knowing: 0, at: PauseTests.at(101))
        pause.asked(for: 5, knowing: 0, at: PauseTests.at(102))
        #expect(rest(pause, 102) == 29)
        #expect(pause.count == 1)
    }

    @Test func `a late no, when the pause is long over, is news`() {
        var pause = Pause(of: "main")
        pause.asked(for: 1, knowing: 0, at: PauseTests.at(100))
        pause.asked(for: 0, knowing: 0, at: PauseTests.at(150))
        #expect(rest(pause, 150) != nil && pause.count == 2)
    }

    @Test(arguments: [-1e9, 1e9]) func `a wall clock that is set changes nothing`(jump: TimeInterval) {
        var pause = Pause(of: "main")
        pause.asked(for: 60, knowing: 0, at: PauseTests.at(100))
        #expect(rest(pause, 130, wall: jump) == 30)
        #expect(rest(pause, 160, wall: jump) == nil)
    }

    @Test func `a boot clock that began anew holds nothing back`() {
        var pause = Pause(of: "main")
        pause.asked(for: 60, knowing: 0, at: PauseTests.at(1_000_000))
        #expect(rest(pause, 5) == nil)
    }
}
