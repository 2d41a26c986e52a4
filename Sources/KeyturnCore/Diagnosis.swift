/// Why a text that should be a certain secret is not, in the ways that people and programs spoil one.
package struct Diagnosis: Sendable, Equatable {
    package enum Cause: Sendable, Equatable {
        case whiteSpace
        case cutShort
        case longer
        case confused
        case other
    }

    package let cause: Cause
    package let sentence: String

    /// `found` lies where `meant`, the secret of the generation `name`, should.
    package init(of found: borrowing Secret, meant: borrowing Secret, _ name: String) {
        let found = Diagnosis.bytes(found)
        let meant = Diagnosis.bytes(meant)
        let bare = found.filter { !($0 <= 0x20 || $0 == 0x7f) }
        if bare.count < found.count, bare == meant {
            cause = .whiteSpace
            sentence = "\(name) with white space or a newline in it"
        } else if found.count < meant.count, meant.starts(with: found) || meant.reversed().starts(with: found.reversed()) {
            cause = .cutShort
            sentence = "\(name) cut short: \(found.count) of \(meant.count) characters"
        } else if found.count > meant.count, found.starts(with: meant) {
            cause = .longer
            sentence = "\(name) with \(found.count - meant.count) more characters behind it"
        } else if found.count == meant.count, Diagnosis.plain(found) == Diagnosis.plain(meant) {
            cause = .confused
            sentence = "\(name) with look-alikes confused (0 and O, 1 and l)"
        } else {
            cause = .other
            sentence = "another secret than \(name): the wrong file, or changed by hand"
        }
    }

    private static func bytes(_ secret: borrowing Secret) -> [UInt8] {
        secret.withBytes { span in unsafe span.withUnsafeBytes { unsafe Array($0) } }
    }

    /// Look-alikes made one.
    private static func plain(_ bytes: [UInt8]) -> [UInt8] {
        bytes.map { byte in
            switch byte {
            case UInt8(ascii: "O"), UInt8(ascii: "o"): UInt8(ascii: "0")
            case UInt8(ascii: "l"), UInt8(ascii: "I"), UInt8(ascii: "i"): UInt8(ascii: "1")
            default: byte
            }
        }
    }
}
