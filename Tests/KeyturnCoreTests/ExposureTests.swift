import KeyturnCore
import Testing

/// Who may read a target, by its policy and by what lies there; and which names are those of copies.
struct ExposureTests {
    private func readers(_ mode: UInt16? = nil, group: String? = nil, present: UInt16? = nil, of owning: String? = "staff") -> Exposure? {
        Exposure.readers(of: TargetPolicy(file: "/t", format: .raw, group: group, mode: mode), present: present, group: owning)
    }

    @Test func `the sample of the manual, which names its group, is no exposure, wherever it lies and before it does`() {
        #expect(readers(0o640, group: "webapp") == nil)
        #expect(readers(0o640, group: "webapp", present: 0o640, of: "webapp") == nil)
    }

    @Test func `everybody`() {
        #expect(readers(0o644, group: "webapp") == .everybody(policyMode: 0o644))
        #expect(readers(0o644, present: 0o600) == .everybody(policyMode: 0o644))
        #expect(readers(0o640, group: "webapp", present: 0o644) == .everybody(policyMode: nil), "as it lies there now")
        #expect(readers(present: 0o604) == .everybody(policyMode: nil))
        #expect(readers(0o600) == nil)
        #expect(readers() == nil)
    }

    @Test func `a group that the policy does not name, unless it is the owner's own`() {
        #expect(readers(0o640, present: 0o600) == .group("staff", policyMode: 0o640))
        #expect(readers(present: 0o640) == .group("staff", policyMode: nil))
        #expect(readers(present: 0o640, of: nil) == nil)
        #expect(readers(0o640) == .group("staff", policyMode: 0o640))
        #expect(readers(present: 0o600) == nil)
    }

    @Test(
        arguments: [
            "webapp.env~", "#webapp.env#", ".webapp.env.swp", ".webapp.env.swo", ".webapp.env.un~", "webapp.env.bak", "webapp.env.orig",
            "webapp.env.save",
            "webapp.env.save.1", "webapp.env.old", "webapp.env.rpmsave", "webapp.env.rpmnew", "webapp.env.dpkg-old", "webapp.env.ucf-dist",
            "webapp.env.20260131", "webapp.env-2026-01-31", "webapp.env_old", "webapp.env.1", "webapp.env (copy)", "Copy of webapp.env",
            "webapp.bak", "webapp.old",
        ])
    func `names of copies`(_ name: String) { #expect(CopyName.isCopy(name, of: "webapp.env")) }

    @Test(arguments: ["webapp.env", "webapp.env2", "other.env", "webapp.conf", ".webapp.env.keyturn-0a1b2c3d", "env", "webapp", "", "."])
    func `names of other files`(_ name: String) { #expect(!CopyName.isCopy(name, of: "webapp.env")) }

    @Test func `a hidden file's copies`() {
        #expect(CopyName.isCopy(".env.bak", of: ".env"))
        #expect(CopyName.isCopy(".env~", of: ".env"))
        #expect(CopyName.isCopy(".env.swp", of: ".env"))
        #expect(!CopyName.isCopy(".envrc", of: ".env"))
    }
}
