import Foundation
import Glibc
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import KeyturnTestHost
import Testing

/// What `take` throws, nil when it succeeds.
func complaint(_ consumer: any Consumer) async -> String? {
    do {
        try await consumer.take()
        return nil
    } catch {
        return error.description
    }
}

@Suite struct ConsumerTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    func run(_ arguments: String..., timeout: Int64 = 30_000) -> any Consumer {
        consumer(.run(Command(arguments: arguments, timeout: TimeSpan(milliseconds: timeout))))
    }

    func consumer(_ then: Then?, confirm: Command? = nil) -> any Consumer {
        ConsumerKinds.consumer(for: TargetPolicy(file: "/x", format: .raw, then: then, confirm: confirm))
    }

    /// True once nobody bears the number, a zombie counting as nobody.
    func isGone(_ process: pid_t) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return true }
        return status.contains(") Z ")
    }

    func number(in name: String) throws -> pid_t {
        try #require(pid_t(try folder.text(name).trimmingCharacters(in: .whitespacesAndNewlines)))
    }

    @Test func `without then and confirm nothing is run`() async throws {
        let none = consumer(nil)
        try none.preflight()
        try await none.take()
        try await none.confirm()
    }

    @Test func `arguments arrive as given, no shell reads them`() async throws {
        try await run("/usr/bin/touch", folder["$HOME *; a"]).take()
        #expect(folder.names == ["$HOME *; a"])
        #expect(await complaint(run("sh", "-c", "printf %s \"$0\"; exit 1", "a  b")) == "sh ended with status 1; it said: a  b")
        try await run("touch", folder["b"]).take()
        #expect(folder.names.contains("b"))
    }

    @Test func `a status, a signal and the last words are told`() async {
        #expect(
            await complaint(run("/bin/sh", "-c", "echo one; echo two >&2; exit 3")) == "/bin/sh ended with status 3; it said: one | two")
        #expect(await complaint(run("/bin/sh", "-c", "kill -9 $$")) == "/bin/sh was ended by signal 9")
    }

    @Test func `confirm runs its own command`() async throws {
        let one = consumer(nil, confirm: Command(arguments: ["/bin/false"]))
        try await one.take()
        await #expect(throws: ConsumerError("/bin/false ended with status 1")) { try await one.confirm() }
    }

    @Test func `what it said is bounded to its end, made printable, and shows no key`() async throws {
        let text = try #require(
            await complaint(run("/bin/sh", "-c", "yes no | head -c 1000000; printf 'a\\033[31mb\\001'; echo end; exit 1")))
        #expect(text.utf8.count < 4300 + 2 * 4096)
        #expect(text.hasSuffix("a [31mb end"))
        #expect(text.unicodeScalars.allSatisfy { $0.value >= 32 })
        let key = try #require(
            await complaint(run("/bin/sh", "-c", "echo key=sk-abcdef1234 hash=0123456789abcdef0123456789abcdef; exit 1")))
        #expect(key.hasSuffix("key=[hidden] hash=[hidden]"))
    }

    @Test func `the environment holds nothing of the daemon's`() async throws {
        let path = folder["environment"]
        await #expect(processExitsWith: .success) { [path = path as String] in
            unsafe setenv("CREDENTIALS_DIRECTORY", "/run/credentials", 1)
            unsafe setenv("ADMIN_TOKEN", "sk-secret", 1)
            unsafe setenv("HOME", "/home/keyturn", 1)
            let command = Command(arguments: [
                "/bin/sh", "-c",
                "env -0 | tr '\\0' '\\n' | grep -v -e ^PWD= -e ^SHLVL= -e ^_= | sort >\(path); pwd >>\(path); cat >>\(path)",
            ])
            try await ConsumerKinds.consumer(for: TargetPolicy(file: "/x", format: .raw, then: .run(command))).take()
        }
        #expect(
            try folder.text("environment")
                == "HOME=/home/keyturn\nLANG=C.UTF-8\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n/\n")
    }

    @Test func `it ignores and blocks no signal, whatever the daemon does`() async throws {
        let path = folder["signals"]
        await #expect(processExitsWith: .success) { [path = path as String] in
            _ = signal(SIGPIPE, SIG_IGN)
            var signals = sigset_t()
            unsafe sigfillset(&signals)
            unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
            let command = Command(arguments: ["/bin/sh", "-c", "grep -E '^Sig(Blk|Ign)' /proc/self/status >\(path)"])
            try await ConsumerKinds.consumer(for: TargetPolicy(file: "/x", format: .raw, then: .run(command))).take()
        }
        let masks = try folder.text("signals").split(separator: "\n").compactMap { UInt64($0.suffix(16), radix: 16) }
        // 32 and 33 are glibc's own, which its posix_spawn(3) leaves ignored for everybody.
        #expect(masks.map { $0 & ~0x1_8000_0000 } == [0, 0], "\(masks)")
    }

    @Test(.timeLimit(.minutes(5))) func `time out ends the whole group, the deaf included`() async throws {
        let script =
            "trap '' TERM; (trap '' TERM; while :; do sleep 1000; done) & echo busy; echo $! >\(folder["grandchild"]); while :; do sleep 1000; done"
        let start = ContinuousClock.now
        let text = await timedOut(script)
        #expect(text.hasPrefix("/bin/sh did not end within ") && text.hasSuffix(" and was ended; it said: busy"))
        #expect(ContinuousClock.now - start > .seconds(2), "it was asked first")
        let grandchild = try number(in: "grandchild")
        try await until("the grandchild is gone") { isGone(grandchild) }
    }

    @Test(.timeLimit(.minutes(5))) func `a grandchild deaf to the asking dies with a leader that hears it`() async throws {
        let text = await timedOut("(trap '' TERM; while :; do sleep 1000; done) & echo $! >\(folder["grandchild"]); exec sleep 1000")
        #expect(text.contains("did not end within"))
        let grandchild = try number(in: "grandchild")
        try await until("the grandchild is gone") { isGone(grandchild) }
    }

    /// What is told of a script that is given ever more time, until it has come as far as to start its grandchild.
    private func timedOut(_ script: String) async -> String {
        var text = ""
        for timeout: Int64 in [200, 2000, 20_000] where !folder.names.contains("grandchild") {
            text = await complaint(run("/bin/sh", "-c", script, timeout: timeout)) ?? "nothing"
        }
        return text
    }

    @Test(.timeLimit(.minutes(5))) func `a grandchild that keeps the output open does not hold it up, nor is it ended`() async throws {
        try await run("/bin/sh", "-c", "sleep 1000 & echo $! >\(folder["grandchild"])").take()
        let grandchild = try number(in: "grandchild")
        #expect(!isGone(grandchild))
        kill(grandchild, SIGKILL)
    }

    @Test(.timeLimit(.minutes(5))) func `cancelled, it ends the program and says interrupted`() async throws {
        let consumer = run("/bin/sh", "-c", "echo $$ >\(folder["leader"]); exec sleep 1000")
        let file = folder["leader"]
        let text = await withTaskGroup(of: String?.self) { group in
            group.addTask { await complaint(consumer) }
            while (try? String(contentsOfFile: file, encoding: .utf8))?.hasSuffix("\n") != true { await Task.yield() }
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(text == "/bin/sh was interrupted, because Keyturn stops")
        #expect(isGone(try number(in: "leader")))
    }

    @Test(arguments: [["/no/such"], ["no-such-program"], ["./relative"], [], [""], ["/etc/passwd"], ["/usr"]])
    func `preflight says that a program is not there`(arguments: [String]) {
        #expect(throws: ConsumerError.self) { try consumer(.run(Command(arguments: arguments))).preflight() }
        #expect(throws: ConsumerError.self) { try consumer(nil, confirm: Command(arguments: arguments)).preflight() }
    }

    @Test(.timeLimit(.minutes(5))) func `a signal reaches the process of the pid file`() async throws {
        let child = try Child(["/bin/sleep", "1000"])
        try folder.write("\(child.process)\n", to: "pid")
        let consumer = consumer(.signal(SIGKILL, pidFile: folder["pid"]))
        try consumer.preflight()
        try await consumer.take()
        #expect(child.waitForExit() == 128 + SIGKILL)
        // Nobody is there any more: it reads the new file when it starts.
        try await consumer.take()
        try FileManager.default.removeItem(atPath: folder["pid"])
        try consumer.preflight()
        try await consumer.take()
    }

    @Test(arguments: ["", "1", "0", "-5", "self", "12 34x", "99999999999", String(repeating: "1", count: 100)])
    func `a pid file that names nobody to signal is refused`(text: String) async throws {
        try folder.write(text == "self" ? "\(getpid())" : text, to: "pid")
        await #expect(throws: ConsumerError.self) { try await consumer(.signal(SIGURG, pidFile: folder["pid"])).take() }
    }

    @Test func `a pid file names only processes of its own owner`() async throws {
        let child = try Child(["/bin/sleep", "1000"])
        defer { child.send(SIGKILL) }
        try folder.write("\(child.process)", to: "pid")
        unsafe chown(folder["pid"], 1234, 1234)
        let consumer = consumer(.signal(SIGURG, pidFile: folder["pid"]))
        #expect(await complaint(consumer)?.contains("belongs to user 1234") == true)
        unsafe chown(folder["pid"], 0, 0)
        unsafe chmod(folder["pid"], 0o666)
        #expect(await complaint(consumer)?.contains("is no pid file") == true)
        #expect(throws: ConsumerError.self) { try self.consumer(.signal(65, pidFile: folder["pid"])).preflight() }
    }

    @Test(arguments: [Then.reload(unit: "webapp.service"), .restart(unit: "webapp.service")])
    func `units are refused with what to write instead`(then: Then) async {
        #expect(await complaint(consumer(then))?.contains("{run: [/usr/bin/systemctl, try-re") == true)
        #expect(throws: ConsumerError.self) { try consumer(then).preflight() }
    }
}
