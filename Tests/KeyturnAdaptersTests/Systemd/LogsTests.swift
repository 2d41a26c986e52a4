import Foundation
import Glibc
import KeyturnAdapters
import Testing

struct LogsTests {
    @Test func `the journal is chosen when stderr is the very stream it opened`() throws {
        let stream = Pipe().fileHandleForWriting
        let printed = try shell("stat -L -c %d:%i /proc/\(getpid())/fd/\(stream.fileDescriptor)")
        let name = String(decoding: printed, as: UTF8.self).trimmingCharacters(in: .newlines)
        #expect(name.contains(":"))
        #expect(Logs.destination(of: stream.fileDescriptor, environment: ["JOURNAL_STREAM": name]) == .journal)
        #expect(Logs.destination(of: stream.fileDescriptor, environment: ["JOURNAL_STREAM": "\(name)0"]) == .lines(.stream))
        #expect(Logs.destination(of: stream.fileDescriptor, environment: [:]) == .lines(.stream))
    }

    @Test(arguments: [
        ([:], true),
        (["NO_COLOR": ""], true),
        (["NO_COLOR": "1"], false),
        (["TERM": "dumb"], false),
        (["JOURNAL_STREAM": "0:0"], true),
    ])
    func `a terminal gets colour unless the person or the terminal refuses it`(environment: [String: String], colour: Bool) throws {
        let terminal = try #require(FileHandle(forUpdatingAtPath: "/dev/ptmx"))
        #expect(Logs.destination(of: terminal.fileDescriptor, environment: environment) == .lines(.terminal(colour: colour)))
    }

    @Test func `a closed stderr is no reason to fail`() {
        #expect(Logs.destination(of: -1, environment: ["JOURNAL_STREAM": "0:0"]) == .lines(.stream))
    }
}
