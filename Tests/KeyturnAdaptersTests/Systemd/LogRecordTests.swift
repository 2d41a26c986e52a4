import KeyturnAdapters
import Logging
import Testing

struct LogRecordTests {
    @Test func `the event's metadata wins over the provider's, the provider's over the handler's`() {
        let provider = Logger.MetadataProvider { ["a": "provider", "b": "provider"] }
        let record = LogRecord(
            .test(metadata: ["a": "event"]),
            handler: ["a": "handler", "b": "handler", "c": "handler"],
            provider: provider
        )
        #expect(record.metadata == ["a": "event", "b": "provider", "c": "handler"])
    }

    @Test func `lists and dictionaries are written plainly and in order`() {
        let map: Logger.MetadataValue = ["b": "2", "a": ["1", "1"]]
        let record = LogRecord(.test(metadata: ["list": ["one", "two"], "map": map, "number": .stringConvertible(7)]))
        #expect(record.metadata == ["list": "one, two", "map": "a=1, 1, b=2", "number": "7"])
    }

    @Test func `an error comes with its words and its type, on one line`() {
        struct Refused: Error, CustomStringConvertible { let description = "refused:\nnot today" }
        let record = LogRecord(.test(error: Refused()))
        #expect(record.metadata["error.message"] == #"refused:\nnot today"#)
        #expect(record.metadata["error.type"]?.hasSuffix("Refused") == true)
    }
}

extension LogEvent {
    /// An event with a place of its own that tests can name.
    static func test(
        _ level: Logger.Level = .info,
        _ message: Logger.Message = "sentence",
        error: (any Error)? = nil,
        metadata: Logger.Metadata? = nil
    ) -> LogEvent {
        LogEvent(
            level: level,
            message: message,
            error: error,
            metadata: metadata,
            source: nil,
            file: "KeyturnEngine/Rotator.swift",
            function: "turn()",
            line: 42
        )
    }
}
