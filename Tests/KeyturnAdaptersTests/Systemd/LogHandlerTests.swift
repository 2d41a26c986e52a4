import Foundation
import KeyturnAdapters
import Logging
import Testing

struct LogHandlerTests {
    @Test(arguments: [Logs.Destination.journal, .lines(.stream)])
    func `level and metadata of one logger are not another's`(destination: Logs.Destination) {
        var first = Logger(label: "test") { _ in Logs.handler(for: destination, level: .info) }
        first.logLevel = .debug
        first[metadataKey: "only-on"] = "first"
        var second = first
        second.logLevel = .error
        second[metadataKey: "only-on"] = "second"
        #expect(first.logLevel == .debug)
        #expect(second.logLevel == .error)
        #expect(first[metadataKey: "only-on"] == "first")
        #expect(second[metadataKey: "only-on"] == "second")
    }

    @Test func `a record is one line in one write, with what the provider adds`() throws {
        let written = try Datagrams()
        let descriptor = written.writer
        let provider = Logger.MetadataProvider { ["environment": "prod"] }
        let logger = Logger(label: "test") { _ in
            LineLogHandler(
                level: .info,
                style: .stream,
                metadataProvider: provider,
                descriptor: descriptor,
                now: { Date(timeIntervalSince1970: 0) }
            )
        }
        logger.debug("dropped")
        logger.info("one")
        logger.notice("two\nlines", metadata: ["step": "verify"])
        #expect(
            written.received() == [
                "1970-01-01T00:00:00Z info one (environment=prod)\n",
                "1970-01-01T00:00:00Z notice two\\nlines (environment=prod, step=verify)\n",
            ]
        )
    }
}
