import Testing

@testable import KeyturnSandbox

struct FaultDiceTests {
    private func fates(seed: UInt64, noise: Int = 0) throws -> [Bool] {
        var dice = FaultDice([try Fault(parsing: "500:list@0.5"), try Fault(parsing: "502:create@0.5")], seed: seed)
        return (0..<64).map { _ in
            for _ in 0..<noise { _ = dice.roll(.list) }
            return dice.roll(.create).refusal != nil
        }
    }

    @Test func `a seed repeats its run`() throws {
        let once = try fates(seed: 7)
        #expect(try fates(seed: 7) == once)
        #expect(try fates(seed: 8) != once)
        #expect(once.contains(true) && once.contains(false))
    }

    @Test func `what happens to other requests changes nothing for this one`() throws {
        let quiet = try fates(seed: 7)
        #expect(try fates(seed: 7, noise: 3) == quiet)
    }

    @Test func `probabilities of nought and one are exact, and a count ends a fault`() throws {
        var dice = FaultDice([try Fault(parsing: "500@0"), try Fault(parsing: "502@1#2")], seed: 1)
        #expect((0..<4).map { _ in dice.roll(.list).refusal } == [.failure(502), .failure(502), nil, nil])
    }

    @Test func `a refusal stands alone and spares the counts of the others`() throws {
        var dice = FaultDice(
            [try Fault(parsing: "lost-answer#1"), try Fault(parsing: "no-models#1"), try Fault(parsing: "reset#1")],
            seed: 1
        )
        #expect(dice.roll(.create) == FaultDice.Strike(refusal: .reset))
        #expect(dice.roll(.create) == FaultDice.Strike(twists: [.noModels], damage: .lostAnswer))
        #expect(dice.roll(.create) == FaultDice.Strike())
    }

    @Test func `faults never strike a consumer's call`() throws {
        var dice = FaultDice(try FaultRow.all.map { try Fault(parsing: "\($0.name):all") }, seed: 1)
        #expect(dice.roll(.chat) == FaultDice.Strike())
    }

    @Test func `SplitMix64 gives the published numbers`() {
        var generator = SplitMix64(state: 1_234_567)
        #expect((0..<3).map { _ in generator.next() } == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    }
}
