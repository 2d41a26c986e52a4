import Foundation
import Glibc
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Testing

@Suite struct AtomicFileTests {
    let folder: TestFolder
    init() throws { folder = try TestFolder() }

    @Test func `a new file is the daemon's alone`() throws {
        let target = delivery(folder["token"], .raw)
        try target.preflight()
        #expect(folder.names == [])
        #expect(try target.publishedText() == nil)
        try target.publish("sk-one")
        #expect(try folder.text("token") == "sk-one")
        #expect(try Facts(folder["token"]).mode == 0o600)
        #expect(folder.names == ["token"])
        #expect(try target.publishedText() == "sk-one")
        #expect(try target.holds("sk-one"))
        #expect(try !target.holds("sk-two"))
    }

    @Test func `an existing file keeps its owner, group and mode`() throws {
        try folder.write("old", to: "token", mode: 0o640)
        unsafe chown(folder["token"], 1234, 2345)
        try delivery(folder["token"], .raw).publish("new")
        let facts = try Facts(folder["token"])
        #expect((facts.owner, facts.group, facts.mode) == (1234, 2345, 0o640))
    }

    @Test func `what the policy names wins, by name or number`() throws {
        try folder.write("old", to: "token", mode: 0o600)
        try delivery(folder["token"], .raw, owner: "nobody", group: "4321", mode: 0o440).publish("old")
        let facts = try Facts(folder["token"])
        #expect((facts.owner, facts.group, facts.mode) == (65534, 4321, 0o440))
    }

    @Test func `what is right already is not written again`() throws {
        let target = delivery(folder["token"], .raw)
        try target.publish("same")
        let before = try Facts(folder["token"])
        try target.publish("same")
        #expect(try Facts(folder["token"]) == before)
        try target.publish("other")
        #expect(try Facts(folder["token"]).inode != before.inode)
    }

    @Test(arguments: ["owner", "group"]) func `a name that nobody has is an error of preflight`(kind: String) throws {
        let target = delivery(folder["token"], .raw, owner: kind == "owner" ? "no-such" : nil, group: kind == "group" ? "no-such" : nil)
        let text = try #require(target.complaint { try $0.preflight() })
        #expect(text.contains("no \(kind == "owner" ? "user" : "group") 'no-such'"))
    }

    @Test func `leftovers of a killed process are cleared, and nothing else`() throws {
        for name in [".token.keyturn-0123abcd", ".token.keyturn-short", ".other.keyturn-0123abcd", ".token.keyturn-ffffffff"] {
            try folder.write("half", to: name)
        }
        unsafe chown(folder[".token.keyturn-ffffffff"], 1234, 1234)
        unsafe symlink("/etc/passwd", folder[".token.keyturn-eeeeeeee"])
        try delivery(folder["token"], .raw).publish("new")
        #expect(
            folder.names == [
                ".other.keyturn-0123abcd", ".token.keyturn-eeeeeeee", ".token.keyturn-ffffffff", ".token.keyturn-short", "token",
            ])
    }

    @Test func `a leftover with another secret is cleared even where nothing has to be written`() throws {
        try delivery(folder["token"], .raw).publish("same")
        try folder.write("another", to: ".token.keyturn-0123abcd")
        try delivery(folder["token"], .raw).publish("same")
        #expect(folder.names == ["token"])
    }

    @Test func `a symbolic link is followed inside its folder and stays`() throws {
        try folder.write("old", to: "real")
        unsafe symlink("real", folder["second"])
        unsafe symlink("\(folder.path)/second", folder["first"])
        try delivery(folder["first"], .raw).publish("new")
        #expect(try folder.text("real") == "new")
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: folder["first"]) == "\(folder.path)/second")
        #expect(folder.names == ["first", "real", "second"])
    }

    @Test(arguments: ["/etc/passwd", "../x", "sub/x", "..", "loop"]) func `a link out of its folder is refused, and a loop`(to: String)
        throws
    {
        unsafe symlink(to, folder["loop"])
        let target = delivery(folder["loop"], .raw)
        #expect(target.complaint { try $0.preflight() }?.contains("symbolic link") == true)
        #expect(target.complaint { try $0.publish("new") }?.contains("symbolic link") == true)
    }

    @Test func `a link that another user put on the way is refused`() throws {
        try FileManager.default.createDirectory(atPath: folder["real"], withIntermediateDirectories: false)
        unsafe symlink(folder["real"], folder["way"])
        try delivery(folder["way/token"], .raw).publish("new")
        #expect(try folder.text("real/token") == "new")
        unsafe lchown(folder["way"], 1234, 1234)
        #expect(delivery(folder["way/token"], .raw).complaint { try $0.publish("x") }?.contains("name the real path") == true)
    }

    @Test func `hard links, fifos and folders are refused without waiting`() throws {
        try folder.write("old", to: "one")
        unsafe link(folder["one"], folder["two"])
        unsafe mkfifo(folder["fifo"], 0o600)
        try FileManager.default.createDirectory(atPath: folder["folder"], withIntermediateDirectories: false)
        #expect(delivery(folder["one"], .raw).complaint { try $0.publish("new") }?.contains("2 hard links") == true)
        for name in ["fifo", "folder"] {
            #expect(delivery(folder[name], .raw).complaint { try $0.preflight() }?.contains("no regular file") == true)
        }
        #expect(delivery("/dev/null", .raw).complaint { try $0.preflight() }?.contains("no regular file") == true)
    }

    @Test func `a folder that everyone may write is refused, a sticky one trusts no stranger's file`() throws {
        unsafe chmod(folder.path, 0o777)
        #expect(delivery(folder["token"], .raw).complaint { try $0.preflight() }?.contains("everyone may rename") == true)
        unsafe chmod(folder.path, 0o1777)
        try delivery(folder["token"], .raw).publish("new")
        unsafe chown(folder["token"], 1234, 1234)
        #expect(delivery(folder["token"], .raw).complaint { try $0.publish("newer") }?.contains("user 1234 did") == true)
        try delivery(folder["token"], .raw, owner: "1234").publish("newer")
    }

    @Test func `a file beyond 16 MiB is refused`() throws {
        try folder.write("", to: "big")
        unsafe truncate(folder["big"], 16 << 20 + 1)
        #expect(delivery(folder["big"], .raw).complaint { try $0.preflight() }?.contains("larger than 16 MiB") == true)
    }

    @Test(arguments: [
        ("/proc/token", "/proc/token"), ("missing/token", "create its folder"), ("plain/token", "no folder"), ("token/", "names no file"),
    ])
    func `preflight names the path and what helps`(path: String, says: String) throws {
        try folder.write("", to: "plain")
        let path = path.hasPrefix("/") ? path : folder[path]
        let text = try #require(delivery(path, .raw).complaint { try $0.preflight() })
        #expect(text.contains(says))
        #expect(text.hasPrefix(path))
        #expect(delivery("relative", .raw).complaint { try $0.preflight() }?.contains("whole path") == true)
    }

    @Test func `removing what is not there is fine`() throws {
        for format in [Format.raw, .dotenv(key: "KEY"), .json(pointer: "/a/b"), .template(.text("{{secret}}"))] {
            try delivery(folder["absent"], format).remove()
            try delivery(folder["missing/absent"], format).remove()
        }
        #expect(folder.names == [])
        try delivery(folder["token"], .raw).publish("x")
        try delivery(folder["token"], .raw).remove()
        #expect(folder.names == [])
    }

    @Test func `two variables of one file that are written at once both arrive`() async throws {
        let path = folder["env"]
        try await withThrowingTaskGroup { group in
            for number in 0..<20 {
                group.addTask { try delivery(path, .dotenv(key: "KEY_\(number)")).publish("value\(number)") }
            }
            try await group.waitForAll()
        }
        let lines = try folder.text("env").split(separator: "\n").map(String.init)
        #expect(Set(lines) == Set((0..<20).map { "KEY_\($0)=value\($0)" }))
        #expect(folder.names == ["env"])
    }

    @Test func `no error shows content`() throws {
        try folder.write("{\"a\": sk-hidden}", to: "json")
        try folder.write("KEY=\"sk-hidden", to: "env")
        for target in [delivery(folder["json"], .json(pointer: "/a")), delivery(folder["env"], .dotenv(key: "KEY"))] {
            let text = try #require(target.complaint { try $0.publish("sk-hidden-too") })
            #expect(!text.contains("hidden"))
        }
    }
}
