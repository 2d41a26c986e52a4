/// What the formats ask of the bytes of a text.
extension UInt8 {
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    /// An ASCII letter.
    var isLetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }

    /// White space inside a line; a carriage return belongs to the line's end.
    var isBlank: Bool { self == 32 || self == 9 || self == 13 }

    var hexDigit: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension [UInt8] {
    /// The byte order mark of UTF-8, which some editors put before a text.
    var beginsWithMark: Bool { starts(with: [0xEF, 0xBB, 0xBF]) }

    /// Nothing but white space, a byte order mark aside.
    var isBlankText: Bool { dropFirst(beginsWithMark ? 3 : 0).allSatisfy { $0.isBlank || $0 == 10 } }
}
