import Foundation
import Glibc
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import Testing

/// While the keyring is unknown nothing may be created or revoked; so it must never look empty.
struct `An unknown keyring is not an empty one` {
    private let fixture: KeyringFixture
    private let gateway = KeyringFixture.gateway
    init() throws { fixture = try KeyringFixture() }

    private static let sealKey = "a sealing key of 32 random bytes"

    /// Checking, a record that is there no more, the list of names: each says the same.
    private func complaints(_ keyring: KeyringFolder) -> [String?] {
        [
            keyring.complaint { keyring in try keyring.check() },
            keyring.complaint { keyring in _ = try keyring.text("not-there") },
            keyring.complaint { keyring in _ = try keyring.names(of: KeyringFixture.gateway) },
        ]
    }

    private func change(_ file: String, _ body: (inout Data) -> Void) throws {
        var bytes = try Data(contentsOf: URL(filePath: file))
        body(&bytes)
        try bytes.write(to: URL(filePath: file))
    }

    @Test func `a folder that is gone`() throws {
        let keyring = try fixture.founded()
        try keyring.put("g", "sk-one")
        try FileManager.default.moveItem(atPath: fixture.path, toPath: fixture.folder["elsewhere"])
        for complaint in complaints(keyring) {
            #expect(complaint?.contains(fixture.path) == true && complaint?.contains("missing") == true)
        }
        // It is never made anew for a journal that knows one.
        try keyring.found()
        #expect(fixture.names.isEmpty)
        #expect(keyring.complaint { keyring in try keyring.reserve("g", of: KeyringFixture.gateway) } != nil)
    }

    @Test func `a folder without its host.key, and one with a part of it`() throws {
        let keyring = try fixture.founded()
        try keyring.put("g", "sk-one")
        try change(fixture.path + "/host.key") { $0.removeLast() }
        for complaint in complaints(keyring) { #expect(complaint?.contains("host.key is damaged: restore it from a backup") == true) }
        try FileManager.default.removeItem(atPath: fixture.path + "/host.key")
        for complaint in complaints(keyring) {
            #expect(
                complaint?.hasPrefix("\(fixture.path)/host.key is missing") == true
                    && complaint?.contains("restore it from a backup") == true)
        }
        #expect(keyring.complaint { keyring in _ = try keyring.fingerprint(Secret("sk-one")) } != nil)
    }

    @Test func `another journal's keyring`() throws {
        let keyring = try fixture.founded()
        let other = try KeyringFixture()
        try other.founded().put("g", "sk-other")
        try FileManager.default.removeItem(atPath: fixture.path)
        try FileManager.default.copyItem(atPath: other.path, toPath: fixture.path)
        for complaint in complaints(keyring) { #expect(complaint?.contains("belongs to another journal") == true) }
    }

    @Test func `one that was never set up`() throws {
        let keyring = try fixture.open()
        for complaint in complaints(keyring) { #expect(complaint == "the keyring \(fixture.path) was never set up") }
    }

    @Test func `records beside a journal that is new: the journal was lost, and the tokens must not be`() throws {
        try fixture.founded().put("g", "sk-one")
        fixture.forget()
        let keyring = try fixture.open()
        let complaint = keyring.complaint { keyring in try keyring.found() }
        #expect(complaint?.contains("\(fixture.path) holds 1 secrets of a journal that is gone: restore journal.db") == true)
        // Without records there is nothing to lose: a process died between the making and the claim.
        try keyring.wipe("g", of: gateway)
        try keyring.found()
        try keyring.check()
    }

    @Test func `a sealed one without its key`() throws {
        try fixture.founded(Self.sealKey).put("g", "sk-one")
        let keyring = try fixture.open()
        for complaint in complaints(keyring).prefix(2) {
            #expect(complaint?.contains("is sealed and the credential keyring-key is not given: add it to the unit, and restart") == true)
        }
        #expect(keyring.complaint { keyring in _ = try keyring.text("g") }?.contains("is sealed") == true)
    }

    @Test func `a sealed one with another key`() throws {
        try fixture.founded(Self.sealKey).put("g", "sk-one")
        let keyring = try fixture.open("another sealing key, as long")
        for complaint in complaints(keyring).prefix(2) {
            #expect(complaint?.contains("cannot be unsealed: the credential keyring-key is another one") == true)
        }
        #expect(keyring.complaint { keyring in _ = try keyring.text("g") }?.contains("cannot be unsealed") == true)
    }

    @Test func `a key that is too short to be one is refused at once`() throws {
        #expect(throws: KeyringError("the credential keyring-key is shorter than 16 bytes")) { try fixture.open("short") }
    }

    @Test func `sealing may begin later: what lies there open can still be read`() throws {
        try fixture.founded().put("old", "sk-old")
        let keyring = try fixture.open(Self.sealKey)
        try keyring.put("new", "sk-new")
        try keyring.check()
        #expect(try keyring.text("old") == "sk-old")
        #expect(try keyring.text("new") == "sk-new")
    }

    @Test func `a single damaged record is its own trouble, sealed or not`() throws {
        for sealKey in [nil, Self.sealKey] {
            let fixture = try KeyringFixture()
            let keyring = try fixture.founded(sealKey)
            try keyring.put("g", "sk-one")
            try keyring.put("h", "sk-two")
            try change(fixture.file("g")) { $0[$0.count / 2] ^= 1 }
            let complaint = keyring.complaint { keyring in
                // Open, a changed byte may lie in the secret itself, where nothing can see it; so it is made no JSON.
                if sealKey == nil { try? Data("{".utf8).write(to: URL(filePath: fixture.file("g"))) }
                _ = try keyring.text("g")
            }
            #expect(complaint?.contains(fixture.file("g")) == true)
            #expect(try keyring.text("h") == "sk-two")
            try keyring.check()
        }
    }

    @Test func `every changed byte of a sealed record is noticed`() throws {
        let keyring = try fixture.founded(Self.sealKey)
        try keyring.put("g", "sk-one", id: "key_1")
        let count = try Data(contentsOf: URL(filePath: fixture.file("g"))).count
        for place in 0..<count {
            try change(fixture.file("g")) { $0[place] ^= 0x01 }
            #expect(keyring.complaint { keyring in _ = try keyring.text("g") } != nil, "byte \(place)")
            try change(fixture.file("g")) { $0[place] ^= 0x01 }
        }
        #expect(try keyring.text("g") == "sk-one")
        for length in 0..<count {
            let whole = try Data(contentsOf: URL(filePath: fixture.file("g")))
            try whole.prefix(length).write(to: URL(filePath: fixture.file("g")))
            #expect(keyring.complaint { keyring in _ = try keyring.text("g") } != nil, "\(length) bytes")
            try whole.write(to: URL(filePath: fixture.file("g")))
        }
    }

    @Test(arguments: [nil, sealKey])
    func `two records that were swapped are refused`(sealKey: String?) throws {
        let keyring = try fixture.founded(sealKey)
        try keyring.put("g", "sk-one")
        try keyring.put("h", "sk-two")
        try FileManager.default.moveItem(atPath: fixture.file("g"), toPath: fixture.folder["g"])
        try FileManager.default.moveItem(atPath: fixture.file("h"), toPath: fixture.file("g"))
        try FileManager.default.moveItem(atPath: fixture.folder["g"], toPath: fixture.file("h"))
        for name in ["g", "h"] { #expect(keyring.complaint { keyring in _ = try keyring.text(name) } != nil) }
    }

    @Test func `a record that was moved to another gateway is refused`() throws {
        let keyring = try fixture.founded(Self.sealKey)
        try keyring.put("g", "sk-one")
        try FileManager.default.moveItem(atPath: fixture.file("g"), toPath: fixture.path + "/other~g.key")
        #expect(keyring.complaint { keyring in _ = try keyring.text("g", of: GatewayName("other")) }?.contains("is damaged") == true)
    }

    @Test func `a link in the place of a record, a folder, and a file without end are no records`() throws {
        let keyring = try fixture.founded()
        try fixture.folder.write("{}", to: "elsewhere")
        try FileManager.default.createSymbolicLink(atPath: fixture.file("link"), withDestinationPath: fixture.folder["elsewhere"])
        try FileManager.default.createDirectory(atPath: fixture.file("folder"), withIntermediateDirectories: false)
        try Data(count: 70_000).write(to: URL(filePath: fixture.file("large")))
        try #require(unsafe mkfifo(fixture.file("pipe"), 0o600) == 0)
        for name in ["link", "folder", "large", "pipe"] {
            #expect(keyring.complaint { keyring in _ = try keyring.text(name) }?.contains(fixture.file(name)) == true, "\(name)")
        }
        #expect(keyring.complaint { keyring in try keyring.wipe("link", of: KeyringFixture.gateway) } != nil)
        #expect(try fixture.folder.text("elsewhere") == "{}")
    }

    @Test func `a folder that is open to others, or no folder, is not taken`() throws {
        try FileManager.default.createDirectory(
            atPath: fixture.path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o755])
        let keyring = try fixture.open()
        let open = keyring.complaint { keyring in try keyring.found() }
        #expect(open == "\(fixture.path) is open to others: chmod 0700 it")
        try FileManager.default.removeItem(atPath: fixture.path)
        try fixture.folder.write("", to: "keys")
        #expect(keyring.complaint { keyring in try keyring.found() } == "\(fixture.path) is not a folder")
    }

    @Test func `two processes that found it at the same moment found one keyring`() throws {
        for _ in 0..<20 {
            let fixture = try KeyringFixture()
            DispatchQueue.concurrentPerform(iterations: 4) { _ in
                do {
                    let keyring = try fixture.founded()
                    try keyring.check()
                } catch { Issue.record("\(error)") }
            }
            #expect(fixture.names == ["host.key"])
        }
    }
}
