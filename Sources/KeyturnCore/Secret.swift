import Glibc

/// The value of a generation, or an admin token: the bytes that open the door.
///
/// It is `~Copyable` and has no description, no `Codable`, no `Equatable`: printing, interpolating, encoding or comparing
/// it by accident does not compile, and nothing that can be copied, stored in an array or written to the database can
/// hold it. Its buffer is overwritten when it ends. That wipes this buffer only: copies which a parser, the HTTP library
/// or the kernel made on the way are beyond its reach, which is why the service also forbids core dumps.
@safe package struct Secret: ~Copyable, Sendable {
    // Written once in `init`, read-only until `deinit`: sharing it between threads is safe.
    private nonisolated(unsafe) let storage: UnsafeMutableRawBufferPointer

    /// Copies `bytes`; the caller's own copy stays the caller's to wipe.
    package init(bytes: some Collection<UInt8>) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        unsafe buffer.copyBytes(from: bytes)
        unsafe storage = buffer
    }

    package init(_ text: some StringProtocol) {
        self.init(bytes: Array(text.utf8))
    }

    deinit {
        unsafe Secret.wipe(storage)
        unsafe storage.deallocate()
    }

    /// The only way to the bytes. What `body` makes of them is its own responsibility.
    package func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
        try body(unsafe RawSpan(_unsafeBytes: UnsafeRawBufferPointer(storage)))
    }

    package var count: Int { unsafe storage.count }

    /// Equality on purpose, in time that depends on the length alone.
    package func matches(_ other: borrowing Secret) -> Bool {
        guard count == other.count else { return false }
        var difference: UInt8 = 0
        for index in 0..<count { unsafe difference |= storage[index] ^ other.storage[index] }
        return difference == 0
    }

    /// Another owner of the same value, for the few places that must keep one beside the first.
    package func duplicate() -> Secret {
        unsafe Secret(bytes: UnsafeRawBufferPointer(storage))
    }

    /// Overwrites a buffer in a way the optimiser may not drop.
    package static func wipe(_ buffer: UnsafeMutableRawBufferPointer) {
        guard let base = buffer.baseAddress else { return }
        unsafe explicit_bzero(base, buffer.count)
    }
}
