import KeyturnCore

/// A growing buffer that leaves nothing behind: overwritten when it moves and when it ends.
@safe struct WipedBytes: ~Copyable {
    private var storage = UnsafeMutableRawBufferPointer.allocate(byteCount: 256, alignment: 1)
    private(set) var count = 0

    /// Valid until the next `append` and while this value lives; never nil, even when empty.
    var start: UnsafeMutableRawPointer { unsafe storage.baseAddress! }

    var array: [UInt8] { unsafe Array(storage[..<count]) }

    mutating func append(_ bytes: RawSpan) {
        if unsafe bytes.byteCount > storage.count - count { grow(to: count + bytes.byteCount) }
        unsafe bytes.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(rebasing: storage[count...]).copyMemory(from: $0) }
        count += bytes.byteCount
    }

    deinit {
        unsafe Secret.wipe(storage)
        unsafe storage.deallocate()
    }

    private mutating func grow(to size: Int) {
        let larger = unsafe UnsafeMutableRawBufferPointer.allocate(byteCount: max(size, 2 * storage.count), alignment: 1)
        unsafe larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: storage[..<count]))
        unsafe Secret.wipe(storage)
        unsafe storage.deallocate()
        unsafe storage = larger
    }
}
