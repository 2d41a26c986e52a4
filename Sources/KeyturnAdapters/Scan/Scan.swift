import Foundation
import Glibc
import KeyturnCore
import KeyturnEngine

/// Looks for managed secrets in files, archives, standard input and git histories, and keeps what it found in `report`.
///
/// One place after the other, one buffer for all of them: memory depends on nothing but the limits.
package final class Scan {
    package enum Histories: Sendable {
        /// Of a PATH that is a repository.
        case ofPaths
        /// And of every repository found below a PATH or around it.
        case all
        case none
    }

    package private(set) var report = ScanReport()
    let matcher: SecretMatcher
    let histories: Histories
    let limits: ScanLimits
    private let expected: ExpectedPlaces
    private let pseudo = PseudoFileSystems()
    private let progress: (ScanReport, String) -> Void
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)

    /// `progress`: called again and again with what there is so far and where the scan is.
    package init(
        _ matcher: SecretMatcher, expected: ExpectedPlaces, histories: Histories = .ofPaths, limits: ScanLimits = ScanLimits(),
        progress: @escaping (ScanReport, String) -> Void = { _, _ in }
    ) {
        self.matcher = matcher
        self.expected = expected
        self.histories = histories
        self.limits = limits
        self.progress = progress
    }

    deinit { unsafe buffer.withUnsafeMutableBytes { unsafe Secret.wipe($0) } }

    /// What was found, in the order of the places.
    package func finish() -> ScanReport {
        report.finds.sort { ($0.place, $0.line) < ($1.place, $1.line) }
        report.expected.sort { ($0.place, $0.line) < ($1.place, $1.line) }
        report.unknown.sort { ($0.place, $0.line) < ($1.place, $1.line) }
        return report
    }

    /// A PATH of an administrator's: it may be a link.
    package func look(at path: String) {
        if path == "-" { return look(through: STDIN_FILENO, at: path, in: nil, isInput: true) }
        let descriptor = unsafe open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { return report.trouble(path, Scan.reason(errno), isAsked: true) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return report.trouble(path, Scan.reason(errno), isAsked: true) }
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            let plain = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
            walk(Opened(descriptor: descriptor, path: plain, status: status), depth: 0)
            if histories == .all, Repository(at: descriptor, plain) == nil, let around = Repository(around: path) { look(into: around) }
        case S_IFREG:
            let folder = ExpectedPlaces.Identity(of: URL(filePath: path).deletingLastPathComponent().path)
            look(through: descriptor, at: path, in: folder)
        default: report.trouble(path, "is neither a file nor a folder", isAsked: true)
        }
    }

    static func reason(_ number: Int32) -> String { unsafe String(cString: strerror(number)) }

    // MARK: Folders

    private struct Opened {
        var descriptor: Int32
        var path: String
        var status: stat
        /// The folder that a work tree keeps its repository in.
        var isOfWorkTree = false
    }

    /// Never leaves the folder by a link, and holds no more open than one stream a level.
    private func walk(_ folder: Opened, depth: Int) {
        guard !pseudo.contain(folder.status) else {
            report.special += 1
            return
        }
        guard depth <= limits.depth else { return report.trouble(folder.path, "lies deeper than \(limits.depth) folders") }
        let repository = folder.isOfWorkTree ? nil : Repository(at: folder.descriptor, folder.path)
        let own = dup(folder.descriptor)
        guard own >= 0, let stream = unsafe fdopendir(own) else {
            report.trouble(folder.path, Scan.reason(errno), isAsked: depth == 0)
            if own >= 0 { close(own) }
            return
        }
        let isRepository = folder.isOfWorkTree || repository?.isBare == true
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { unsafe Array($0.prefix { $0 != 0 }) }
            let text = String(decoding: name, as: UTF8.self)
            // What lies in there is packed, and git itself reads it.
            guard text != ".", text != "..", !(isRepository && text == "objects") else { continue }
            visit(name.map(CChar.init(bitPattern:)) + [0], text, in: folder, depth)
        }
        unsafe closedir(stream)
        guard let repository else { return }
        if histories == .all || (histories == .ofPaths && depth == 0) { return look(into: repository) }
        report.historiesLeftCount += 1
        if report.historiesLeft.count < ScanReport.mostTroubles { report.historiesLeft.append(folder.path) }
    }

    private func visit(_ name: [CChar], _ text: String, in folder: Opened, _ depth: Int) {
        let path = folder.path == "/" ? "/\(text)" : "\(folder.path)/\(text)"
        var status = stat()
        guard unsafe fstatat(folder.descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            // What is gone meanwhile holds nothing.
            if errno != ENOENT { report.trouble(path, Scan.reason(errno)) }
            return
        }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFDIR || kind == S_IFREG else {
            if kind == S_IFLNK { report.links += 1 } else { report.special += 1 }
            return
        }
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (kind == S_IFDIR ? O_DIRECTORY : 0)
        let descriptor = unsafe openat(folder.descriptor, name, flags)
        guard descriptor >= 0 else {
            if errno != ENOENT { report.trouble(path, Scan.reason(errno)) }
            return
        }
        defer { close(descriptor) }
        guard kind == S_IFDIR else { return look(through: descriptor, at: path, in: ExpectedPlaces.Identity(folder.status)) }
        walk(Opened(descriptor: descriptor, path: path, status: status, isOfWorkTree: text == ".git"), depth: depth + 1)
    }

    // MARK: Files

    /// `folder`: what it lies in.
    private func look(through descriptor: Int32, at path: String, in folder: ExpectedPlaces.Identity?, isInput: Bool = false) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { return report.trouble(path, Scan.reason(errno)) }
        let isRegular = status.st_mode & S_IFMT == S_IFREG
        guard isRegular || isInput else {
            report.special += 1
            return
        }
        // A file that grows as fast as it is read would never end.
        var left = isRegular ? Int64(status.st_size) + Int64(buffer.count) : .max
        report.files += 1
        progress(report, path)
        let file = isRegular ? ExpectedPlaces.Identity(status) : nil
        var count = fill(from: descriptor, path)
        guard count > 0 else { return }
        if ArchiveReader.isArchive(buffer.span.extracting(0..<count)) {
            let begun = lseek(descriptor, 0, SEEK_SET) == 0 ? [] : Array(buffer[..<count])
            let archive = ArchivePlace(descriptor: descriptor, path: path, file: file, folder: folder)
            let end = look(into: archive, after: begun, isPlain: false)
            // What only begins like an archive, or like an empty one, may hold anything.
            guard case .unread(let isTold) = end, lseek(descriptor, 0, SEEK_SET) == 0 else { return }
            _ = look(into: archive, after: [], isPlain: true, isTold: isTold)
            return
        }
        var judge = PlaceJudge(matcher)
        var scanner = TokenScanner()
        while count > 0, left > 0 {
            scanner.scan(buffer.span.extracting(0..<count), for: &judge)
            report.bytes += Int64(count)
            left -= Int64(count)
            progress(report, path)
            count = fill(from: descriptor, path)
        }
        scanner.finish(for: &judge)
        keep(judge, ScanPlace(file: path)) { self.expected.isExpected($0, in: file, of: folder) }
    }

    /// As much as a short read does not leave out, so that a head is whole.
    private func fill(from descriptor: Int32, _ path: String) -> Int {
        var done = 0
        while done < buffer.count {
            let count = unsafe buffer.withUnsafeMutableBytes {
                unsafe read(descriptor, $0.baseAddress?.advanced(by: done), $0.count - done)
            }
            if count < 0, errno == EINTR { continue }
            if count < 0 { report.trouble(path, Scan.reason(errno)) }
            if count <= 0 { break }
            done += count
        }
        return done
    }

    func keep(_ judge: PlaceJudge, _ place: ScanPlace, isExpected: (String) -> Bool = { _ in false }) {
        for (number, seen) in judge.ours {
            let generation = matcher.generations[number]
            let find = ScanFind(generation: generation, place: place, line: seen.line, times: seen.times)
            report.add(find, isExpected: isExpected(generation.name))
        }
        for (key, seen) in judge.unknown { report.add(UnknownFind(key: key, place: place, line: seen.line, times: seen.times)) }
    }

    // MARK: Archives

    private struct ArchivePlace {
        var descriptor: Int32
        var path: String
        var file: ExpectedPlaces.Identity?
        var folder: ExpectedPlaces.Identity?
    }

    private enum ArchiveEnd {
        case read, limited
        /// It is damaged, or has no members; `isTold`: as such.
        case unread(isTold: Bool)
    }

    /// `isPlain`: what it expands to is read as it is. `isTold`: what is wrong with it was said before.
    private func look(into place: ArchivePlace, after begun: [UInt8], isPlain: Bool, isTold: Bool = false) -> ArchiveEnd {
        var expanded: Int64 = 0
        var members = 0
        do throws(ArchiveReader.Failure) {
            let archive = try ArchiveReader(place.descriptor, after: begun, isPlain: isPlain)
            while let (name, isFile) = try archive.next() {
                members += 1
                guard members <= limits.members else { throw .excess("it has more than \(limits.members) members") }
                guard isFile else { continue }
                do throws(ArchiveReader.Failure) {
                    try look(into: archive, ScanPlace(file: place.path, member: name), &expanded) {
                        self.expected.isExpected($0, in: place.file, of: place.folder)
                    }
                } catch {
                    guard error.description.hasPrefix("Passphrase") else { throw error }
                    report.trouble("\(place.path): \(name ?? "-")", "is encrypted")
                }
            }
            return members == 0 ? .unread(isTold: false) : .read
        } catch {
            if error.isExcess || !isTold { report.trouble(place.path, "looked into as far as it goes: \(error)") }
            return error.isExcess ? .limited : .unread(isTold: true)
        }
    }

    private func look(
        into archive: ArchiveReader, _ place: ScanPlace, _ expanded: inout Int64, isExpected: (String) -> Bool
    ) throws(ArchiveReader.Failure) {
        var judge = PlaceJudge(matcher)
        var scanner = TokenScanner()
        report.members += 1
        // What was found up to an error counts.
        defer {
            scanner.finish(for: &judge)
            keep(judge, place, isExpected: isExpected)
        }
        var isFirst = true
        while true {
            let count = try archive.read(into: &buffer)
            guard count > 0 else { return }
            if isFirst, ArchiveReader.isArchive(buffer.span.extracting(0..<count)) {
                report.trouble("\(place.file): \(place.member ?? "-")", "is an archive in an archive: unpack it, and scan that")
            }
            isFirst = false
            scanner.scan(buffer.span.extracting(0..<count), for: &judge)
            expanded += Int64(count)
            report.bytes += Int64(count)
            progress(report, place.file)
            if let excess = limits.excess(expanded: expanded, of: archive.packed) { throw .excess(excess) }
        }
    }

    // MARK: Histories

    private func look(into repository: Repository) {
        do throws(GitProgram.Failure) {
            var history = GitHistory(repository, matcher) { objects, bytes in
                self.report.objects += objects
                self.report.bytes += bytes
                self.progress(self.report, repository.path)
            }
            for (object, judge) in try history.search() { keep(judge, ScanPlace(file: repository.path, object: object)) }
            for why in history.troubles { report.trouble(repository.path, why, isAsked: true) }
        } catch { report.trouble(repository.path, "its history was not searched to its end: \(error)", isAsked: true) }
    }
}
