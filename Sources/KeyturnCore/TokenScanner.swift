/// Who is shown the token-shaped strings that a `TokenScanner` meets, and says which of them are ours.
package protocol TokenJudge {
    /// The judge's own number of the secret that these bytes are; nil where they are none of ours.
    mutating func number(of candidate: Span<UInt8>) -> Int?

    /// What was found, with the line that it begins in, counted from 1.
    mutating func saw(_ sight: TokenSight, line: Int)
}

/// A string that a scan tells of. It never holds a secret.
package enum TokenSight: Sendable, Equatable {
    /// A secret of ours, by the judge's number.
    case ours(Int)
    /// Looks like a key and is none of ours: its beginning and end, and its length in characters, nil where that is more than `longest`.
    case unknown(mask: String, length: Int?)
}

/// Looks for token-shaped strings in bytes that come piece by piece, wherever the pieces are cut, in memory that does not
/// depend on the input.
///
/// A run is as many of `A-Z a-z 0-9 _ - .` as stand together, as bytes or as UTF-16 of either order. Candidates in a run are what an `sk-` in it
/// begins, up to the run's end or to any `_`, `-` or `.` behind; and, without one, the run itself with a digit and a letter in it, also
/// without signs at its ends and without the rest of an escape (`\n`, `\u0022`, `%3D`) before it.
package struct TokenScanner {
    /// Characters of the longest secret that is looked for.
    package static let longest = 256
    /// Of the shortest: one that begins with `sk-`, and any other.
    package static let shortest = 16
    package static let shortestPlain = 20

    private var line = 1
    private var run = TokenRun()
    /// One character after the other, each with a zero byte beside it.
    private var wide = TokenRun()
    private var last: UInt8 = 0

    package init() {}

    package mutating func scan(_ piece: Span<UInt8>, for judge: inout some TokenJudge) {
        let count = piece.count
        var index = 0
        while index < count {
            let byte = piece[index]
            guard byte.isOfToken else {
                if !run.isEmpty { end(by: byte, for: &judge) } else if !wide.isEmpty { wide.end(for: &judge) }
                if byte == UInt8(ascii: "\n") { line += 1 }
                index += 1
                continue
            }
            var end = index + 1
            while end < count, piece[end].isOfToken { end += 1 }
            if run.isEmpty, end < count, end - index < TokenScanner.shortest {
                // Too short for anything but a character of UTF-16.
                if end - index > 1 {
                    if !wide.isEmpty { wide.end(for: &judge) }
                } else if widen(byte, by: piece[end], for: &judge) {
                    end += 1
                }
            } else {
                if run.isEmpty { run.begin(line: line, after: index > 0 ? piece[index - 1] : last) }
                for position in index..<end { run.append(piece[position], for: &judge) }
            }
            index = end
        }
        if count > 0 { last = piece[count - 1] }
    }

    /// After the last piece.
    package mutating func finish(for judge: inout some TokenJudge) {
        if !run.isEmpty { end(by: nil, for: &judge) }
        if !wide.isEmpty { wide.end(for: &judge) }
    }

    /// `byte`: what follows the run.
    private mutating func end(by byte: UInt8?, for judge: inout some TokenJudge) {
        if let character = run.only {
            run.clear()
            _ = widen(character, by: byte, for: &judge)
        } else {
            if !wide.isEmpty { wide.end(for: &judge) }
            run.end(for: &judge)
        }
    }

    /// Takes a character that stands alone for one of UTF-16, where the byte behind it says so. False: it was the last one.
    private mutating func widen(_ character: UInt8, by next: UInt8?, for judge: inout some TokenJudge) -> Bool {
        if wide.isEmpty {
            guard next == 0 else { return false }
            wide.begin(line: line, after: 0)
        }
        wide.append(character, for: &judge)
        if next == 0 { return true }
        wide.end(for: &judge)
        return false
    }
}

extension UInt8 {
    /// `A-Z a-z 0-9 _ - .`, by a bit for each character.
    @inline(__always) var isOfToken: Bool {
        let bits: UInt64 = self < 64 ? 0x03FF_6000_0000_0000 : 0x07FF_FFFE_87FF_FFFE
        return self < 128 && bits >> (UInt64(self) & 63) & 1 == 1
    }

    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
    var isLetter: Bool { (self | 0x20) >= UInt8(ascii: "a") && (self | 0x20) <= UInt8(ascii: "z") }
    var isHexDigit: Bool { isDigit || ((self | 0x20) >= UInt8(ascii: "a") && (self | 0x20) <= UInt8(ascii: "f")) }
    /// `_`, `-` and `.`.
    var isSign: Bool { self == UInt8(ascii: "_") || self == UInt8(ascii: "-") || self == UInt8(ascii: ".") }
}
