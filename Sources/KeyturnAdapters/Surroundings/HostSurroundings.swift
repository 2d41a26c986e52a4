import Glibc
package import KeyturnCore
package import KeyturnEngine
import Synchronization

/// The surroundings of targets on this host, remembered by the stamps of the files that they depend on.
package final class HostSurroundings: Surroundings {
    private struct Memory {
        var ignored: [String: (stamps: [FileStamp?], isIgnored: Bool)] = [:]
        var copies: [String: (stamp: FileStamp, fingerprints: Set<String>)] = [:]
    }

    private let memory = Mutex(Memory())
    private let fingerprinter: @Sendable () throws(KeyringError) -> Fingerprinter

    /// Of files that change all the time no more is remembered than this.
    private static let mostRemembered = 4096
    private static let mostCopies = 32
    private static let mostNames = 10_000
    /// A copy of a target is no larger than a target may be.
    private static let mostBytes = 1 << 20

    /// `fingerprinter`: asked for only where there is something to compare.
    package init(fingerprinter: @escaping @Sendable () throws(KeyringError) -> Fingerprinter) { self.fingerprinter = fingerprinter }

    // MARK: Exposures

    package func exposures(of target: TargetPolicy) -> [Exposure] {
        var status = stat()
        let isThere = unsafe stat(target.file, &status) == 0
        guard !isThere || status.st_mode & S_IFMT == S_IFREG else { return [] }
        let group = isThere ? HostSurroundings.group(of: status) : nil
        let present = isThere ? UInt16(status.st_mode & 0o7777) : nil
        let readers = Exposure.readers(of: target, present: present, group: group)
        return [readers, workTree(around: target.file)].compactMap(\.self)
    }

    /// Nil for a group that is its owner's own, or root's.
    private static func group(of status: stat) -> String? {
        guard status.st_gid != 0 else { return nil }
        var user = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 1 << 16)
        let answer = unsafe getpwuid_r(status.st_uid, &user, &buffer, buffer.count, &found)
        if answer == 0, unsafe found != nil, unsafe user.pw_gid == status.st_gid { return nil }
        var group = unsafe Glibc.group()
        var named: UnsafeMutablePointer<Glibc.group>?
        guard unsafe getgrgid_r(status.st_gid, &group, &buffer, buffer.count, &named) == 0, unsafe named != nil else {
            return "\(status.st_gid)"
        }
        return unsafe String(cString: group.gr_name)
    }

    private func workTree(around file: String) -> Exposure? {
        guard let tree = GitWorkTree(around: file) else { return nil }
        let stamps = tree.sources(for: file).map(FileStamp.init(of:))
        // A pipe in the place of a list would have git wait for ever.
        guard stamps.allSatisfy({ $0?.isRegular ?? true }) else { return nil }
        let known = memory.withLock { $0.ignored[file] }
        if let known, known.stamps == stamps { return known.isIgnored ? nil : .workTree(tree.root) }
        let isIgnored = tree.ignores(file)
        memory.withLock { memory in
            if memory.ignored.count >= HostSurroundings.mostRemembered { memory.ignored = [:] }
            memory.ignored[file] = (stamps, isIgnored)
        }
        return isIgnored ? nil : .workTree(tree.root)
    }

    // MARK: Copies

    package func copies(beside file: String) throws(KeyringError) -> [FileCopy] {
        let slash = file.lastIndex(of: "/") ?? file.startIndex
        let folder = String(file[..<slash])
        let name = String(file[slash...].dropFirst())
        var copies: [FileCopy] = []
        for other in HostSurroundings.names(in: folder).filter({ CopyName.isCopy($0, of: name) }).sorted().prefix(
            HostSurroundings.mostCopies)
        {
            let path = "\(folder)/\(other)"
            let fingerprints = try fingerprints(in: path)
            if !fingerprints.isEmpty { copies.append(FileCopy(path: path, fingerprints: fingerprints)) }
        }
        return copies
    }

    private static func names(in folder: String) -> [String] {
        guard let stream = unsafe opendir(folder.isEmpty ? "/" : folder) else { return [] }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while names.count < mostNames, let entry = unsafe readdir(stream) {
            let bytes = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
            // A name that is no text is no copy's that could be told of.
            if let name = String(validating: bytes, as: UTF8.self) { names.append(name) }
        }
        return names
    }

    private func fingerprints(in path: String) throws(KeyringError) -> Set<String> {
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        guard let stamp = FileStamp(descriptor), stamp.isRegular, stamp.size <= HostSurroundings.mostBytes else { return [] }
        if let known = memory.withLock({ $0.copies[path] }), known.stamp == stamp { return known.fingerprints }
        var collector = FingerprintCollector(try fingerprinter())
        var scanner = TokenScanner()
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        defer { unsafe buffer.withUnsafeMutableBytes { unsafe Secret.wipe($0) } }
        var left = HostSurroundings.mostBytes + buffer.count
        while left > 0 {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            scanner.scan(buffer.span.extracting(0..<count), for: &collector)
            left -= count
        }
        scanner.finish(for: &collector)
        let fingerprints = collector.fingerprints
        memory.withLock { memory in
            if memory.copies.count >= HostSurroundings.mostRemembered { memory.copies = [:] }
            memory.copies[path] = (stamp, fingerprints)
        }
        return fingerprints
    }
}

/// Keeps the fingerprints of what a file may hold, for who compares them later, and again.
private struct FingerprintCollector: TokenJudge {
    private static let most = 4096
    private let fingerprinter: Fingerprinter
    private(set) var fingerprints: Set<String> = []

    init(_ fingerprinter: Fingerprinter) { self.fingerprinter = fingerprinter }

    mutating func number(of candidate: Span<UInt8>) -> Int? {
        guard fingerprints.count < FingerprintCollector.most else { return nil }
        let digits = String(fingerprinter.number(of: candidate), radix: 16)
        fingerprints.insert(String(repeating: "0", count: 12 - digits.count) + digits)
        return nil
    }

    mutating func saw(_ sight: TokenSight, line: Int) {}
}
