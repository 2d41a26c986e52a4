/// A stable hash for spreading things evenly: the same on every host and in every version, and no secret's business.
/// FNV-1a with the finisher of SplitMix64, since FNV alone leaves the high bits of short names poor.
package enum Spread {
    package static func bits(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
        return hash ^ (hash >> 31)
    }

    /// In 0 ..< 1.
    package static func share(_ text: String) -> Double {
        Double(bits(text) >> 11) / Double(UInt64(1) << 53)
    }
}
