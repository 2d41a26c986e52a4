import KeyturnCore

extension Secret {
    /// A copy to write; how long it lives is out of this type's hands.
    var plainBytes: [UInt8] {
        withBytes { span in unsafe span.withUnsafeBytes { unsafe Array($0) } }
    }

    /// Stands for a secret while `preflight` rehearses.
    static let sample = [UInt8](repeating: UInt8(ascii: "x"), count: 64)
}
