import Foundation
import Glibc
import KeyturnCore
import KeyturnEngine
import SystemPackage

/// `history.checkpoint` beside the journal: what its newest row was at some moment, under the history's key. It may lag behind the
/// journal, and never leads it.
struct CheckpointFile {
    enum Content {
        case missing
        case sound(HistoryHead)
        /// It is none that this host wrote: why.
        case forged(String)

        var head: HistoryHead? { if case .sound(let head) = self { head } else { nil } }
    }

    private struct Record: Codable {
        var at: Date
        var number: Int64
        var hash: String
        var key: String
        var seal: String
    }

    /// Bytes; a record is some three hundred.
    private static let largest = 4096

    let path: String

    /// - Parameter journal: the path of `journal.db`.
    init(beside journal: String) { path = (journal as NSString).deletingLastPathComponent + "/history.checkpoint" }

    /// A process has died while it wrote one, or another one is writing.
    var isUnfinished: Bool { unsafe access(path + ".new", F_OK) == 0 }

    /// What it says, whoever wrote it; nil where it is missing or says nothing.
    var number: Int64? { if case .record(let record, _) = record() { record.number } else { nil } }

    func read(_ seal: ChainSeal) -> Content {
        switch record() {
        case .missing: return .missing
        case .unreadable(let why): return .forged(why)
        case .record(let record, let hash):
            let head = HistoryHead(number: record.number, hash: hash, keyID: record.key, at: record.at)
            guard let code = seal.code(record.key, CheckpointFile.content(head)) else {
                return .forged("it is under the key \(record.key.oneLine), which this host does not have")
            }
            return Hex.text(code) == record.seal ? .sound(head) : .forged("it was changed")
        }
    }

    private enum Reading {
        case missing
        case unreadable(String)
        case record(Record, hash: [UInt8])
    }

    private func record() -> Reading {
        let raw = unsafe Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard raw >= 0 else { return errno == ENOENT ? .missing : .unreadable("it cannot be read: \(Errno.current)") }
        let file = OwnedDescriptor(FileDescriptor(rawValue: raw))
        let bytes: [UInt8]
        do throws(Errno) {
            guard let content = try file.readAll(upTo: CheckpointFile.largest) else { return .unreadable("it is too long") }
            bytes = content
        } catch { return .unreadable("it cannot be read: \(error)") }
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .millisecondsSince1970
        guard let record = try? decoder.decode(Record.self, from: Data(bytes)), let hash = Hex.bytes(record.hash),
            abs(record.at.timeIntervalSince1970) < 1e11
        else { return .unreadable("it is damaged") }
        return .record(record, hash: hash)
    }

    /// Durable when it returns; another process may write it at the same time.
    func write(_ head: HistoryHead, _ seal: ChainSeal) throws(JournalError) {
        guard let id = seal.keyID else { throw JournalError("\(path): there is no key to seal it with") }
        // To the millisecond, as it is read back.
        var head = HistoryHead(number: head.number, hash: head.hash, keyID: id, at: head.at)
        head.at = Date(timeIntervalSince1970: (head.at.timeIntervalSince1970 * 1000).rounded() / 1000)
        guard let code = seal.code(id, CheckpointFile.content(head)) else { throw JournalError("\(path): its key \(id) is gone") }
        let record = Record(at: head.at, number: head.number, hash: head.hexHash, key: id, seal: Hex.text(code))
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .millisecondsSince1970
        encoder.outputFormatting = .sortedKeys
        do {
            let bytes = Array(try encoder.encode(record)) + [UInt8(ascii: "\n")]
            try replace(with: bytes)
        } catch { throw JournalError("cannot write \(path): \(error); see who owns it and whether the disk is full") }
    }

    private static func content(_ head: HistoryHead) -> [UInt8] {
        var bytes = Array("keyturn-checkpoint-1\n".utf8)
        ChainedRow.append(head.number, to: &bytes)
        ChainedRow.append(bytes: head.hash, to: &bytes)
        ChainedRow.append(text: head.keyID.utf8, to: &bytes)
        ChainedRow.append(Int64((head.at.timeIntervalSince1970 * 1000).rounded()), to: &bytes)
        return bytes
    }

    /// Under one other name, which a killed process may leave and the next writer takes over: whoever holds its lock, and finds it
    /// still under that name, is the one who writes.
    private func replace(with bytes: [UInt8]) throws {
        let new = path + ".new"
        while true {
            let raw = unsafe Glibc.open(new, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
            guard raw >= 0 else { throw Errno.current }
            let file = OwnedDescriptor(FileDescriptor(rawValue: raw))
            while flock(raw, LOCK_EX) != 0 { if errno != EINTR { throw Errno.current } }
            let mine = try file.status()
            var there = stat()
            guard unsafe lstat(new, &there) == 0, there.st_ino == mine.inode.rawValue else { continue }
            try Errno.check(ftruncate(raw, 0))
            _ = try file.descriptor.writeAll(bytes)
            try Errno.check(fsync(raw))
            try Errno.check(unsafe rename(new, path))
            break
        }
        let folder = unsafe Glibc.open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Errno.current }
        defer { close(folder) }
        try Errno.check(fsync(folder))
    }
}
