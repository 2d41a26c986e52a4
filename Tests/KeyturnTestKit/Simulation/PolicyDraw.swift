import Foundation
import KeyturnCore

/// Draws policies whose times fit the length of a scenario, so that each has something to do in it.
struct PolicyDraw: Sendable {
    let gateways: [GatewayName]
    /// Seconds between two watches.
    let pace: TimeInterval
    let length: TimeInterval

    func policy(_ number: Int, _ dice: inout Dice) -> TokenPolicy {
        let project = "app\(number)"
        var policy = TokenPolicy.sample(
            project, rotate: rotation(&dice), overlap: overlap(&dice), attributes: attributes(&dice),
            targets: (0..<dice.pick([1, 1, 1, 2, 2, 3])).map { target(project, $0, &dice) }, gateway: dice.pick(gateways)
        )
        if dice.happens(0.3) { policy.whenRemoved = .revoke(after: span(pace * dice.seconds(0.5...8))) }
        let kind = dice.number(1...20)
        switch kind {
        case 1, 2:
            policy.expires = .after(span(length * dice.seconds(0.3...1.5) + policy.overlap.atLeast.approximateSeconds * 2 + 2 * 86400))
        case 3: policy.expires = .on(World.start.addingTimeInterval(length * dice.seconds(0.2...2)))
        // Temporary ones.
        case 4: (policy.rotate, policy.expires) = (.never, .after(span(length * dice.seconds(0.1...1))))
        case 5: (policy.rotate, policy.expires) = (.never, .on(World.start.addingTimeInterval(length * dice.seconds(0.1...1))))
        case 6: policy.rotate = .never
        default: break
        }
        return policy
    }

    func rotation(_ dice: inout Dice) -> RotateRule {
        let windows = ["Mon..Thu 09:00-16:00 Europe/Berlin", "22:00-04:00", "Sat,Sun 00:00-24:00 America/New_York"]
        let window = dice.happens(0.3) ? try? Window(parsing: dice.pick(windows)) : nil
        let jitter = dice.happens(0.3) ? TimeSpan.minutes(Int64(dice.number(1...600))) : .zero
        let every =
            dice.happens(0.1) ? TimeSpan.months(dice.number(1...3)) : span(max(86400, length * dice.pick([0.1, 0.2, 0.4, 0.8, 1.6])))
        return .every(every, window: window, jitter: jitter)
    }

    func overlap(_ dice: inout Dice) -> Overlap {
        let atLeast = dice.pick([TimeSpan.zero, .minutes(10), .hours(2), .hours(24), .hours(48)])
        let quiet = dice.happens(0.5) ? TimeSpan.zero : dice.pick([TimeSpan.minutes(10), .hours(1), .hours(6)])
        let most = atLeast.approximateSeconds + quiet.approximateSeconds + dice.pick([43200, 86400, 3 * 86400])
        return Overlap(atLeast: atLeast, quietFor: quiet, atMost: .seconds(Int64(most)))
    }

    func attributes(_ dice: inout Dice) -> Attributes {
        Attributes(
            billing: dice.happens(0.8) ? .usageBased : .payPerUse, permissions: dice.happens(0.7) ? .full : .only(["chat"]),
            models: dice.happens(0.7) ? .all : .only(["gpt-4"]),
            limits: dice.happens(0.8) ? Limits() : Limits(requestsPerDay: dice.number(1...9))
        )
    }

    func target(_ project: String, _ number: Int, _ dice: inout Dice) -> TargetPolicy {
        let then = dice.happens(0.5)
        return .sample("/etc/\(project)/token\(number)", then: then, confirm: dice.happens(then ? 0.4 : 0.1))
    }

    private func span(_ seconds: TimeInterval) -> TimeSpan { .minutes(max(30, Int64(seconds / 60))) }
}
