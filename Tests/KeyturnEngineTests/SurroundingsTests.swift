import KeyturnCore
import KeyturnEngine
import KeyturnTestKit
import Testing

/// Where targets lie: told at a watch, closed when it is mended.
struct SurroundingsTests {
    private static let file = TargetID.webapp.file

    @Test func `an exposed target is a finding until a watch sees that it is mended`() async throws {
        var (world, machine) = try await issued()
        world.with { $0.exposures = [Self.file: [.everybody(policyMode: nil), .workTree("/etc")]] }
        await machine.pass(watches: false)
        #expect(world.findings.isEmpty, "it is judged at a watch")
        await machine.pass(watches: true)
        #expect(world.findings == [.exposedTarget, .exposedTarget])
        #expect(world.sentences.contains("\(Self.file) is readable by everybody"))
        world.with { $0.exposures = [Self.file: [.workTree("/etc")]] }
        await machine.pass(watches: false)
        #expect(world.findings.count == 2)
        await machine.pass(watches: true)
        #expect(world.sentences == ["\(Self.file) lies in the git work tree /etc and git does not ignore it: the secret may be committed"])
        world.with { $0.exposures = [:] }
        await machine.pass(watches: true)
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `a file of several tokens is told of once`() async throws {
        let world = World()
        var machine = Machine(world, [.sample(), .sample("worker", targets: [.sample(Self.file)])])
        world.with { $0.exposures = [Self.file: [.everybody(policyMode: nil)]] }
        await machine.pass(watches: true)
        #expect(world.findings.count { $0 == .exposedTarget } == 1)
    }

    @Test func `a copy beside a target is a finding while it holds a secret that we ever gave`() async throws {
        var (world, machine) = try await issued()
        let print = try #require(try world.webapp.currentGeneration?.fingerprint)
        world.with { $0.copies = [Self.file: [FileCopy(path: Self.file + ".bak", fingerprints: ["0123456789ab"])]] }
        await machine.pass(watches: true)
        #expect(world.findings.isEmpty, "what is none of ours is nobody's business")
        world.with { $0.copies = [Self.file: [FileCopy(path: Self.file + ".bak", fingerprints: ["0123456789ab", print])]] }
        await machine.pass(watches: true)
        #expect(world.findings == [.strayCopy])
        #expect(
            world.sentences == [
                "\(Self.file).bak is a copy of \(Self.file) and holds the secret of prod-webapp-api-2026-01, which is alive"
            ])
        world.ask(.rotate, .webapp)
        await machine.run(for: .days(3))
        #expect(
            world.sentences == [
                "\(Self.file).bak is a copy of \(Self.file) and holds the secret of prod-webapp-api-2026-01, which is revoked"
            ])
        world.with { $0.copies = [:] }
        await machine.pass(watches: true)
        #expect(world.findings.isEmpty)
        world.isWell()
    }

    @Test func `another target of ours is no copy`() async throws {
        let world = World()
        let twin = Self.file + "-2"
        var machine = Machine(world, [.sample(targets: [.sample(Self.file), .sample(twin)])])
        await machine.pass(watches: true)
        let print = try #require(try world.webapp.currentGeneration?.fingerprint)
        world.with { $0.copies = [Self.file: [FileCopy(path: twin, fingerprints: [print])]] }
        await machine.pass(watches: true)
        #expect(world.findings.isEmpty)
    }

    @Test func `without a copy that may hold something the journal is not asked for all that ever was`() async throws {
        var (world, machine) = try await issued()
        await machine.pass(watches: true)
        #expect(world.look { $0.reads["fingerprinted"] } == nil)
    }
}
