import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Testing

@Suite struct DotenvTests {
    func changed(_ text: String, to value: String = "new") throws -> String {
        String(decoding: try DotenvText(Array(text.utf8), key: "KEY").setting(Array(value.utf8)), as: UTF8.self)
    }

    static let rows: [(before: String, after: String)] = [
        ("", "KEY=new\n"),
        ("KEY=old\n", "KEY=new\n"),
        ("KEY=old", "KEY=new"),
        ("A=1\nKEY=old\nB=2\n", "A=1\nKEY=new\nB=2\n"),
        ("A=1\r\nKEY=old\r\nB=2\r\n", "A=1\r\nKEY=new\r\nB=2\r\n"),
        ("A=1\r\n", "A=1\r\nKEY=new\r\n"),
        ("A=1", "A=1\nKEY=new"),
        ("A=1\n\n", "A=1\n\nKEY=new\n"),
        ("\u{FEFF}KEY=old\n", "\u{FEFF}KEY=new\n"),
        ("export KEY=old\n", "export KEY=new\n"),
        ("  export\t KEY = old  # why\n", "  export\t KEY = new  # why\n"),
        ("KEY=\"old\" # why\n", "KEY=\"new\" # why\n"),
        ("KEY='old'\n", "KEY='new'\n"),
        ("KEY=\n", "KEY=new\n"),
        ("KEY= # why\n", "KEY=new # why\n"),
        ("KEY=a#b\n", "KEY=new\n"),
        ("#KEY=old\n; KEY=old\nKEYS=old\nMY_KEY=old\n", "#KEY=old\n; KEY=old\nKEYS=old\nMY_KEY=old\nKEY=new\n"),
        ("KEY=1\nA=2\nKEY='3'\n", "KEY=new\nA=2\nKEY='new'\n"),
        ("A=\"x\nKEY=inside\n\"\nKEY=old\n", "A=\"x\nKEY=inside\n\"\nKEY=new\n"),
        ("A='x\nKEY=inside'\nKEY=old\n", "A='x\nKEY=inside'\nKEY=new\n"),
        ("A=\"x\\\"\nKEY=inside\"\nKEY=old\n", "A=\"x\\\"\nKEY=inside\"\nKEY=new\n"),
        ("KEY=\"two\nlines\"\nB=1\n", "KEY=\"new\"\nB=1\n"),
        ("A=it's\nKEY=old\n", "A=it's\nKEY=new\n"),
        ("# it's \\\nKEY=old\n", "# it's \\\nKEY=new\n"),
        ("no assignment\nKEY=old\n", "no assignment\nKEY=new\n"),
        ("export\nKEY=old\n", "export\nKEY=new\n"),
    ]

    @Test(arguments: rows) func `only the value changes`(row: (before: String, after: String)) throws {
        #expect(try changed(row.before) == row.after)
    }

    @Test(arguments: [
        ("A=\"open\nKEY=old\n", "line 1: a quote opens"), ("A=1\\\nKEY=old\n", "line 2: KEY is next to a line that ends in \\"),
        ("KEY=old\\\nmore\n", "line 1"), ("A=1\nB=2\\\n", "the last line ends in \\"), ("KEY='a''b'\n", "line 1: more follows"),
        ("KEY=\"a\"b\n", "line 1: more follows"),
    ])
    func `what readers read differently is refused`(text: String, says: String) throws {
        let error = #expect(throws: DotenvText.Problem.self) { try changed(text) }
        #expect(error?.description.contains(says) == true)
    }

    @Test(arguments: [
        ("sk-abc_DEF.1/2+3=:@%^,-", "KEY=sk-abc_DEF.1/2+3=:@%^,-\n"), ("a b", "KEY=\"a b\"\n"), ("a#b", "KEY=\"a#b\"\n"),
        ("a$b", "KEY='a$b'\n"),
        ("a\"b", "KEY='a\"b'\n"), ("a'b", "KEY=\"a'b\"\n"), ("a'$b\"\\", "KEY=\"a'\\$b\\\"\\\\\"\n"), ("é", "KEY=\"é\"\n"),
    ])
    func `a value is quoted only where it must be, and read back`(value: String, text: String) throws {
        #expect(try changed("", to: value) == text)
        #expect(try DotenvText(Array(text.utf8), key: "KEY").values == [Array(value.utf8)])
    }

    @Test(arguments: ["a\nb", "a\rb", "a\0b", "a\u{7F}"]) func `a control character is refused`(value: String) {
        #expect(throws: DotenvText.Problem.self) { try changed("", to: value) }
    }

    @Test(arguments: ["", "1A", "A-B", "A B", "Ä"]) func `a key that is no variable is refused`(key: String) {
        #expect(throws: DotenvText.Problem.self) { try DotenvText([], key: key) }
    }

    @Test func `removing drops the lines, and the file when nothing is left`() throws {
        let folder = try TestFolder()
        try folder.write("A=1\nKEY='two\nlines'\nB=2\nKEY=x", to: "env")
        let target = delivery(folder["env"], .dotenv(key: "KEY"))
        #expect(try target.publishedText() == "x")
        #expect(try !target.holds("x"))
        try target.remove()
        #expect(try folder.text("env") == "A=1\nB=2\n")
        try target.remove()
        #expect(try folder.text("env") == "A=1\nB=2\n")
        try folder.write("\n  KEY=x\r\n\r\n", to: "env")
        try target.remove()
        #expect(folder.names == [])
    }

    @Test func `random files keep every other byte`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("DotenvTests seed \(seed)")
        var random = Seeded(state: seed)
        let pieces = [
            "A=1", "B='x\nKEY=no\ny'", "C=\"q\\\"\nKEY=no\"", "# KEY=old", ";c", "", "  ", "D = spaced  ", "E=a'b\"c", "export F=1",
            "weird", "G=\"a\" # it's", "H=ü",
        ]
        let ours = ["KEY=old", "export KEY='old'", " KEY = \"old\"", "KEY=", "KEY=old # it's", "KEY=\"o\nl\nd\""]
        for _ in 0..<2000 {
            let end = Bool.random(using: &random) ? "\n" : "\r\n"
            var lines = (0..<Int.random(in: 0..<8, using: &random)).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }
            let count = Int.random(in: 1...2, using: &random)
            for _ in 0..<count {
                lines.insert(ours[Int.random(in: 0..<ours.count, using: &random)], at: Int.random(in: 0...lines.count, using: &random))
            }
            let text = lines.joined(separator: end) + (Bool.random(using: &random) ? end : "")
            let once = try DotenvText(Array(text.utf8), key: "KEY").setting(Array("sk-123".utf8))
            let parsed = try DotenvText(once, key: "KEY")
            #expect(parsed.values == Array(repeating: Array("sk-123".utf8), count: count), "seed \(seed): \(text.debugDescription)")
            #expect(try parsed.setting(Array("sk-123".utf8)) == once, "seed \(seed)")
            #expect(
                parsed.removing() == (try DotenvText(Array(text.utf8), key: "KEY").removing()), "seed \(seed): \(text.debugDescription)")
            let others = lines.filter { !ours.contains($0) }.joined(separator: end)
            let rest = parsed.removing().map { String(decoding: $0, as: UTF8.self) }
            let isNothing = rest == nil && others.allSatisfy(\.isWhitespace)
            #expect(rest == others || rest == others + end || isNothing, "seed \(seed): \(text.debugDescription)")
        }
    }
}
