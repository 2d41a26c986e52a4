import Foundation
import KeyturnCore
import KeyturnTestKit
import Testing

/// The scanner finds what it should in whatever pieces a text comes, and is shown no more than a bounded number of strings.
struct TokenScannerTests {
    /// As the sandbox makes them.
    private static let secret = "sk-4fK2mQ9xTz7LpW1vB8nR5cY3hJ6dG0sA2eU4iO7qX9wE1tNk"
    private static let other = "sk-ZZK2mQ9xTz7LpW1vB8nR5cY3hJ6dG0sA2eU4iO7qX9wE1tZZ"
    /// Taken over from elsewhere: no `sk-`.
    private static let plain = "9f8e7d6c5b4a.3210FEDCBA_98-76543210"

    @Test(
        arguments: [
            "@@", "KEY=@@\n", "export KEY='@@'", "{\"key\":\"@@\"}", #"{\"key\":\"@@\"}"#, #"\n@@\n"#, #"\u0022@@\u0022"#, #"'\x27@@\x27'"#,
            "https://x:@@@host/", "?key=%22@@%22&x=1", "?a=b%3D@@", "Bearer @@", "the key is @@.", "`@@`", "(@@)", "@@...", "key: @@ # old",
            "\0@@\0", "é@@é", "<k>@@</k>", "&quot;@@&quot;", "-@@-", "__@@__",
        ])
    func `a secret is found in what people and programs put around it`(_ around: String) {
        for secret in [Self.secret, Self.plain] {
            let text = "one\ntwo\n" + around.replacingOccurrences(of: "@@", with: secret) + "\n"
            let judge = Self.scan(Array(text.utf8), knowing: [Self.other, secret])
            #expect(judge.sights.map(\.sight) == [.ours(1)], "\(text)")
            #expect(judge.sights.first?.line == (around.hasPrefix("\n") ? 4 : 3))
        }
    }

    @Test(arguments: ["\u{1b}[31m@@\u{1b}[0m", "prefix_@@", "x@@", "@@.bak", "@@-old.json", "a.b-@@_c.d", "sk-@@", "@@_sk-1", "task-@@"])
    func `one that begins with sk- is found in a longer word too`(_ around: String) {
        let text = around.replacingOccurrences(of: "@@", with: Self.secret)
        #expect(Self.scan(Array(text.utf8), knowing: [Self.secret]).sights.map(\.sight) == [.ours(0)], "\(text)")
    }

    /// Everything that pieces might separate: the parts of a secret, of an escape, of a character of UTF-16, of a line's end.
    private static let mixed: [UInt8] =
        Array("a sk\nKEY=\(secret)\r\n\\n\(plain) %3D\(plain)\n-\(other)-\n".utf8) + utf16("\n\"\(secret)\"\n", isLittle: true)
        + utf16("\n\"\(plain)\"\n", isLittle: false) + [0] + Array("\nx\0y\0sk-\(secret).x".utf8)

    @Test func `wherever the pieces are cut, what is found is the same`() {
        let known = [Self.secret, Self.plain]
        let whole = Self.scan(Self.mixed, knowing: known).sights
        #expect(whole.count == 7, "\(whole)")
        let bytes = Self.mixed
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let pieces = [bytes[..<first], bytes[first..<second], bytes[second...]].map(Array.init)
                let sights = Self.scan(pieces, knowing: known).sights
                if sights != whole {
                    Issue.record("cut at \(first) and \(second): \(sights)")
                    return
                }
            }
        }
        #expect(Self.scan(bytes.map { [$0] }, knowing: known).sights == whole)
    }

    @Test(arguments: 0..<40)
    func `random texts, too`(_ seed: Int) {
        var dice = Dice(seed: UInt64(seed))
        let parts = [
            Self.secret, Self.plain, Self.other, "sk-", "-", "_", ".", "\n", "\0", "\\", "%3D", "a", " ", "\\u0022",
            String(repeating: "a1", count: 300),
        ]
        var bytes: [UInt8] = []
        for _ in 0..<60 { bytes += Array(dice.pick(parts).utf8) }
        let whole = Self.scan(bytes, knowing: [Self.secret, Self.plain]).sights
        for _ in 0..<30 {
            var pieces: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let size = 1 + Int(dice.next() % 97)
                pieces.append(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            #expect(Self.scan(pieces, knowing: [Self.secret, Self.plain]).sights == whole, "seed \(seed)")
        }
    }

    @Test(arguments: [0, 1, 200, 255, 256, 257, 400, 511, 512, 513, 5000])
    func `a secret in the midst of an endless word is found, wherever it begins`(_ distance: Int) {
        let word = String(repeating: "a", count: distance) + Self.secret + "-" + String(repeating: "b", count: 3000)
        let judge = Self.scan(Array(word.utf8), knowing: [Self.secret])
        #expect(judge.sights.map(\.sight) == [.ours(0)])
    }

    @Test func `what is tried is bounded by the length of the text, whatever the text`() {
        for unit in ["sk-", "sk-a1", "a-", "s", "sk-sk-aaaaaaaaaaaaaaa1-"] {
            let bytes = Array(String(repeating: unit, count: 20000).utf8)
            let judge = Self.scan(bytes, knowing: [Self.secret])
            #expect(judge.tries <= bytes.count + 256, "\(unit): \(judge.tries) of \(bytes.count)")
        }
    }

    @Test func `a key of others is told with its length, its line and the ends of it alone`() {
        let judge = Self.scan(Array("x\nkey = \(Self.other)\n".utf8), knowing: [Self.secret])
        #expect(judge.sights == [Judge.Seen(sight: .unknown(mask: "sk-ZZK***ZZ", length: 51), line: 2)])
        #expect(Self.scan(Array(#"\n\#(Self.other)\n"#.utf8), knowing: []).sights.count == 1)
        let long = "sk-proj-" + String(repeating: "a1B2", count: 100)
        #expect(Self.scan(Array(long.utf8), knowing: []).sights.first?.sight == .unknown(mask: "sk-pro***", length: nil))
    }

    @Test(
        arguments: [
            "task-0123456789abcdef0123456789", "sk-folding-cube-with-a-long-name-1", "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            "sk-1234567890123456789012345678", "sk-a1b2c3d4",
        ])
    func `what only looks a little like a key is not told`(_ text: String) {
        #expect(Self.scan(Array(text.utf8), knowing: [Self.secret]).sights.isEmpty)
    }

    // MARK: -

    private static func utf16(_ text: String, isLittle: Bool) -> [UInt8] { text.utf8.flatMap { isLittle ? [$0, 0] : [0, $0] } }

    private struct Judge: TokenJudge {
        struct Seen: Equatable {
            var sight: TokenSight
            var line: Int
        }

        var known: [[UInt8]]
        var sights: [Seen] = []
        var tries = 0

        mutating func number(of candidate: Span<UInt8>) -> Int? {
            tries += 1
            return known.firstIndex { text in text.count == candidate.count && text.indices.allSatisfy { text[$0] == candidate[$0] } }
        }

        mutating func saw(_ sight: TokenSight, line: Int) { sights.append(Seen(sight: sight, line: line)) }
    }

    private static func scan(_ bytes: [UInt8], knowing known: [String]) -> Judge { scan([bytes], knowing: known) }

    private static func scan(_ pieces: [[UInt8]], knowing known: [String]) -> Judge {
        var judge = Judge(known: known.map { Array($0.utf8) })
        var scanner = TokenScanner()
        for piece in pieces { scanner.scan(piece.span, for: &judge) }
        scanner.finish(for: &judge)
        return judge
    }
}
