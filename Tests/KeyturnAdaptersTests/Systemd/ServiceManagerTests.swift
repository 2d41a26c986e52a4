import Foundation
import KeyturnAdapters
import Synchronization
import Testing

struct ServiceManagerTests {
    @Test func `every message reaches the socket that the manager named`() throws {
        try withScratchDirectory { directory in
            let path = directory.appending(path: "notify").path
            let socket = try Datagrams(at: path)
            let run = try LogProbeRun("notify", environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "30000000"])
            #expect(run.status == 0)
            #expect(run.output == "30.0 seconds\n")
            let messages = socket.received()
            try #require(messages.count == 5)
            #expect(messages[0] == #"STATUS=reading\nREADY=1"#)
            #expect(messages[1] == "READY=1")
            #expect(messages[2] == "WATCHDOG=1")
            #expect(messages[3].contains(/^RELOADING=1\nMONOTONIC_USEC=[1-9][0-9]*$/))
            #expect(messages[4] == "STOPPING=1")
        }
    }

    @Test(arguments: [
        [:],
        ["NOTIFY_SOCKET": "/nonexistent/notify"],
        ["NOTIFY_SOCKET": "neither a path nor abstract", "WATCHDOG_USEC": "often"],
        ["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"],
    ])
    func `without a manager that listens the daemon goes on, unwatched`(environment: [String: String]) throws {
        let run = try LogProbeRun("notify", environment: environment)
        #expect(run.status == 0)
        #expect(run.output == "unwatched\n")
        #expect(run.errors.isEmpty)
    }

    @Test func `the longest status fits into the 4096 bytes that systemd reads`() throws {
        let sent = Mutex<[String]>([])
        let manager = ServiceManager { message in sent.withLock { $0.append(message) } }
        manager.status(String(repeating: "𝄞", count: 100_000))
        let message = try #require(sent.withLock { $0.first })
        #expect(message.utf8.count == 4007)
    }
}
