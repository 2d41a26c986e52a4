/// What a gateway's list shows of a key in place of the whole: its beginning and its end, `sk-ab****wxyz` or `sk-ab...wxyz`.
package struct KeyMask: Sendable, Equatable {
    private let head: [UInt8]
    private let tail: [UInt8]

    /// Nil for a text that hides nothing, or hides all of it.
    package init?(_ text: String) {
        let hidden = text.firstIndex { "*.…•".contains($0) }
        guard let hidden, text.utf8.count <= 256 else { return nil }
        let rest = text[hidden...]
        let shownAgain = rest.firstIndex { !"*.…•".contains($0) } ?? rest.endIndex
        // A single dot or star may be part of a key.
        guard rest[..<shownAgain] != ".", !rest[shownAgain...].contains(where: { "*…•".contains($0) }) else { return nil }
        head = Array(text[..<hidden].utf8)
        tail = Array(rest[shownAgain...].utf8)
        guard !head.isEmpty || !tail.isEmpty else { return nil }
    }

    package func fits(_ secret: borrowing Secret) -> Bool {
        secret.withBytes { span in
            let bytes = unsafe span.withUnsafeBytes { unsafe Array($0) }
            return bytes.count > head.count + tail.count && bytes.starts(with: head) && bytes.suffix(tail.count).elementsEqual(tail)
        }
    }

    /// Does a fit prove the key? Beginnings are alike in many a gateway (`sk-proj-`); four characters of an end fit one key of
    /// a million by chance.
    package var tells: Bool { head.count + tail.count >= 8 && tail.count >= 4 }
}

extension Secret {
    /// Does a text hold the secret, or a good part of it? Such an id, which some gateways make of the key, is none to be written down.
    package func isTold(by text: String) -> Bool {
        let words = Array(text.utf8)
        return withBytes { span in
            let secret = unsafe span.withUnsafeBytes { unsafe Array($0) }
            return words.count >= 8 && secret.count >= 8 && (words.contains(secret) || secret.contains(words))
        }
    }
}
