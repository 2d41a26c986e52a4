import CSystemd
package import Logging

/// Writes to systemd's journal in its own protocol, so that what a line would mix stays apart: the sentence, the token, the code.
///
/// Best effort: where the journal cannot be reached the record is lost and the daemon goes on.
package struct JournaldLogHandler: LogHandler {
    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?

    package init(level: Logger.Level, metadataProvider: Logger.MetadataProvider? = nil) {
        logLevel = level
        self.metadataProvider = metadataProvider
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        send(JournalEntry.fields(of: LogRecord(event, handler: metadata, provider: metadataProvider)))
    }

    /// Hands over one entry. An entry too large for a datagram goes as a sealed memory file: libsystemd sees to that.
    private func send(_ fields: [JournalEntry.Field]) {
        let texts = fields.map { Array("\($0.name)=\($0.value)".utf8) }
        // One buffer for all: an iovec points into memory that must not move before the call returns.
        var buffer = texts.flatMap { $0 }
        unsafe buffer.withUnsafeMutableBytes { bytes in
            guard var next = bytes.baseAddress else { return }
            var vectors = unsafe [iovec]()
            for text in texts {
                unsafe vectors.append(iovec(iov_base: next, iov_len: text.count))
                unsafe next += text.count
            }
            _ = unsafe sd_journal_sendv(vectors, Int32(vectors.count))
        }
    }
}
