import KeyturnCore

/// What is wrong with the places that secrets are delivered to, beside what is in them.
extension Keeper {
    /// Of the targets of all policies. One file that several tokens share is told of once.
    func lookAround() throws -> [Finding] {
        let targets = policies.values.sorted { $0.name < $1.name }.flatMap { policy in policy.targets.map { (policy, $0) } }
        let files = Set(targets.map(\.1.file))
        var known: [String: FingerprintedGeneration]?
        var seen: Set<String> = []
        var findings: [Finding] = []
        for (policy, target) in targets where seen.insert(target.file).inserted {
            findings += ports.surroundings.exposures(of: target).map { exposed(target.file, by: $0, policy) }
            let copies: [FileCopy]
            do throws(KeyringError) { copies = try ports.surroundings.copies(beside: target.file) } catch { continue }
            for copy in copies where !files.contains(copy.path) {
                let generations = try known ?? livingFirst(ports.journal.fingerprinted())
                known = generations
                findings += Dictionary(grouping: copy.fingerprints.compactMap { generations[$0] }, by: \.token).values.compactMap { held in
                    held.max { ($0.isAlive ? 1 : 0, $0.name) < ($1.isAlive ? 1 : 0, $1.name) }.map {
                        stray(copy.path, beside: target.file, $0)
                    }
                }
            }
        }
        return findings
    }

    /// By fingerprint. Where generations share a secret, the one that lives.
    private func livingFirst(_ generations: [FingerprintedGeneration]) -> [String: FingerprintedGeneration] {
        Dictionary(generations.map { ($0.fingerprint, $0) }) { $0.isAlive ? $0 : $1 }
    }

    private func exposed(_ file: String, by exposure: Exposure, _ policy: TokenPolicy) -> Finding {
        Finding(
            code: .exposedTarget, severity: .warning, token: policy.name, environment: policy.environment,
            subject: "\(file) \(exposure.word)",
            sentence: "\(file)\(exposure.sentence)", help: exposure.help
        )
    }

    private func stray(_ path: String, beside file: String, _ generation: FingerprintedGeneration) -> Finding {
        Finding(
            code: .strayCopy, severity: generation.isAlive ? .warning : .info, token: generation.token, environment: generation.environment,
            subject: path,
            sentence:
                "\(path) is a copy of \(file) and holds the secret of \(generation.name), which \(generation.isAlive ? "is alive" : "is revoked")",
            help: "remove it (shred -u), and see `keyturn scan` for more of them"
        )
    }
}
