import Glibc
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Testing

@Suite struct TemplateTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    func rendered(_ template: String, _ secret: String = "sk<&>\"'") throws -> String {
        let target = delivery(folder["file"], .template(.text(template)))
        try target.preflight()
        try target.publish(secret)
        #expect(try target.holds(secret))
        return try folder.text("file")
    }

    @Test(arguments: [
        ("{{secret}}", "sk<&>\"'"), ("{{{ secret }}}\n", "sk<&>\"'\n"), ("{{& secret}} \t", "sk<&>\"' \t"),
        ("  a: {{secret}}\r\n\r\n  b: {{ token }}/{{environment}}\r\n   ", "  a: sk<&>\"'\r\n\r\n  b: prod-webapp-api/prod\r\n   "),
        ("{{! why }}\nx {{secret}} { } }} {\n", "x sk<&>\"' { } }} {\n"), ("\n\n{{secret}}{{secret}}", "\n\nsk<&>\"'sk<&>\"'"),
    ])
    func `the text is kept, nothing is escaped`(template: String, text: String) throws {
        #expect(try rendered(template) == text)
    }

    @Test(arguments: [
        ("{{secrte}} {{secret}}", "{{secrte}} is unknown"), ("{{#secret}}{{/secret}}", "unknown"), ("{{> part}}{{secret}}", "unknown"),
        ("{{=<% %>=}}<%secret%>", "unknown"), ("{{secret.x}}{{secret}}", "unknown"), ("{{lowercased(secret)}}", "unknown"),
        ("{{secret", "without }}"),
        ("{{token}}", "never says {{secret}}"), ("{{% CONTENT_TYPE:HTML}}{{secret}}", "unknown"),
    ])
    func `what would render as nothing is refused by preflight`(template: String, says: String) {
        let target = delivery(folder["file"], .template(.text(template)))
        #expect(target.complaint { try $0.preflight() }?.contains(says) == true)
        #expect(target.complaint { try $0.publish("x") }?.contains(says) == true)
        #expect(folder.names == [])
    }

    @Test func `a secret that looks like a template is only text`() throws {
        #expect(try rendered("a {{secret}} b", "{{token}}") == "a {{token}} b")
    }

    @Test func `random texts are kept to the byte`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("TemplateTests seed \(seed)")
        var random = Seeded(state: seed)
        let pieces = [
            "a", " ", "\t", "\n", "\r\n", "{", "}", "}}", "é", "=", "{{secret}}", "{{token}}", "{{ environment }}", "\u{2028}", "\r",
        ]
        for _ in 0..<2000 {
            var text =
                (0..<Int.random(in: 0..<10, using: &random)).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &random)] }.joined()
                + "{{secret}}"
            text += (0..<Int.random(in: 0..<4, using: &random)).map { _ in pieces[Int.random(in: 0..<4, using: &random)] }.joined()
            // Braces side by side can make another tag than was meant.
            let tags = ["{{secret}}", "{{token}}", "{{ environment }}"]
            guard !text.contains("{{{"), !tags.reduce(text, { $0.replacing($1, with: "x") }).contains("{{") else { continue }
            let expected = text.replacing("{{secret}}", with: "S").replacing("{{token}}", with: "prod-webapp-api").replacing(
                "{{ environment }}", with: "prod")
            let shown = try TemplateFile.rendered(text, secret: "S", token: "prod-webapp-api", environment: "prod")
            #expect(Array(shown.utf8) == Array(expected.utf8), "seed \(seed): \(text.debugDescription)")
        }
    }

    @Test func `a template file is read at each publish, bounded`() throws {
        let target = delivery(folder["file"], .template(.file(folder["template"])))
        #expect(target.complaint { try $0.preflight() }?.contains("template: the template cannot be read") == true)
        try folder.write("1 {{secret}}", to: "template")
        try target.publish("x")
        try folder.write("2 {{secret}}", to: "template")
        #expect(try target.holds("x") == false)
        try target.publish("x")
        #expect(try folder.text("file") == "2 x")
        #expect(throws: DeliveryError.self) { _ = try target.publishedText() }
        unsafe truncate(folder["template"], 1 << 20 + 1)
        #expect(target.complaint { try $0.preflight() }?.contains("too large") == true)
        try target.remove()
        #expect(folder.names == ["template"])
    }
}
