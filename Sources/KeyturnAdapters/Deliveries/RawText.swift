/// `raw`: the file is the secret, with no line end, and nothing else.
struct RawText: SecretText {
    let bytes: [UInt8]

    var values: [[UInt8]] { bytes.isEmpty ? [] : [bytes] }
    func setting(_ value: [UInt8]) -> [UInt8] { value }
    func removing() -> [UInt8]? { nil }
}
