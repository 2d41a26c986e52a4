import CArchive
import Glibc

/// The members of an archive or of a compressed file, one after the other, by libarchive. Only formats that need no other program.
@safe final class ArchiveReader {
    struct Failure: Error, CustomStringConvertible {
        let description: String
        /// It is a limit of ours that was met.
        var isExcess = false

        static func excess(_ description: String) -> Failure { Failure(description: description, isExcess: true) }
    }

    private let archive: OpaquePointer
    /// Bytes of standard input that were read to see what it is, and its descriptor.
    private var begun: [UInt8]
    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    private static let mostNameBytes = 4096

    /// How archives and compressed files begin. Anything else is not given to libarchive.
    static func isArchive(_ head: Span<UInt8>) -> Bool {
        func begins(_ bytes: [UInt8], at offset: Int = 0) -> Bool {
            head.count >= offset + bytes.count && bytes.indices.allSatisfy { head[offset + $0] == bytes[$0] }
        }
        let heads: [[UInt8]] = [
            [0x1f, 0x8b], [0x1f, 0x9d], Array("BZh".utf8), [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], [0x28, 0xb5, 0x2f, 0xfd],
            [0x04, 0x22, 0x4d, 0x18], Array("PK\u{3}\u{4}".utf8), Array("PK\u{5}\u{6}".utf8), [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c],
            Array("070701".utf8), Array("070702".utf8), Array("070707".utf8), Array("!<arch>\n".utf8),
        ]
        return heads.contains { begins($0) } || begins(Array("ustar".utf8), at: 257)
    }

    /// - Parameters:
    ///   - begun: what was read of the descriptor already; empty where it stands at its beginning.
    ///   - isPlain: nothing but expanded: no archive is looked for in it.
    init(_ descriptor: Int32, after begun: [UInt8], isPlain: Bool) throws(Failure) {
        guard let archive = unsafe archive_read_new() else { throw Failure(description: "out of memory") }
        unsafe self.archive = archive
        self.descriptor = descriptor
        self.begun = begun
        let filters = unsafe [
            archive_read_support_filter_gzip, archive_read_support_filter_bzip2, archive_read_support_filter_compress,
            archive_read_support_filter_xz, archive_read_support_filter_zstd, archive_read_support_filter_lz4,
        ]
        let formats = unsafe [
            archive_read_support_format_tar, archive_read_support_format_zip, archive_read_support_format_7zip,
            archive_read_support_format_cpio, archive_read_support_format_ar,
        ]
        // One that was built without is no reason to give up the others.
        unsafe (isPlain ? filters : filters + formats).forEach { support in _ = unsafe support(archive) }
        unsafe archive_read_support_format_raw(archive)
        let answer: Int32
        if begun.isEmpty {
            answer = unsafe archive_read_open_fd(archive, descriptor, 1 << 16)
        } else {
            let context = unsafe Unmanaged.passUnretained(self).toOpaque()
            answer = unsafe archive_read_open(
                archive, context, nil,
                { _, context, bytes in unsafe Unmanaged<ArchiveReader>.fromOpaque(context!).takeUnretainedValue().give(bytes!) }, nil)
        }
        guard answer == ARCHIVE_OK else { throw failure }
    }

    deinit {
        unsafe archive_read_free(archive)
        for index in buffer.indices { buffer[index] = 0 }
    }

    private func give(_ bytes: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int {
        var count: Int
        if begun.isEmpty {
            repeat {
                count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            } while count < 0
                && errno == EINTR
        } else {
            (buffer, count, begun) = (begun + [UInt8](repeating: 0, count: max(0, (1 << 16) - begun.count)), begun.count, [])
        }
        // The array stays where it is as long as nobody writes to it, which only this does.
        unsafe bytes.pointee = unsafe buffer.withUnsafeBytes { $0.baseAddress }
        return count
    }

    private var failure: Failure {
        guard let text = unsafe archive_error_string(archive) else { return Failure(description: "it cannot be read") }
        return Failure(description: unsafe String(cString: text))
    }

    /// The next member that is a file, with its name; nil where a lone compressed file has none. Nil at the end.
    func next() throws(Failure) -> (name: String?, isFile: Bool)? {
        var entry: OpaquePointer?
        let answer = unsafe archive_read_next_header(archive, &entry)
        if answer == ARCHIVE_EOF { return nil }
        guard answer == ARCHIVE_OK || answer == ARCHIVE_WARN, let entry = unsafe entry else { throw failure }
        if unsafe archive_format(archive) == ARCHIVE_FORMAT_RAW { return (nil, true) }
        let kind = unsafe archive_entry_filetype(entry) & S_IFMT
        return (unsafe ArchiveReader.name(of: entry), kind == S_IFREG || kind == 0)
    }

    private static func name(of entry: OpaquePointer) -> String {
        guard let name = unsafe archive_entry_pathname(entry) ?? archive_entry_pathname_utf8(entry) else { return "(no name)" }
        let bytes = unsafe UnsafeBufferPointer(start: name, count: strnlen(name, mostNameBytes))
        return unsafe String(decoding: bytes.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Bytes of the member under way; 0 at its end.
    func read(into bytes: inout [UInt8]) throws(Failure) -> Int {
        while true {
            let count = unsafe bytes.withUnsafeMutableBytes { unsafe archive_read_data(archive, $0.baseAddress, $0.count) }
            if count >= 0 { return count }
            guard count == Int(ARCHIVE_RETRY) else { throw failure }
        }
    }

    /// Bytes of the archive itself that were read so far.
    var packed: Int64 { unsafe archive_filter_bytes(archive, -1) }
}
