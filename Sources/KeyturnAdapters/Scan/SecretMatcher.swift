import KeyturnCore
package import KeyturnEngine

/// Tells which strings are secrets of ours: those whose fingerprint under the host's key the journal knows.
///
/// 48 bits tell a secret from others: of 10^9 strings tried against 1,000 generations, 0.4 % of such scans call one by a wrong name.
package final class SecretMatcher {
    package let generations: [FingerprintedGeneration]
    private let fingerprinter: Fingerprinter?
    /// By fingerprint; where several generations have one secret, the one that lives.
    private var numbers: [UInt64: Int] = [:]
    /// Hashes of strings that were none of ours, each at its place: a history shows the same ones again and again.
    private var strangers = [Int](repeating: 0, count: 1 << 16)

    /// `fingerprinter`: nil only where there is no generation.
    package init(_ generations: [FingerprintedGeneration], _ fingerprinter: Fingerprinter?) {
        self.generations = generations
        self.fingerprinter = fingerprinter
        for (number, generation) in generations.enumerated() {
            guard let print = UInt64(generation.fingerprint, radix: 16) else { continue }
            if let known = numbers[print], generations[known].isAlive { continue }
            numbers[print] = number
        }
    }

    func number(of candidate: Span<UInt8>) -> Int? {
        guard let fingerprinter, !numbers.isEmpty else { return nil }
        // Seeded by chance in each process: nobody can write two strings of one hash, and chance does so once in 2^64.
        var hasher = Hasher()
        unsafe candidate.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        let hash = hasher.finalize()
        let place = hash & (strangers.count - 1)
        guard strangers[place] != hash else { return nil }
        if let number = numbers[fingerprinter.number(of: candidate)] { return number }
        strangers[place] = hash
        return nil
    }
}

/// Keeps what one place holds: each secret once, with its first line and how often it is there.
struct PlaceJudge: TokenJudge {
    struct Seen {
        var line: Int
        var times = 1
    }

    private static let mostUnknown = 100

    let matcher: SecretMatcher
    private(set) var ours: [Int: Seen] = [:]
    private(set) var unknown: [UnknownKey: Seen] = [:]

    init(_ matcher: SecretMatcher) { self.matcher = matcher }

    mutating func number(of candidate: Span<UInt8>) -> Int? { matcher.number(of: candidate) }

    mutating func saw(_ sight: TokenSight, line: Int) {
        switch sight {
        case .ours(let number): ours[number, default: Seen(line: line, times: 0)].times += 1
        case .unknown(let mask, let length):
            let key = UnknownKey(mask: mask, length: length)
            guard unknown[key] != nil || unknown.count < PlaceJudge.mostUnknown else { return }
            unknown[key, default: Seen(line: line, times: 0)].times += 1
        }
    }
}
