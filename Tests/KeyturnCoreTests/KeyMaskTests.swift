import KeyturnCore
import Testing

struct KeyMaskTests {
    @Test(arguments: [
        (mask: "sk-abcd****wxyz", fits: true, tells: true), ("sk-abcd...wxyz", true, true), ("sk-abcd…wxyz", true, true),
        ("sk-a***z", true, false), ("sk-abcd0123**********", true, false), ("****6789wxyz", true, true), ("sk-abce****wxyz", false, true),
        ("sk-abcd****wxy", false, false),
    ])
    func `a masked key fits the one whose beginning and end it shows`(row: (mask: String, fits: Bool, tells: Bool)) throws {
        let mask = try #require(KeyMask(row.mask))
        let secret = Secret("sk-abcd0123456789wxyz")
        let fits = mask.fits(secret)
        #expect(fits == row.fits)
        #expect(mask.tells == row.tells)
    }

    @Test(arguments: ["sk-abcd0123456789wxyz", "", "********", "sk.abc", "a**b**c", String(repeating: "a", count: 300) + "***"])
    func `a text that hides nothing, or all, is no mask`(text: String) {
        #expect(KeyMask(text) == nil)
    }

    @Test func `a secret shorter than what is shown does not fit`() throws {
        let mask = try #require(KeyMask("sk-abc****abc"))
        let fits = mask.fits(Secret("sk-abc"))
        #expect(!fits)
    }
}
