import Glibc

/// Lines and counted bytes out of a pipe, by one buffer.
struct PieceReader {
    private let descriptor: Int32
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)
    private var start = 0
    private var end = 0

    /// Longer than a path may be.
    private static let longestLine = 1 << 16

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// False at the end.
    private mutating func fill() -> Bool {
        var count: Int
        repeat {
            count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        } while count < 0
            && errno == EINTR
        (start, end) = (0, max(0, count))
        return count > 0
    }

    /// Without its end; nil at the end of all, and for a line that is longer than any sensible one.
    mutating func line(upTo mark: UInt8 = UInt8(ascii: "\n")) -> String? {
        var line: [UInt8] = []
        while true {
            if start == end, !fill() { return nil }
            let part = buffer[start..<end]
            guard let stop = part.firstIndex(of: mark) else {
                line += part
                start = end
                guard line.count <= PieceReader.longestLine else { return nil }
                continue
            }
            line += buffer[start..<stop]
            start = stop + 1
            return String(decoding: line, as: UTF8.self)
        }
    }

    /// So many bytes, in pieces. False where they end before.
    mutating func pass(_ count: Int64, _ body: (Span<UInt8>) -> Void) -> Bool {
        var left = count
        while left > 0 {
            if start == end, !fill() { return false }
            let size = Int(min(left, Int64(end - start)))
            body(buffer.span.extracting(start..<start + size))
            start += size
            left -= Int64(size)
        }
        return true
    }
}
