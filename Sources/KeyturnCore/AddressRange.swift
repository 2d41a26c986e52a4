import Foundation

/// A single address or a CIDR range of IPv4 or IPv6; those that mean the same are equal, however they are written.
struct AddressRange: Hashable {
    private let bytes: [UInt8]
    /// Nil for what is neither: then only its text tells it from others.
    private let bits: Int?

    init(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            guard (1...2).contains(parts.count), let bytes = AddressRange.bytes(String(parts[0]), family, count) else { continue }
            guard let bits = parts.count == 2 ? Int(parts[1]) : count * 8, (0...count * 8).contains(bits) else { break }
            // What lies within the range says nothing.
            self.bytes = bytes.enumerated().map { place, byte in byte & ~UInt8(truncatingIfNeeded: 0xff >> max(0, min(8, bits - place * 8)))
            }
            self.bits = bits
            return
        }
        (bytes, bits) = (Array(text.lowercased().utf8), nil)
    }

    var isEverywhere: Bool { bits == 0 || bits == nil && ["*", "any", "all"].contains(String(decoding: bytes, as: UTF8.self)) }

    private static func bytes(_ text: String, _ family: Int32, _ count: Int) -> [UInt8]? {
        var address = in6_addr()
        guard unsafe inet_pton(family, text, &address) == 1 else { return nil }
        return unsafe withUnsafeBytes(of: &address) { unsafe Array($0.prefix(count)) }
    }
}
