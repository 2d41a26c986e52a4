import Foundation
import KeyturnCore
import KeyturnEngine
import Testing

@testable import KeyturnAdapters

/// What a hostile or clumsy gateway says never carries a secret, and is one bounded line.
struct `Messages of the laozhang gateway are fit to be read` {
    /// None of the secrets begins with sk-: those are masked wherever they come from.
    private static let admin = "Adm1n/Token+With=Signs"
    private static let secret = "lz_0123456789abcdefghij"

    /// What a call with this bearer says.
    private struct Message {
        let bearer: String
        let text: String
    }

    /// Everything that the gateway says when it answers every call so.
    private func messages(_ status: String, _ words: String, json: Bool = true) async -> [Message] {
        let quoted = (try? JSONEncoder().encode(words)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        var messages: [Message] = []
        for body in json ? [#"{"error":{"message":\#(quoted)}}"#, #"{"error":\#(quoted)}"#, #"{"message":\#(quoted)}"#] : [words] {
            let (_, gateway, _) = answering(status, body, admin: Self.admin)
            messages.append(Message(bearer: Self.admin, text: await gateway.createMessage()))
            messages.append(Message(bearer: Self.admin, text: await gateway.listError()?.description ?? ""))
            messages.append(Message(bearer: Self.admin, text: await gateway.revokeError("key_1")?.description ?? ""))
            messages.append(Message(bearer: Self.secret, text: await gateway.usageError(Self.secret)?.description ?? ""))
            do throws(GatewayError) {
                let outcome = try await gateway.probe(Secret(Self.secret))
                if case .refused(let why) = outcome { messages.append(Message(bearer: Self.secret, text: why)) }
            } catch { messages.append(Message(bearer: Self.secret, text: error.description)) }
        }
        return messages
    }

    @Test(arguments: ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "429 Too Many", "500 Oops", "200 OK"])
    func `a token that the gateway echoes is masked, whole, cut short, and under a mark that hides its end`(status: String) async {
        for bearer in [Self.admin, Self.secret] {
            let echoes = [
                "unknown token \(bearer)!", "\(bearer)\u{301}", "Bearer \(bearer)\(bearer)", "beginning with \(bearer.prefix(10))...",
                "\(String(repeating: "a", count: 4090)) \(bearer)",
            ]
            for echo in echoes {
                for message in await messages(status, echo) where message.bearer == bearer {
                    #expect(!message.text.contains(bearer.prefix(8)), "\(message.text)")
                }
            }
        }
    }

    @Test func `the secret that was sent is never in the message of its call`() {
        let cases: [(String, String)] = [
            ("no \(Self.admin)", "no ***"), (Self.admin, "***"), ("\(Self.admin)\(Self.admin)", "******"),
            ("x\(Self.admin)\u{301}y", "x***\u{301}y"),
            ("\(Self.admin.prefix(12))…", "***…"), ("Adm1n/", "Adm1n/"), ("AAdm1n/Token+With=Signs", "A***"),
            ("sk-abcdefgh and sk-abc***xyz", "*** and ***"), (String(repeating: "f", count: 40), "***"),
            ("plain words stay", "plain words stay"),
        ]
        func clean(_ words: String, _ secret: String = Self.admin) -> String { Redaction.clean(words, of: Secret(secret)) }
        for (words, expected) in cases { #expect(clean(words) == expected) }
        // At the edge of what is looked at: nothing of it that tells anything is left.
        for length in 4060...4100 {
            let words = String(repeating: "- ", count: length / 2) + Self.admin
            #expect(!clean(words).contains("Adm1n"))
            let run = String(repeating: "a", count: length) + Self.admin
            #expect(!clean(run).contains("Adm1n/To"))
        }
        #expect(clean("short ab", "ab") == "short ***")
    }

    @Test(arguments: [
        "two\nlines\r\nand\u{2028}more\u{2029}", "\u{1B}[31mred\u{1B}[0m \u{7}\u{8}\u{0}\u{9B}31m",
        "\u{202E}txt.exe\u{2066}\u{200B}\u{FEFF}",
        String(repeating: "x ", count: 500_000), "a" + String(repeating: "\u{301}", count: 500_000), String(repeating: "🏳️‍🌈", count: 20_000),
        String(repeating: "\n", count: 100_000), String(repeating: "k", count: 1_000_000),
    ])
    func `control characters, reordering, marks and megabytes become one bounded line`(words: String) async {
        let messages = await messages("403 Forbidden", words) + messages("500 Oops", words, json: false)
        #expect(messages.count == 20)
        for message in messages { expectPlain(message.text) }
        expectPlain(Redaction.clean(words, of: Secret(Self.admin)))
    }

    @Test func `names, states and ids of others' tokens are bounded lines, too`() async throws {
        for words in ["a\nb\u{202E}c\u{0}", String(repeating: "n", count: 1_000_000), "a" + String(repeating: "\u{301}", count: 500_000)] {
            let quoted = String(decoding: try JSONEncoder().encode(words), as: UTF8.self)
            let (_, gateway, _) = answering(
                #"{"data":[{"name":\#(quoted),"status":\#(quoted),"id":\#(quoted)},{"name":"ours","id":"key_1"}]}"#)
            let keys = try await gateway.list().keys
            expectPlain(keys[0].name)
            guard case .other(let word) = keys[0].status else { throw CancellationError() }
            expectPlain(word)
            #expect(keys[0].id == nil)
            #expect(keys[1].name == "ours" && keys[1].id?.text == "key_1")
        }
    }

    @Test func `an address that is not the gateway's says where to look`() async {
        let (_, gateway, _) = answering("404 Not Found", #"{"data":[]}"#)
        let error = await gateway.listError()
        #expect(error?.description.hasSuffix("/v1/api-keys answered 404: is the url in keyturn.yaml right?") == true)
    }

    @Test func `an admin token with a newline or a space in it is not sent, and not told`() async {
        for admin in ["two words", "line\nbreak", "é"] {
            let (server, gateway, http) = answering("{}", admin: admin)
            let message = await gateway.createMessage()
            #expect(message == "the token is empty or has a character that no token has")
            http.shutdown()
            #expect(await server.requests().isEmpty)
        }
    }

    private func expectPlain(_ message: String) {
        #expect(message.unicodeScalars.count <= 260 && message.utf8.count <= 1200, "\(message.unicodeScalars.count) scalars")
        #expect(message == message.oneLine, "\(message.oneLine)")
    }
}
