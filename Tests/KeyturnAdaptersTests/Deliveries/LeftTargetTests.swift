import KeyturnCore
import KeyturnEngine
import Testing

@testable import KeyturnAdapters

@Suite struct LeftTargetTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func holds(_ name: String, _ key: String? = nil) throws -> Bool {
        try LeftTarget(TargetID(file: folder[name], key: key)).holds(Secret("sk-one"))
    }

    @Test func `a file that was the secret, or a text around it, holds it anywhere`() throws {
        try folder.write("sk-one", to: "raw")
        try folder.write("<key>sk-one</key>\n", to: "template")
        try folder.write("sk-two", to: "other")
        #expect(try holds("raw") && holds("template"))
        #expect(try !holds("other") && !holds("absent"))
    }

    @Test func `under a key only that value counts, though the file goes on being a target under another`() throws {
        try folder.write("OLD=\nNEW=sk-one\n", to: "env")
        try folder.write("OLD=sk-one\nNEW=sk-one\n", to: "both")
        try folder.write(#"{"old": "sk-two", "new": "sk-one"}"#, to: "json")
        #expect(try !holds("env", "OLD") && holds("env", "NEW") && holds("both", "OLD"))
        #expect(try !holds("json", "/old") && holds("json", "/new"))
    }

    @Test func `of a variable that stands twice any value counts, and a folder that is not there says nothing`() throws {
        try folder.write("KEY=sk-one\nKEY=sk-two\n", to: "twice")
        #expect(try holds("twice", "KEY"))
        #expect { try holds("gone/raw") } throws: { ($0 as? DeliveryError)?.description.hasSuffix("its folder is not there") == true }
    }

    @Test func `what cannot be read is an error that names the file, not an empty place`() throws {
        try folder.write("{", to: "json")
        #expect { try holds("json", "/old") } throws: { ($0 as? DeliveryError)?.description.hasPrefix(folder["json"]) == true }
    }
}
