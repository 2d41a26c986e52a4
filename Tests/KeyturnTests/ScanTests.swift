import Foundation
import Glibc
import KeyturnSandbox
import KeyturnTestHost
import Testing

/// `scan` through the real executable: what it finds, what it says of it, and what it survives.
struct ScanTests {
    private static let token = "test-webapp-api"

    private struct Report: Decodable {
        struct Place: Decodable {
            var file: String
            var member: String?
            var line: Int
            var times: Int
            var object: String?
            var commit: String?
            var path: String?
        }

        struct Find: Decodable {
            var token: String
            var environment: String
            var generation: String
            var fingerprint: String
            var state: String
            var alive: Bool
            var expected: Bool
            var place: Place
        }

        struct Unknown: Decodable {
            var masked: String
            var length: Int?
            var place: Place
        }

        struct NotScanned: Decodable {
            var troubles: [String]
            var trouble_count: Int
            var histories: [String]
            var links: Int
            var special: Int
        }

        var finds: [Find]
        var unknown: [Unknown]
        var not_scanned: NotScanned

        /// Where secrets of ours are that should not be there.
        var surprises: [Find] { finds.filter { !$0.expected } }
    }

    /// A host whose token has an old, revoked generation and a new one, both secrets at hand.
    private static func rotated(_ body: (Account, _ old: SandboxToken, _ new: SandboxToken) async throws -> Void) async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            #expect(try await host.run("daemon", "--once").code == 0)
            #expect(try await host.run("rotate", token).code == 0)
            try await until("the first generation is revoked") {
                _ = try await host.run("daemon", "--once")
                return account.generations(of: token).count == 2 && account.living.count == 1
            }
            let generations = account.generations(of: token)
            try FileManager.default.createDirectory(atPath: host.path("tree/sub"), withIntermediateDirectories: true)
            try await body(account, generations[0], generations[1])
        }
    }

    private static func scan(_ host: Host, _ arguments: String..., code: Int32) async throws -> Report {
        let child = try host.start(["scan", "--json"] + arguments)
        let ended = try await child.ended()
        let run = Run(code: ended, output: child.written, errors: child.complained)
        #expect(run.code == code, "\(run)")
        return try run.json(Report.self)
    }

    /// Runs another program to its end in the folder `tree`.
    private static func tool(_ host: Host, _ words: String...) async throws {
        let who = ["GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@x", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@x"]
        let environment = ["PATH": "/usr/bin:/bin", "HOME": host.folder, "GIT_CONFIG_NOSYSTEM": "1"].merging(who) { $1 }
        let child = try Child(words, environment: environment, folder: host.path("tree"), output: host.path("output/tool"))
        guard try await child.ended() == 0 else { throw Unexpected("\(words): \(child.said)") }
    }

    private static func git(_ host: Host, _ words: String) async throws {
        try await tool(host, "/bin/sh", "-c", "git -c init.defaultBranch=main -c protocol.file.allow=always \(words)")
    }

    @Test func `files: generation, alive or not, file and line; what is none of ours is masked`() async throws {
        try await Self.rotated { account, old, new in
            let host = account.host
            let stranger = "sk-" + String(repeating: "aB3dE6gH9k", count: 4)
            try host.write("# notes\n\nold = \(old.secret)\nnew='\(new.secret)' again \(new.secret)\n", to: "tree/sub/notes.txt")
            try host.write("KEY=\(stranger)\n", to: "tree/other.env")
            let report = try await Self.scan(host, host.path("tree"), code: 1)
            #expect(report.surprises.map(\.generation) == [old.name, new.name])
            #expect(report.surprises.map(\.alive) == [false, true])
            #expect(report.surprises.map(\.state) == ["revoked", "held"])
            #expect(report.surprises.map(\.place.line) == [3, 4])
            #expect(report.surprises.map(\.place.times) == [1, 2])
            #expect(
                report.surprises.allSatisfy {
                    $0.token == Self.token && $0.environment == "test" && $0.place.file.hasSuffix("/tree/sub/notes.txt")
                })
            #expect(report.unknown.map(\.masked) == ["sk-aB3***9k"])
            #expect(report.unknown.map(\.length) == [43])

            let text = try await host.run("scan", host.path("tree"))
            #expect(text.code == 1)
            #expect(
                text.lines.contains {
                    $0.contains(new.name) && $0.contains("alive") && $0.hasSuffix("tree/sub/notes.txt:4 and 1 more there")
                }, "\(text)")
            #expect(text.lines.contains { $0.contains(old.name) && $0.contains("revoked") })
            #expect(text.lines.contains { $0.contains("sk-aB3***9k (43 characters)") && $0.hasSuffix("/tree/other.env:1") })
            for secret in [old.secret, new.secret, stranger] { #expect(!host.said.contains(secret)) }
        }
    }

    @Test func `the keyring and the target are expected, a copy of the target is not, and nothing found ends with 0`() async throws {
        try await Self.rotated { account, old, new in
            let host = account.host
            let quiet = try await Self.scan(host, host.path("state"), host.path("targets"), code: 0)
            #expect(quiet.finds.count == 2 && quiet.surprises.isEmpty, "\(quiet)")
            try host.write("a\(new.secret)\n", to: "targets/token.bak", mode: 0o600)
            let copied = try await Self.scan(host, host.path("targets"), code: 1)
            #expect(copied.surprises.map(\.place.file) == [host.path("targets/token.bak")])
            // What was delivered there before is no longer expected there.
            try host.write(old.secret, to: "targets/token", mode: 0o600)
            #expect(try await Self.scan(host, host.path("targets/token"), code: 1).surprises.map(\.generation) == [old.name])
            #expect(try await host.run("scan", host.path("policies")).code == 0)
        }
    }

    @Test func `a target without a policy's ignore, and a copy beside it, are findings of the daemon until they are mended`() async throws {
        try await Self.rotated { account, _, new in
            let host = account.host
            try host.write(new.secret, to: "targets/token.old", mode: 0o600)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: host.path("targets/token"))
            let check = try await host.run("check")
            #expect(check.code == 0)
            #expect(check.output.contains("targets/token is readable by everybody: chmod o-r it"), "\(check)")
            #expect(check.output.contains("targets/token.old is a copy of it and holds the secret of \(new.name)"), "\(check)")
            _ = try await host.run("daemon", "--once")
            let status = try await host.run("status")
            #expect(status.output.contains("exposed-target: \(host.path("targets/token")) is readable by everybody"), "\(status)")
            #expect(status.output.contains("stray-copy: \(host.path("targets/token.old"))"))
            try FileManager.default.removeItem(atPath: host.path("targets/token.old"))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: host.path("targets/token"))
            _ = try await host.run("daemon", "--once")
            let mended = try await host.run("status")
            #expect(!mended.output.contains("exposed-target") && !mended.output.contains("stray-copy"), "\(mended)")
        }
    }

    @Test func `archives of text, compressed files and standard input, with the member`() async throws {
        try await Self.rotated { account, _, new in
            let host = account.host
            try host.write("x\nKEY=\(new.secret)\n", to: "tree/sub/a.env")
            try await Self.tool(host, "/usr/bin/tar", "-cf", "../plain.tar", "sub")
            try await Self.tool(host, "/usr/bin/tar", "-czf", "../packed.tar.gz", "sub")
            try await Self.tool(host, "/usr/bin/tar", "-cJf", "../packed.tar.xz", "sub")
            try await Self.tool(host, "/usr/bin/python3", "-m", "zipfile", "-c", "../packed.zip", "sub/a.env")
            try await Self.tool(host, "/usr/bin/gzip", "-k", "sub/a.env")
            for (archive, member) in [
                ("plain.tar", "sub/a.env"), ("packed.tar.gz", "sub/a.env"), ("packed.tar.xz", "sub/a.env"), ("packed.zip", "a.env"),
            ] {
                let finds = try await Self.scan(host, host.path(archive), code: 1).surprises
                #expect(finds.map(\.generation) == [new.name], "\(archive)")
                #expect(finds.first?.place.member?.hasSuffix(member) == true && finds.first?.place.line == 2, "\(archive): \(finds)")
            }
            let alone = try await Self.scan(host, host.path("tree/sub/a.env.gz"), code: 1).surprises
            #expect(alone.map(\.place.line) == [2] && alone.first?.place.member == nil)
            for file in ["tree/sub/a.env", "packed.tar.gz"] {
                let piped = try await host.run("scan", "-", under: ["/bin/sh", "-c", "cat \(host.path(file)) | \"$0\" \"$@\""])
                #expect(piped.code == 1 && piped.output.contains(new.name) && piped.output.contains("standard input"), "\(piped)")
            }
        }
    }

    @Test func `a whole history: what was deleted, a merge, a stash, an amended commit, messages and tags, and the first commit of each`()
        async throws
    {
        try await Self.rotated { account, old, new in
            let host = account.host
            try await Self.git(host, "init -q .")
            try host.write("nothing\n", to: "tree/readme")
            try await Self.git(host, "add .")
            try await Self.git(host, "commit -qm begin")
            try host.write("1\n2\nKEY=\(old.secret)\n", to: "tree/sub/with space\t.env")
            try await Self.git(host, "add .")
            try await Self.git(host, "commit -qm 'leak it'")
            try await Self.git(host, "tag leaked")
            try await Self.git(host, "rm -q 'sub/with space\t.env'")
            try await Self.git(host, "commit -qm oops -m 'it was \(new.secret)'")
            try await Self.git(host, "tag -a noted -m 'it was\n\n\(old.secret)'")
            try host.write("stash \(new.secret)\n", to: "tree/readme")
            try await Self.git(host, "stash -q")
            // The working files themselves hold nothing any more.
            let report = try await Self.scan(host, host.path("tree"), code: 1)
            let finds = report.surprises
            #expect(finds.map(\.place.object).compactMap(\.self).sorted() == ["blob", "blob", "commit", "tag"], "\(finds)")
            let blob = try #require(finds.first { $0.place.object == "blob" && $0.generation == old.name })
            #expect(blob.place.path == "sub/with space\t.env" && blob.place.line == 3)
            let commit = try #require(blob.place.commit)
            try await Self.tool(host, "/bin/sh", "-c", "test \"$(git rev-parse leaked)\" = \(commit)")
            let stash = try #require(finds.first { $0.place.object == "blob" && $0.generation == new.name })
            #expect(stash.place.path == "readme" && stash.place.commit != nil)
            // Without history there is what git left lying; a folder below the top is files.
            let files = try await Self.scan(host, "--no-git", host.path("tree"), code: 1).surprises
            #expect(files.map(\.place.file) == [host.path("tree/.git/COMMIT_EDITMSG")])
            try FileManager.default.createDirectory(atPath: host.path("tree/sub"), withIntermediateDirectories: true)
            #expect(try await Self.scan(host, host.path("tree/sub"), code: 0).surprises.isEmpty)
            #expect(try await Self.scan(host, "--git", host.path("tree/sub"), code: 1).surprises.count == 4)
            // Amended away and not yet collected.
            try await Self.git(host, "reflog expire --expire=now --all")
            try await Self.git(host, "stash clear")
            let left = try await Self.scan(host, host.path("tree"), code: 1).surprises
            #expect(left.first { $0.generation == new.name && $0.place.object == "blob" }?.place.commit == nil)
            // A bare one, and one below a PATH that is none itself.
            try await Self.git(host, "clone -q --bare . ../bare.git")
            #expect(try await Self.scan(host, host.path("bare.git"), code: 1).surprises.count >= 3)
            let around = try await Self.scan(host, host.folder, code: 1)
            #expect(Set(around.not_scanned.histories) == [host.path("tree"), host.path("bare.git")])
        }
    }

    @Test func `nothing that a repository says has a program run, a file fetched or an object hidden`() async throws {
        try await Self.rotated { account, _, new in
            let host = account.host
            let witness = host.path("ran")
            try host.write("#!/bin/sh\ntouch \(witness)\n", to: "program", mode: 0o755)
            try await Self.git(host, "init -q .")
            try host.write("KEY=\(new.secret)\n", to: "tree/a")
            try await Self.git(host, "add .")
            try await Self.git(host, "commit -qm one")
            try host.write("nothing\n", to: "tree/a")
            try await Self.git(host, "commit -qam two")
            // The leaking blob is replaced by a harmless one.
            try await Self.tool(host, "/bin/sh", "-c", "git replace $(git rev-parse HEAD~:a) $(git rev-parse HEAD:a)")
            for (key, value) in [
                ("core.fsmonitor", host.path("program")), ("diff.external", host.path("program")), ("core.pager", host.path("program")),
                ("gpg.program", host.path("program")), ("log.showSignature", "true"), ("core.sshCommand", host.path("program")),
                ("diff.x.textconv", host.path("program")), ("filter.x.smudge", host.path("program")),
                ("filter.x.clean", host.path("program")),
                ("remote.origin.url", "ext::\(host.path("program"))"), ("remote.origin.promisor", "true"),
                ("remote.origin.uploadpack", host.path("program")), ("extensions.partialClone", "origin"),
                ("core.alternateRefsCommand", host.path("program")), ("core.hooksPath", host.folder),
            ] { try await Self.git(host, "config '\(key)' '\(value)'") }
            try host.write("* diff=x filter=x\n", to: "tree/.git/info/attributes")
            let report = try await Self.scan(host, host.path("tree"), code: 1)
            #expect(report.surprises.map(\.place.path) == ["a"], "\(report)")
            #expect(!host.exists("ran"))
        }
    }

    @Test func `links, pipes, unreadable files and names of every kind hurt nothing`() async throws {
        try await Self.rotated { account, _, new in
            let host = account.host
            try FileManager.default.createSymbolicLink(atPath: host.path("tree/loop"), withDestinationPath: "..")
            try FileManager.default.createSymbolicLink(atPath: host.path("tree/gone"), withDestinationPath: "nowhere")
            try await Self.tool(host, "/usr/bin/mkfifo", "pipe")
            try await Self.tool(
                host, "/usr/bin/python3", "-c",
                "import os; os.close(os.open(b'name\\xff\\n\\x1b[2J', os.O_CREAT|os.O_WRONLY)); os.makedirs(b'\\xfe')")
            try await Self.tool(host, "/bin/sh", "-c", "printf 'K=\(new.secret)' > \"$(printf '\\376/x')\"")
            // A file that claims to be an archive, and one that is cut short.
            try host.write("PK\u{3}\u{4} no zip \(new.secret)\n", to: "tree/false.zip")
            try await Self.tool(host, "/bin/sh", "-c", "head -c 200000 /dev/urandom | gzip | head -c 1000 > cut.gz")
            let report = try await Self.scan(host, host.path("tree"), code: 1)
            #expect(report.surprises.contains { $0.place.file.hasSuffix("/x") })
            #expect(report.surprises.contains { $0.place.file.hasSuffix("/false.zip") })
            #expect(report.not_scanned.links == 2 && report.not_scanned.special == 1)
            #expect(report.not_scanned.troubles.contains { $0.contains("cut.gz: looked into as far as it goes") }, "\(report.not_scanned)")
            let text = try await host.run("scan", host.path("tree"))
            #expect(!text.output.contains("\u{1b}["))
            let missing = try await host.run("scan", host.path("nowhere"), host.path("tree/pipe"))
            #expect(missing.code == 1)
            #expect(
                missing.output.contains("nowhere: No such file or directory")
                    && missing.output.contains("pipe: is neither a file nor a folder"))
        }
    }

    @Test func `memory does not follow the input: a line of 160 MB and a history of 2,000 commits in less than 150 MB`() async throws {
        try await Self.rotated { account, old, new in
            let host = account.host
            try host.write("K=\(old.secret)\n", to: "leak")
            let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../tools/make-history").standardized.path
            try await Self.tool(host, script, host.path("many.git"), "2000", host.path("leak"))
            try await Self.tool(host, "/bin/sh", "-c", "(head -c 160000000 /dev/zero | tr '\\0' ' '; printf -- '-\(new.secret)\n') > line")
            let little = ["/bin/sh", "-c", "ulimit -d 150000; exec \"$0\" \"$@\""]
            let line = try await host.run("scan", host.path("tree/line"), under: little)
            #expect(line.code == 1 && line.output.contains(new.name) && line.output.contains("tree/line:1"), "\(line)")
            let history = try await host.run("scan", host.path("many.git"), under: little)
            #expect(history.code == 1 && history.output.contains("etc/leak.env:1 in commit "), "\(history)")
        }
    }

    @Test func `a bomb is left when it is seen to be one, and said`() async throws {
        try await Self.rotated { account, _, new in
            let host = account.host
            try await Self.tool(host, "/bin/sh", "-c", "(head -c 400000000 /dev/zero; echo; echo \(new.secret)) | xz -1 > bomb.xz")
            let started = ContinuousClock.now
            let report = try await Self.scan(host, host.path("tree/bomb.xz"), code: 0)
            #expect(
                report.not_scanned.troubles.contains { $0.contains("it expands to more than 1000 times its size") }, "\(report.not_scanned)"
            )
            #expect(ContinuousClock.now - started < patience)
        }
    }

    @Test(.enabled(if: Rights.isRoot, "only root can be somebody else"))
    func `who may not read the host's key is refused with 77`() async throws {
        try await Self.rotated { account, _, _ in
            let host = account.host
            for folder in ["", "targets", "policies"] { unsafe chmod(host.path(folder), 0o755) }
            for file in ["keyturn.yaml", "policies/test.yaml", "admin-token"] { unsafe chmod(host.path(file), 0o644) }
            let nobody = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            let run = try await host.run("scan", host.path("targets"), under: nobody)
            #expect(run.code == 77, "\(run)")
        }
    }

    @Test func `on a host without a journal only what looks like a key is told`() async throws {
        try await Account.with { account in
            let host = account.host
            try Targets.writeOne(to: host)
            try host.write("KEY=sk-\(String(repeating: "aB3dE6gH9k", count: 4))\n", to: "x")
            let run = try await host.run("scan", host.path("x"))
            #expect(run.code == 0 && run.output.contains("sk-aB3***9k"), "\(run)")
            #expect(!host.exists("state"))
            #expect(try await host.run("scan").code == 64)
            #expect(try await host.run("scan", "--git", "--no-git", "x").code == 64)
        }
    }
}
