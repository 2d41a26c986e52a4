import Foundation
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Testing

@Suite struct JSONTests {
    func changed(_ text: String, _ pointer: String, to value: String = "new") throws -> String {
        String(decoding: try JSONText(Array(text.utf8), pointer: pointer).setting(Array(value.utf8)), as: UTF8.self)
    }

    static let rows: [(before: String, pointer: String, after: String)] = [
        ("{\"a\": \"old\" , \"b\":1}", "/a", "{\"a\": \"new\" , \"b\":1}"),
        ("{\"a\":{\"b\":[1,\"old\"]}}", "/a/b/1", "{\"a\":{\"b\":[1,\"new\"]}}"),
        ("{\"a\":null}\n", "/a", "{\"a\":\"new\"}\n"),
        ("{\"a/b\":{\"m~n\":\"x\"}}", "/a~1b/m~0n", "{\"a/b\":{\"m~n\":\"new\"}}"),
        ("{\"\\u0061\":\"x\"}", "/a", "{\"\\u0061\":\"new\"}"),
        ("{\"\":\"x\"}", "/", "{\"\":\"new\"}"),
        (" \"x\"\n", "", " \"new\"\n"),
        ("{\"b\":1}", "/a", "{\"b\":1,\"a\":\"new\"}"),
        ("{\"b\": 1}", "/a", "{\"b\": 1, \"a\": \"new\"}"),
        ("{\"b\": 1, \"c\": {}}", "/a", "{\"b\": 1, \"c\": {}, \"a\": \"new\"}"),
        ("{\n    \"b\": 1\n}\n", "/a", "{\n    \"b\": 1,\n    \"a\": \"new\"\n}\n"),
        ("{\r\n\t\"b\" : 1\r\n}", "/a", "{\r\n\t\"b\" : 1,\r\n\t\"a\" : \"new\"\r\n}"),
        ("{}", "/a", "{\"a\": \"new\"}"),
        ("{\n   \"b\": {}\n}\n", "/b/a", "{\n   \"b\": {\n      \"a\": \"new\"\n   }\n}\n"),
        ("", "/a/b", "{\n  \"a\": {\n    \"b\": \"new\"\n  }\n}\n"),
        ("\u{FEFF}{\"a\":\"x\"}", "/a", "\u{FEFF}{\"a\":\"new\"}"),
        ("{\"x\":{\"d\":1,\"d\":2},\"a\":\"x\"}", "/a", "{\"x\":{\"d\":1,\"d\":2},\"a\":\"new\"}"),
    ]

    @Test(arguments: rows) func `only the value changes`(row: (before: String, pointer: String, after: String)) throws {
        #expect(try changed(row.before, row.pointer) == row.after)
        #expect(try JSONText(Array(row.after.utf8), pointer: row.pointer).value() == Array("new".utf8))
    }

    @Test(arguments: [
        ("{\"a\":\"x\",\"a\":\"y\"}", "/a", "only once"), ("{\"a\":\"x\",\"\\u0061\":\"y\"}", "/a", "only once"),
        ("{\"a\":{}}", "/a", "no string"),
        ("{\"a\":1}", "/a", "no string"), ("{}", "/a/b", "cannot be reached"), ("[\"x\"]", "/1", "cannot be reached"),
        ("[\"x\"]", "/-", "cannot be reached"),
        ("[\"x\"]", "/00", "cannot be reached"), ("{\"a\":\"x\"}", "/a/b", "cannot be reached"), ("{}", "a", "no JSON Pointer"),
        ("{}", "/~2", "no JSON Pointer"),
    ])
    func `what is ambiguous or out of reach is refused`(text: String, pointer: String, says: String) {
        let error = #expect(throws: JSONText.Problem.self) { try changed(text, pointer) }
        #expect(error?.description.contains(says) == true)
    }

    @Test(arguments: [
        "{", "}", "{\"a\":1,}", "[1,]", "{a:1}", "{'a':1}", "{\"a\" 1}", "01", "1.", ".5", "+1", "-", "1e", "tru", "nul", "\"a", "\"\t\"",
        "\"\\x\"", "\"\\u12\"", "{} {}", "//c\n{}",
        "NaN", "[1 2]", "{\"a\":}", "{,}", "[,]", "\u{FEFF}\u{FEFF}1",
    ])
    func `what is no JSON is refused`(text: String) {
        #expect(throws: JSONText.Problem.self) { try changed(text, "") }
    }

    @Test func `depth is bounded, and UTF-8 checked`() {
        #expect(throws: JSONText.Problem.self) { try changed(String(repeating: "[", count: 100_000), "/a") }
        #expect(throws: JSONText.Problem.self) { try JSONText([0x22, 0xFF, 0x22], pointer: "") }
        #expect(throws: JSONText.Problem.self) { try JSONText([], pointer: "/a").setting([0xFF]) }
    }

    @Test(arguments: ["\"quoted\\", "line\nend\u{1}", "ü😀/"]) func `a secret is escaped and read back, as Foundation does`(secret: String)
        throws
    {
        let text = try changed("{\"a\":\"x\"}", "/a", to: secret)
        #expect(try JSONDecoder().decode([String: String].self, from: Data(text.utf8)) == ["a": secret])
        #expect(try JSONText(Array(text.utf8), pointer: "/a").value() == Array(secret.utf8))
        #expect(try JSONText(Array("\"\\ud83d\\ude00\\n\"".utf8), pointer: "").value() == Array("😀\n".utf8))
    }

    @Test func `removing empties the string, and unlinks a document that held nothing else`() throws {
        let folder = try TestFolder()
        let target = delivery(folder["config.json"], .json(pointer: "/gateway/api_key"))
        try target.preflight()
        try target.publish("sk-1")
        #expect(try target.publishedText() == "sk-1")
        try target.remove()
        #expect(folder.names == [])
        try folder.write("{\"gateway\":{\"api_key\":\"x\",\"url\":1}}", to: "config.json")
        try target.remove()
        #expect(try folder.text("config.json") == "{\"gateway\":{\"api_key\":\"\",\"url\":1}}")
        #expect(try target.publishedText() == nil)
    }

    @Test func `random documents keep every other byte and stay what Foundation reads`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("JSONTests seed \(seed)")
        var random = Seeded(state: seed)
        for _ in 0..<500 {
            let before = value(&random, 3)
            let after = value(&random, 3)
            let space = [" ", "", "\n\t"][Int.random(in: 0..<3, using: &random)]
            let text = "{\"x\":\(before),\(space)\"k\":\(space)\"old\"\(space),\"y\":\(after)}\(space)"
            let expected = "{\"x\":\(before),\(space)\"k\":\(space)\"new\"\(space),\"y\":\(after)}\(space)"
            #expect(try changed(text, "/k") == expected, "seed \(seed)")
            let added = try changed(text, "/added")
            let object = try JSONSerialization.jsonObject(with: Data(added.utf8)) as? [String: Any]
            #expect(object?["added"] as? String == "new", "seed \(seed): \(added)")
            #expect(object?.count == 4, "seed \(seed)")
        }
    }

    private func value(_ random: inout Seeded, _ depth: Int) -> String {
        let count = Int.random(in: 0..<3, using: &random)
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &random) {
        case 0: return "null"
        case 1: return "-1.5e+3"
        case 2: return "\"k\\\"}],\\u00e9\""
        case 3: return "true"
        case 4: return "0"
        case 5: return "\"k\""
        case 6: return "[ " + (0..<count).map { _ in value(&random, depth - 1) }.joined(separator: " , ") + "]"
        default: return "{" + (0..<count).map { "\"k\($0)\":" + value(&random, depth - 1) }.joined(separator: ",\n") + "}"
        }
    }
}
