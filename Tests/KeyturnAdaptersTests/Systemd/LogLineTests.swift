import Foundation
import KeyturnAdapters
import KeyturnEngine
import Logging
import Testing

struct LogLineTests {
    private let evening = Date(timeIntervalSince1970: 1_795_458_127)  // 2026-11-23T18:22:07Z

    private func line(_ event: LogEvent, _ style: LogLine.Style = .terminal(colour: false), zone: String = "UTC") throws -> String {
        let zone = try #require(TimeZone(identifier: zone))
        return LogLine.text(of: LogRecord(event), at: evening, style: style, timeZone: zone)
    }

    @Test func `on a terminal it is the local time of day, the level, the token, the sentence and the rest`() throws {
        let metadata: Logger.Metadata = [LogKeys.token: "prod-webapp-api", LogKeys.step: "verify"]
        let event = LogEvent.test(.warning, "the new secret is refused", metadata: metadata)
        #expect(try line(event) == "18:22:07 warning prod-webapp-api: the new secret is refused (step=verify)\n")
        #expect(try line(event, zone: "Europe/Berlin").hasPrefix("19:22:07 warning "))
    }

    @Test func `in a file it is date and time in UTC`() throws {
        #expect(try line(.test(.info, "started"), .stream, zone: "Europe/Berlin") == "2026-11-23T18:22:07Z info started\n")
    }

    @Test func `colour is on the level's word alone, and only when asked for`() throws {
        #expect(try line(.test(.error, "broken"), .terminal(colour: true)) == "18:22:07 \u{1B}[31merror\u{1B}[0m broken\n")
        #expect(try line(.test(.info, "fine"), .terminal(colour: true)) == "18:22:07 info fine\n")
        for level in Logger.Level.allCases {
            #expect(try !line(.test(level)).contains("\u{1B}"))
            #expect(try !line(.test(level), .stream).contains("\u{1B}"))
        }
    }

    @Test func `the catalog's id is left out`() throws {
        #expect(try line(.test(.info, "x", metadata: [LogKeys.messageID: "5a1c7f0e2b9d4c51a6f0c3d2e1b4a597"])) == "18:22:07 info x\n")
    }

    @Test func `no value can pretend to be a further key`() throws {
        let event = LogEvent.test(.info, "x", metadata: ["answer": "no), code=\"forged\"", "empty": "", "step, a": "1"])
        #expect(try line(event) == #"18:22:07 info x (answer="no), code=\"forged\"", empty="", "step, a"=1)"# + "\n")
    }

    @Test func `neither the sentence nor the token nor a key nor a value ends the line or steers the terminal`() throws {
        let evil = "a\r\n18:22:08 info b\u{1B}[2J\u{9B}2J\u{202E}"
        let event = LogEvent.test(.info, "\(evil)", metadata: [LogKeys.token: "\(evil)", evil: "\(evil)"])
        let line = try line(event)
        #expect(line.filter(\.isNewline).count == 1)
        #expect(String(line.dropLast()).oneLine == line.dropLast())
    }
}
