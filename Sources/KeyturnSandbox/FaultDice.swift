/// Decides which faults strike a request.
///
/// Every fault rolls dice of its own, seeded with the run's seed and its place in the list. So the n-th request that a
/// fault looks at meets the same fate in every run with that seed, whatever other requests came in between.
struct FaultDice: Sendable {
    private struct Die: Sendable {
        let fault: Fault
        var generator: SplitMix64
        var left: Int

        mutating func strikes(_ operation: SandboxOperation) -> Bool {
            guard left > 0, fault.operations.contains(operation) else { return false }
            guard Double.random(in: 0..<1, using: &generator) < fault.probability else { return false }
            left -= 1
            return true
        }
    }

    /// What struck one request: a refusal alone, or any twists with at most one damage.
    struct Strike: Equatable, Sendable {
        var refusal: Fault.Refusal?
        var twists: [Fault.Twist] = []
        var damage: Fault.Damage?
    }

    private var dice: [Die]

    init(_ faults: [Fault], seed: UInt64) {
        dice = faults.enumerated().map { place, fault in
            var mixer = SplitMix64(state: seed &+ UInt64(place))
            return Die(fault: fault, generator: SplitMix64(state: mixer.next()), left: fault.count ?? .max)
        }
    }

    /// A fault whose turn does not come, because another one already refused the request, keeps its roll and its count.
    mutating func roll(_ operation: SandboxOperation) -> Strike {
        var strike = Strike()
        for index in dice.indices {
            guard case .instead(let refusal) = dice[index].fault.kind, dice[index].strikes(operation) else { continue }
            strike.refusal = refusal
            return strike
        }
        for index in dice.indices {
            switch dice[index].fault.kind {
            case .instead: continue
            case .twist(let twist): if dice[index].strikes(operation) { strike.twists.append(twist) }
            case .afterwards(let damage):
                if strike.damage == nil, dice[index].strikes(operation) { strike.damage = damage }
            }
        }
        return strike
    }
}

/// Steele, Lea and Flood's generator: eight bytes of state, good enough for dice, and the same on every machine.
struct SplitMix64: RandomNumberGenerator, Sendable {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
