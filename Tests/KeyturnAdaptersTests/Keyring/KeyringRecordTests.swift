import Foundation
import Glibc
import KeyturnAdapters
import KeyturnCore
import KeyturnEngine
import KeyturnTestHost
import Testing

/// Name, id and secret of a generation, kept until it is wiped.
struct `The keyring keeps records` {
    private let fixture: KeyringFixture
    private let keyring: KeyringFolder
    private let gateway = KeyringFixture.gateway

    init() throws {
        fixture = try KeyringFixture()
        keyring = try fixture.founded()
    }

    @Test(arguments: [nil, "a sealing key of 32 random bytes"], [nil, "key_123456"])
    func `what is put is there, for another process too`(sealKey: String?, id: String?) throws {
        let keyring = try fixture.open(sealKey)
        let secret = #"sk-"quoted"\back/slash'"#
        try keyring.reserve("prod-api-2026-11", of: gateway)
        try keyring.put("prod-api-2026-11", secret, id: id)
        for keyring in [keyring, try fixture.open(sealKey)] {
            #expect(try keyring.text("prod-api-2026-11") == secret)
            #expect(try keyring.id("prod-api-2026-11", of: gateway)?.text == id)
            #expect(try keyring.names(of: gateway) == ["prod-api-2026-11"])
            try keyring.check()
        }
        #expect(fixture.names == ["host.key", "laozhang~prod-api-2026-11.key"])
        let stored = try Data(contentsOf: URL(filePath: fixture.file("prod-api-2026-11")))
        #expect((stored.range(of: Data("quoted".utf8)) == nil) == (sealKey != nil))
    }

    @Test func `an id that is learnt later is kept over the record`() throws {
        try keyring.put("g", "sk-one", id: nil)
        try keyring.put("g", "sk-one", id: "key_1")
        #expect(try keyring.id("g", of: gateway)?.text == "key_1")
        #expect(try keyring.text("g") == "sk-one")
    }

    @Test func `gateways do not see each other's records`() throws {
        let other = GatewayName("laozhang-2")
        try keyring.put("g", "sk-one")
        try keyring.put("g", of: other, id: nil, secret: Secret("sk-two"))
        #expect(try keyring.text("g") == "sk-one")
        #expect(try keyring.text("g", of: other) == "sk-two")
        #expect(try keyring.names(of: gateway) == ["g"])
        #expect(try keyring.names(of: GatewayName("laozhan")) == [])
        try keyring.wipe("g", of: other)
        #expect(try keyring.text("g") == "sk-one")
    }

    @Test func `a single record that is missing from a whole keyring is nil, and its wiping is nothing`() throws {
        #expect(try keyring.text("never") == nil)
        #expect(try keyring.id("never", of: gateway) == nil)
        try keyring.wipe("never", of: gateway)
        try keyring.release("never", of: gateway)
    }

    @Test func `files are their owner's alone in a folder that is too, whatever the umask`() async throws {
        let path = fixture.folder["open"]
        await #expect(processExitsWith: .success) { [path = path as String] in
            umask(0)
            let keyring = try KeyringFolder(path: path, sealKey: nil, belongs: { nil }, claim: { _ in })
            try keyring.found()
            try keyring.reserve("g", of: KeyringFixture.gateway)
            #expect(try Facts("\(path)/laozhang~g.key.new").mode == 0o600)
            try keyring.put("g", "sk-one")
            #expect(try Facts(path).mode == 0o700)
            for file in ["host.key", "laozhang~g.key"] { #expect(try Facts("\(path)/\(file)").mode == 0o600) }
        }
    }

    @Test func `wiping overwrites, then removes, what a dead process left of it included`() throws {
        try keyring.put("g", "sk-a-secret-to-go")
        let left = fixture.file("g") + ".new"
        try Data("sk-a-secret-on-its-way".utf8).write(to: URL(filePath: left))
        // The same bytes under a name that stays.
        for (file, other) in [(fixture.file("g"), "one"), (left, "two")] { try #require(unsafe link(file, fixture.folder[other]) == 0) }
        try keyring.wipe("g", of: gateway)
        #expect(fixture.names == ["host.key"])
        #expect(try keyring.text("g") == nil)
        for other in ["one", "two"] {
            let bytes = try Data(contentsOf: URL(filePath: fixture.folder[other]))
            #expect(!bytes.isEmpty && bytes.allSatisfy { $0 == 0 })
        }
    }

    @Test func `a reservation is no record, takes room, and is given up whole`() throws {
        try keyring.reserve("g", of: gateway)
        #expect(try keyring.names(of: gateway) == [])
        #expect(try keyring.text("g") == nil)
        let left = fixture.file("g") + ".new"
        let size = (try FileManager.default.attributesOfItem(atPath: left)[.size] as? NSNumber)?.intValue
        #expect(size == 16384)
        // A secret that was on its way when the process died is overwritten, too.
        try Data("sk-a-secret-on-its-way".utf8).write(to: URL(filePath: left))
        try #require(unsafe link(left, fixture.folder["other"]) == 0)
        try keyring.release("g", of: gateway)
        #expect(fixture.names == ["host.key"])
        #expect(try Data(contentsOf: URL(filePath: fixture.folder["other"])).allSatisfy { $0 == 0 })
    }

    @Test func `the longest secret of a gateway fits into its reservation, sealed, and comes back`() throws {
        let keyring = try fixture.open("a sealing key of 32 random bytes")
        let name = String(repeating: "n", count: 180)
        // Each sign takes two in JSON.
        let secret = String(repeating: #"\"#, count: 4096)
        try keyring.put(name, secret, id: String(repeating: "i", count: 200))
        #expect(try keyring.text(name) == secret)
        let size = (try FileManager.default.attributesOfItem(atPath: fixture.file(name))[.size] as? NSNumber)?.intValue ?? .max
        #expect(size < 16384)
    }

    @Test func `a full disk is found when room is made, before anything is created for it`() throws {
        let mount = try Mount(at: fixture.folder["mount"], size: "64k")
        guard mount.isMounted else { try Test.cancel("no right to mount here") }
        fixture.forget()
        let keyring = try fixture.open(at: fixture.folder["mount/keys"])
        try keyring.found()
        try fixture.folder.write(String(repeating: "x", count: 48_000), to: "mount/filler")
        let complaint = keyring.complaint { keyring in try keyring.reserve("g", of: KeyringFixture.gateway) }
        #expect(complaint?.contains("No space left on device: make room on the disk") == true, "\(complaint ?? "nothing")")
        #expect(complaint?.contains(fixture.folder["mount/keys"]) == true)
        // With room it is kept, and once reserved it can be put however full the disk is.
        try FileManager.default.removeItem(atPath: fixture.folder["mount/filler"])
        try keyring.reserve("g", of: gateway)
        #expect(throws: (any Error).self) { try fixture.folder.write(String(repeating: "x", count: 60_000), to: "mount/filler") }
        try keyring.put("g", "sk-one", id: "key_1")
        #expect(try keyring.text("g") == "sk-one")
    }

    @Test(arguments: [
        "", ".", "..", "a/b", "../../etc/passwd", "a b", "a\nb", "a\u{0}b", "gäste", "a~b", "\u{202E}txt",
        String(repeating: "x", count: 300),
    ])
    func `a name that is no file's is refused, everywhere`(name: String) throws {
        let attempts: [(KeyringFolder) throws -> Void] = [
            { keyring in try keyring.reserve(name, of: KeyringFixture.gateway) },
            { keyring in try keyring.put(name, "sk-one") },
            { keyring in _ = try keyring.text(name) },
            { keyring in _ = try keyring.id(name, of: KeyringFixture.gateway) },
            { keyring in try keyring.release(name, of: KeyringFixture.gateway) },
            { keyring in try keyring.wipe(name, of: KeyringFixture.gateway) },
        ]
        // One or two dots are the name of a plain file here: the gateway's name stands before them.
        guard name != ".", name != ".." else {
            for attempt in attempts { #expect(keyring.complaint(attempt) == nil) }
            #expect(fixture.names == ["host.key"] && fixture.folder.names == ["keys"])
            return
        }
        for attempt in attempts {
            let complaint = try #require(keyring.complaint(attempt))
            #expect(complaint.hasSuffix("is no name for a generation"))
            #expect(!complaint.contains { $0.isNewline || $0 == "\u{0}" || $0 == "\u{202E}" } && complaint.unicodeScalars.count < 300)
        }
        #expect(fixture.names == ["host.key"])
        #expect(fixture.folder.names == ["keys"])
    }

    @Test func `a secret that is no text is refused, not changed on the way`() throws {
        let complaint = keyring.complaint { keyring in
            try keyring.put("g", of: KeyringFixture.gateway, id: nil, secret: Secret(bytes: [0x73, 0xff, 0xfe]))
        }
        #expect(complaint == "the secret of g is no text")
        #expect(fixture.names == ["host.key"])
    }

    @Test(.enabled(if: Rights.mayTrace, "strace is not installed"))
    func `the content is on the disk before the name, and the name before put returns`() throws {
        let arguments = [CommandLine.arguments[0], "--testing-library", "swift-testing", "--filter", "keeps one secret to be traced"]
        let strace = try Child(
            [
                "/usr/bin/strace", "-f", "-qq", "-y", "-e", "signal=none", "-o", fixture.folder["trace"], "-e",
                "trace=write,ftruncate,fsync,rename,renameat,renameat2",
            ] + arguments,
            environment: ProcessInfo.processInfo.environment.merging(["KEYTURN_TRACED_KEYRING": fixture.folder["traced"]]) { $1 })
        try #require(strace.waitForExit() == 0)
        let lines = try fixture.folder.text("trace").split(separator: "\n").filter { $0.contains(fixture.folder["traced"]) }
        let steps = lines.compactMap { line -> String? in
            guard line.contains("laozhang~g.key") || line.contains("traced>") else { return nil }
            guard let call = ["write(", "ftruncate(", "fsync(", "rename"].first(where: line.contains) else { return nil }
            return call == "fsync(" && line.contains("traced>") ? "fsync folder" : String(call.prefix { $0.isLetter })
        }
        #expect(Array(steps.suffix(5)) == ["write", "ftruncate", "fsync", "rename", "fsync folder"], "\(lines.joined(separator: "\n"))")
    }

    @Test func `a fingerprint is 12 hex digits, the same each time, and another under another host's key`() throws {
        let fingerprint = try keyring.fingerprint(Secret("sk-one"))
        #expect(fingerprint.count == 12 && fingerprint.allSatisfy { "0123456789abcdef".contains($0) })
        #expect(try keyring.fingerprint(Secret("sk-one")) == fingerprint)
        #expect(try fixture.open().fingerprint(Secret("sk-one")) == fingerprint)
        #expect(try keyring.fingerprint(Secret("sk-onf")) != fingerprint)
        #expect(try KeyringFixture().founded().fingerprint(Secret("sk-one")) != fingerprint)
    }

    @Test func `a fingerprint is the beginning of HMAC-SHA-256`() throws {
        try Data((0..<32).map { UInt8($0) }).write(to: URL(filePath: fixture.path + "/host.key"))
        // printf %s sk-one | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102...1f
        let printed = try shell("printf %s sk-one | openssl dgst -sha256 -mac HMAC -macopt hexkey:$(seq 0 31 | xargs printf %02x)")
        let digest = String(decoding: printed, as: UTF8.self).split(separator: " ").last.map { String($0.prefix(12)) }
        #expect(try keyring.fingerprint(Secret("sk-one")) == digest)
    }
}

/// In no suite, so that it leaves no folder behind.
@Test(.enabled(if: ProcessInfo.processInfo.environment["KEYTURN_TRACED_KEYRING"] != nil, "run by the tests above"))
func `keeps one secret to be traced`() throws {
    let path = try #require(ProcessInfo.processInfo.environment["KEYTURN_TRACED_KEYRING"])
    let keyring = try KeyringFolder(path: path, sealKey: nil, belongs: { nil }, claim: { _ in })
    try keyring.found()
    try keyring.reserve("g", of: KeyringFixture.gateway)
    try keyring.put("g", "sk-one")
}
