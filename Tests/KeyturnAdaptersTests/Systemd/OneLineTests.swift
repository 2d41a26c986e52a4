import KeyturnAdapters
import Testing

// Tables in the tests and not arguments: the test runner would print those raw to the terminal of whoever runs it.
struct OneLineTests {
    @Test func `what could end a line or steer a terminal is written as an escape`() {
        let expected = [
            "two\nlines\r\nand\ttabs": #"two\nlines\r\nand\ttabs"#,
            "\u{1B}]0;title\u{7}": #"\u{1B}]0;title\u{7}"#,
            "\u{9B}31m, the eight bit form": #"\u{9B}31m, the eight bit form"#,
            "nul \0 and delete \u{7F}": #"nul \u{0} and delete \u{7F}"#,
            "paragraph\u{2029}line\u{2028}next\u{85}": #"paragraph\u{2029}line\u{2028}next\u{85}"#,
            "reordered \u{202E}nekot\u{2066}": #"reordered \u{202E}nekot\u{2066}"#,
            "zero\u{200B}width\u{FEFF}": #"zero\u{200B}width\u{FEFF}"#,
        ]
        for (text, line) in expected { #expect(text.oneLine == line) }
    }

    @Test func `plain text stays as it is, the backslash included`() {
        for text in ["", "plain, with ümlaut, 漢字 and 🙂", #"C:\new \u{1B}"#] { #expect(text.oneLine == text) }
    }

    @Test func `no control character survives, wherever it stands`() {
        for value in Array(UInt8(0)..<32) + Array(127..<160) {
            let control = Unicode.Scalar(value)
            for text in ["\(control)", "a\(control)", "\(control)b", "a\(control)\u{301}b"] {
                #expect(text.oneLine.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
            }
        }
    }
}
