import Foundation
import Glibc
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import KeyturnTestHost
import Testing

/// Rules that only the kernel can prove: the order of the calls, rights, mounts.
@Suite struct HostTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    @Test(.enabled(if: Rights.mayTrace, "strace is not installed"))
    func `owner and mode come before content, and both reach the disk around the rename`() throws {
        try folder.write("old", to: "token", mode: 0o640)
        let calls = "openat,fchown,fchmod,write,fsync,renameat,renameat2,unlinkat"
        try #require(try publishTraced(["-y", "-o", folder["trace"], "-e", "trace=\(calls)"]) == 0)
        #expect(try folder.text("token") == "new")
        let mine = try folder.text("trace").split(separator: "\n").filter { $0.contains(folder.path) && !$0.contains("trace") }
        let steps = mine.compactMap { line -> String? in
            if line.contains("O_EXCL") { return line.contains("O_NOFOLLOW") && line.contains("O_CLOEXEC, 000)") ? "create" : "create?" }
            let call = ["fchown(", "fchmod(", "write(", "fsync(", "renameat", "unlinkat("].first { line.contains($0) }
            guard let call else { return nil }
            if call == "unlinkat(", line.contains("ENOENT") { return nil }
            let isFolder = !line.contains(".keyturn-")
            return call == "fsync(" && isFolder ? "fsync folder" : String(call.prefix { $0.isLetter })
        }
        #expect(steps == ["create", "fchown", "fchmod", "write", "fsync", "renameat", "fsync folder"], "\(mine.joined(separator: "\n"))")
    }

    @Test(
        .enabled(if: Rights.mayTrace, "strace is not installed"),
        arguments: [("fchown", 1, "old"), ("fchmod", 1, "old"), ("fsync", 1, "old"), ("renameat", 1, "old"), ("fsync", 2, "new")])
    func `killed on the way it leaves the old file or the new one, and the next time clears up`(call: String, nth: Int, text: String) throws
    {
        try folder.write("old", to: "token", mode: 0o640)
        let killed = try publishTraced(["-o", "/dev/null", "-e", "trace=\(call)", "-e", "inject=\(call):signal=KILL:when=\(nth)"])
        #expect(killed == 128 + SIGKILL)
        #expect(try folder.text("token") == text)
        #expect(folder.names.count == (text == "old" ? 2 : 1))
        try delivery(folder["token"], .raw).publish("new")
        #expect(try folder.text("token") == "new")
        #expect(folder.names == ["token"])
    }

    /// The program that runs this test runs `publishes one file to be traced`, alone, under strace.
    private func publishTraced(_ options: [String]) throws -> Int32 {
        let arguments = [CommandLine.arguments[0], "--testing-library", "swift-testing", "--filter", "publishes one file to be traced"]
        let strace = try Child(
            ["/usr/bin/strace", "-f", "-qq", "-e", "signal=none"] + options + arguments,
            environment: ProcessInfo.processInfo.environment.merging(["KEYTURN_TRACED": folder["token"]]) { $1 })
        return strace.waitForExit()
    }

    @Test(.enabled(if: Rights.isRoot, "only root can become somebody else"))
    func `without the right to give a file away, preflight says so`() async throws {
        try folder.write("old", to: "token", mode: 0o644)
        unsafe chown(folder.path, 65534, 65534)
        let path = folder["token"]
        await #expect(processExitsWith: .success) { [path = path as String] in
            try #require(setgroups(0, nil) == 0 && setgid(65534) == 0 && setuid(65534) == 0)
            let target = delivery(path, .raw)
            #expect(
                target.complaint { try $0.preflight() }?.contains("cannot be given to user 0 and group 0: Operation not permitted") == true)
            #expect(target.complaint { try $0.publish("new") } != nil)
            // A new file of its own it may make, and give a mode.
            try delivery("\(path)-2", .raw, mode: 0o640).publish("new")
        }
        #expect(try folder.text("token") == "old")
        #expect(try Facts(folder["token-2"]).owner == 65534)
        #expect(folder.names == ["token", "token-2"])
    }

    @Test(.enabled(if: Rights.isRoot, "only root can become somebody else"))
    func `a file that cannot be read and a folder that cannot be written are errors of preflight`() async throws {
        try folder.write("KEY=old", to: "env", mode: 0o600)
        let path = folder.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            try #require(setgroups(0, nil) == 0 && setgid(65534) == 0 && setuid(65534) == 0)
            #expect(
                delivery("\(path)/env", .dotenv(key: "KEY")).complaint { try $0.preflight() }?.contains("cannot be read: Permission denied")
                    == true)
            #expect(
                delivery("\(path)/new", .raw).complaint { try $0.preflight() }?.contains("no file can be made beside it: Permission denied")
                    == true)
        }
    }

    @Test func `a full file system is an error of preflight`() throws {
        let mount = try Mount(at: folder["mount"], size: "128k")
        guard mount.isMounted else { try Test.cancel("no right to mount here") }
        try folder.write(String(repeating: "x", count: 100_000), to: "mount/filler")
        let target = delivery(folder["mount/token"], .raw)
        #expect(target.complaint { try $0.preflight() }?.contains("has no room for its new content: No space left on device") == true)
        #expect(
            target.complaint { try $0.publish(String(repeating: "x", count: 100_000)) }?.contains("No space left on device; free") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder["mount"]) == ["filler"])
    }

    @Test func `a read-only file system is an error of preflight`() throws {
        let mount = try Mount(at: folder["mount"], size: "128k", isReadOnly: true)
        guard mount.isMounted else { try Test.cancel("no right to mount here") }
        let target = delivery(folder["mount/token"], .raw)
        #expect(target.complaint { try $0.preflight() }?.contains("Read-only file system; deliver elsewhere") == true)
        #expect(target.complaint { try $0.publish("new") }?.hasPrefix(folder["mount/token"]) == true)
        try target.remove()
    }

    @Test func `an access ACL is carried over, one inherited from the folder is not`() throws {
        try folder.write("old", to: "token", mode: 0o640)
        // user::rw- user:1234:r-- group::r-- mask::r-- other::---
        let acl: [UInt8] =
            [2, 0, 0, 0] + entry(1, 6) + entry(2, 4, 1234) + entry(4, 4) + entry(16, 4) + entry(32, 0)
        guard setAttribute("system.posix_acl_access", acl, folder["token"]) else { try Test.cancel("the file system knows no ACL") }
        _ = setAttribute("system.posix_acl_default", acl, folder.path)
        try delivery(folder["token"], .raw).publish("new")
        #expect(attribute("system.posix_acl_access", folder["token"]) == acl)
        try delivery(folder["other"], .raw, mode: 0o640).publish("new")
        #expect(attribute("system.posix_acl_access", folder["other"]) == nil)
    }

    private func entry(_ tag: UInt8, _ bits: UInt8, _ id: Int? = nil) -> [UInt8] {
        let id: [UInt8] = id.map { [UInt8($0 & 255), UInt8($0 >> 8), 0, 0] } ?? [255, 255, 255, 255]
        return [tag, 0, bits, 0] + id
    }

    private func setAttribute(_ name: String, _ value: [UInt8], _ path: String) -> Bool {
        typealias Set = @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeRawPointer?, Int, Int32) -> Int32
        let set = unsafe unsafeBitCast(dlsym(nil, "setxattr"), to: Set.self)
        return unsafe set(path, name, value, value.count, 0) == 0
    }

    private func attribute(_ name: String, _ path: String) -> [UInt8]? {
        typealias Get = @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeMutableRawPointer?, Int) -> Int
        let get = unsafe unsafeBitCast(dlsym(nil, "getxattr"), to: Get.self)
        var value = [UInt8](repeating: 0, count: 1024)
        let count = unsafe get(path, name, &value, value.count)
        return count < 0 ? nil : Array(value[..<count])
    }
}

/// In no suite, so that it leaves no folder when it is killed.
@Test(.enabled(if: ProcessInfo.processInfo.environment["KEYTURN_TRACED"] != nil, "run by the tests above"))
func `publishes one file to be traced`() throws {
    try delivery(try #require(ProcessInfo.processInfo.environment["KEYTURN_TRACED"]), .raw).publish("new")
}
