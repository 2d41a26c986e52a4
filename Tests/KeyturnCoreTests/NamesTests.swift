import KeyturnCore
import Testing

@Suite struct NamesTests {
    @Test(arguments: [
        ("prod-webapp-api-", "", "prod-webapp-api"), ("prod_", "_api", "prod_api"), ("", "-prod-api", "prod-api"),
        ("prod", "api", "prodapi"),
        ("prod-", "api", "prod-api"), ("prod", "-api", "prod-api"), ("a.", "", "a"), ("", "", ""),
    ])
    func `the stable name is the pattern without its date and the separator that is left over`(prefix: String, suffix: String, name: String)
    {
        #expect(NamingPattern(prefix: prefix, suffix: suffix).stableName == TokenName(name))
    }

    @Test func `a taken name gets a number`() {
        let pattern = NamingPattern(prefix: "a-", suffix: "-b")
        #expect((1...3).map { pattern.name(month: "2026-11", attempt: $0) } == ["a-2026-11-b", "a-2026-11-b-2", "a-2026-11-b-3"])
    }

    @Test(arguments: [("a-", ""), ("", "-b"), ("a-", "-b"), ("", "")]) func `every name that it makes matches it`(
        prefix: String, suffix: String
    ) {
        let pattern = NamingPattern(prefix: prefix, suffix: suffix)
        for attempt in [1, 2, 9, 10, 117] { #expect(pattern.matches(pattern.name(month: "2026-11", attempt: attempt))) }
    }

    @Test(arguments: [
        "", "a-", "a-2026", "a-2026-1", "a-2026/11-b", "a-2026-11", "a-2026-11-b-", "a-2026-11-b-x", "a-2026-11-b2", "xa-2026-11-b",
        "a-２026-11-b", "a-2026-11-c", "a-2026-11-b--2",
    ])
    func `other people's names do not match`(name: String) {
        #expect(!NamingPattern(prefix: "a-", suffix: "-b").matches(name))
    }

    @Test func `names sort by their text`() {
        #expect([TokenName("b"), TokenName("a")].sorted().map(\.text) == ["a", "b"])
        #expect(GatewayName("a") < GatewayName("b"))
        #expect(TargetID(file: "/a", key: nil) < TargetID(file: "/a", key: "K"))
    }
}
