/// What an archive may cost that was made to cost much.
package struct ScanLimits: Sendable {
    /// Bytes that one archive may expand to.
    package var expanded: Int64
    /// How many times its own size it may expand to, once that is more than `free`: gzip reaches 1032 at most.
    package var ratio: Int64
    package var free: Int64
    /// Members of one archive.
    package var members: Int
    /// Folders in folders.
    package var depth: Int

    package init(expanded: Int64 = 16 << 30, ratio: Int64 = 1000, free: Int64 = 64 << 20, members: Int = 1_000_000, depth: Int = 200) {
        self.expanded = expanded
        self.ratio = ratio
        self.free = free
        self.members = members
        self.depth = depth
    }

    /// Nil while nothing is too much.
    func excess(expanded bytes: Int64, of packed: Int64) -> String? {
        if bytes > expanded { return "it expands to more than \(expanded >> 20) MiB" }
        if bytes > free, bytes / max(packed, 1) > ratio { return "it expands to more than \(ratio) times its size" }
        return nil
    }
}
