import Foundation
import Glibc
import KeyturnSandbox
import KeyturnTestHost
import Synchronization
import Testing

/// The daemon's life: what it tells systemd, what it does with signals, and how several get on with each other.
struct DaemonTests {
    private let token = "test-webapp-api"

    @Test func `systemd hears READY, STATUS, signs of life and STOPPING`() async throws {
        try await Account.with { account in
            let host = account.host
            try host.write(
                """
                environment: prod
                gateway: laozhang
                tokens:
                  - {project: webapp, purpose: api, rotate: {every: 3d 1h}, deliver: [{file: \(host.path("targets/a"))}]}
                  - {project: worker, purpose: batch, rotate: {every: 30d}, deliver: [{file: \(host.path("targets/b"))}]}
                  - {project: worker, purpose: other, rotate: {every: 30d}, deliver: [{file: \(host.path("targets/c"))}]}
                """, to: "policies/test.yaml"
            )
            let manager = try NotifySocket(at: host.path("notify"))
            let daemon = try host.daemon(environment: ["NOTIFY_SOCKET": host.path("notify"), "WATCHDOG_USEC": "400000"])
            try await until("it says how it is") { manager.messages.contains("STATUS=3 tokens, next prod-webapp-api in 3 d") }
            #expect(manager.messages.first == "READY=1")
            let beats = manager.count("WATCHDOG=1")
            try await until("it gives signs of life while it sleeps") { manager.count("WATCHDOG=1") >= beats + 5 }
            daemon.send(SIGHUP)
            try await until("it tells of its reload") {
                manager.messages.contains { $0.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") } && manager.count("READY=1") == 2
            }
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
            #expect(manager.messages.last == "STOPPING=1")
        }
    }

    @Test func `SIGTERM ends it within seconds while a consumer takes its time, and the next one goes on`() async throws {
        try await Account.with { account in
            let host = account.host
            try host.write(
                "#!/bin/sh\ntouch \(host.path("began"))\n[ -e \(host.path("done")) ] || exec sleep 1000\n", to: "slow", mode: 0o755)
            try Targets.writeOne(to: host, then: "{run: [\(host.path("slow"))], timeout: 30min}")
            let daemon = try host.daemon()
            try await until("the consumer was told") { host.exists("began") }
            daemon.send(SIGTERM)
            #expect(try await daemon.ended() == 0)
            #expect(account.living.count == 1)
            try host.write("", to: "done")
            let next = try host.daemon()
            try await host.until(token, is: "active")
            #expect(account.gateway.statistics().creates == 1)
            next.send(SIGINT)
            #expect(try await next.ended() == 0)
        }
    }

    @Test(arguments: [["daemon"], ["daemon", "--once"], ["rotate", "test-webapp-api"]])
    func `SIGTERM ends it within seconds while the gateway hangs`(_ arguments: [String]) async throws {
        try await Account.with(faults: ["hang:create"]) { account in
            let host = account.host
            try host.settings(gateway: "requests: {timeout: 5min}")
            try Targets.writeOne(to: host)
            let child = try host.start(arguments)
            try await until("the gateway was asked") { account.gateway.statistics().creates == 1 }
            child.send(SIGTERM)
            let code = try await child.ended()
            #expect(code == (arguments == ["daemon"] ? 0 : 2), "\(child.said)")
            account.gateway.setFaults([])
            // The outcome of that create is not known: its name is left alone, and another one is made.
            #expect(try await host.run("rotate", token).code == 0)
            #expect(account.living.map(\.secret) == [try host.read("targets/token")])
        }
    }

    /// The watchdog of systemd sends it to a daemon that hangs; `env` hands it down ignored and blocked.
    @Test(arguments: [[], ["/usr/bin/env", "--ignore-signal=ABRT", "--block-signal=ABRT"]])
    func `SIGABRT ends it by that signal, however it was started, and tells nothing of its memory`(wrapper: [String]) async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            let daemon = try host.start(["daemon"], under: wrapper)
            try await host.until(token, is: "active")
            daemon.send(SIGABRT)
            #expect(try await daemon.ended() == 128 + SIGABRT)
            #expect(!daemon.said.contains("Registers:"), "\(daemon.said)")
            let next = try host.daemon()
            try await until("the next one drives") { next.complained.contains("keyturn is ready") }
        }
    }

    @Test func `SIGHUP takes a good policy and refuses a bad one in words`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            let daemon = try host.daemon()
            try await host.until(token, is: "active")
            let good = try host.read("policies/test.yaml")
            try host.write(
                good.replacingOccurrences(of: "gateway: laozhang", with: "gateway: nowhere\ncolour: blue"), to: "policies/test.yaml")
            daemon.send(SIGHUP)
            try await until("it refuses") { daemon.complained.contains("are refused and the old ones stay in force") }
            try await until("each error has an entry of its own, and what is in force another one") {
                daemon.complained.split(separator: "\n").count { $0.contains("/policies/test.yaml:") } == 3
            }
            #expect(daemon.status == nil)
            // The old policy keeps the token: it comes back where somebody ended it at the gateway.
            try host.write(good.replacingOccurrences(of: "project: webapp", with: "project: second"), to: "policies/second.yaml")
            try host.write(good, to: "policies/test.yaml")
            try host.write(
                try host.read("policies/second.yaml").replacingOccurrences(of: "environment: test", with: "environment: more")
                    .replacingOccurrences(of: "targets/token", with: "targets/second"), to: "policies/second.yaml"
            )
            daemon.send(SIGHUP)
            try await host.until("more-second-api", is: "active")
            #expect(daemon.complained.contains("the settings and policies were read again"))
            try host.write(
                try host.read("keyturn.yaml").replacingOccurrences(of: "state: state", with: "state: elsewhere"), to: "keyturn.yaml")
            daemon.send(SIGHUP)
            try await until("it refuses to move") { daemon.complained.contains("the state folder cannot change while the daemon runs") }
            #expect(account.living.count == 2)
        }
    }

    @Test func `of two daemons the second waits, and takes over when the first is killed`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            let first = try host.daemon()
            try await host.until(token, is: "active")
            let manager = try NotifySocket(at: host.path("notify"))
            let second = try host.daemon(environment: ["NOTIFY_SOCKET": host.path("notify")])
            try await until("the second waits") { second.complained.contains("another keyturn process is driving; this one waits") }
            try await until("it says so") { manager.messages.contains("STATUS=waiting for another keyturn process to end") }
            #expect(try await host.run("rotate", token).code == 0)
            #expect(first.complained.contains("(requested)"))
            let waiting = try host.daemon()
            try await until("the third waits, too") { waiting.complained.contains("this one waits") }
            waiting.send(SIGTERM)
            #expect(try await waiting.ended() == 0)
            first.send(SIGKILL)
            try await until("the second drives") { second.complained.contains("keyturn is ready") }
            let rotated = try await host.run("rotate", token)
            #expect(rotated.code == 0)
            #expect(second.complained.contains("(requested)"), "\(second.complained)")
            try await until("only the newest is left") { account.living.count == 1 }
        }
    }

    @Test func `a pass from cron leaves the work to a daemon that runs, and wakes it`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            let daemon = try host.daemon()
            try await host.until(token, is: "active")
            let pass = try await host.run("daemon", "--once")
            #expect(pass.code == 0)
            #expect(pass.errors.contains("another keyturn process is driving; it was told to look now"))
            #expect(daemon.status == nil)
        }
    }
}

/// What systemd would hear, message by message.
final class NotifySocket: Sendable {
    private let socket: Int32
    private let heard = Mutex<[String]>([])

    init(at path: String) throws {
        socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8.prefix(107)) }
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(socket, $0, size) }
        }
        guard bound == 0 else { throw Unexpected("no socket at \(path)") }
    }

    deinit { close(socket) }

    /// In the order of their arrival.
    var messages: [String] {
        heard.withLock { heard in
            var buffer = [UInt8](repeating: 0, count: 8192)
            while true {
                let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(socket, $0.baseAddress, $0.count, 0) }
                guard count > 0 else { return heard }
                heard.append(String(decoding: buffer[..<count], as: UTF8.self))
            }
        }
    }

    func count(_ message: String) -> Int { messages.count { $0 == message } }
}
