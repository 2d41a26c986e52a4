/// Characters of tokens that stand together, as far as they matter: of an endless run the newest 512, each looked at once.
struct TokenRun {
    private var bytes: [UInt8] = []
    private var line = 1
    /// What stands before the first of the bytes; zero where nothing does.
    private var before: UInt8 = 0
    /// Has its beginning been given up?
    private var isCut = false
    /// Up to here it has been told of.
    private var told = 0

    /// Bounds on what a hostile text has us try: places that begin a key, and ends of each, in one window.
    private static let mostStarts = 8
    private static let mostEnds = 32
    private static let window = TokenScanner.longest

    var isEmpty: Bool { bytes.isEmpty }

    /// Its character, where it has only one.
    var only: UInt8? { bytes.count == 1 && !isCut ? bytes[0] : nil }

    mutating func begin(line: Int, after before: UInt8) {
        (self.line, self.before, isCut, told) = (line, before, false, 0)
    }

    mutating func append(_ byte: UInt8, for judge: inout some TokenJudge) {
        bytes.append(byte)
        guard bytes.count == 2 * TokenRun.window else { return }
        lookForKeys(below: TokenRun.window, ended: false, for: &judge)
        before = bytes[TokenRun.window - 1]
        bytes.removeFirst(TokenRun.window)
        told = max(0, told - TokenRun.window)
        isCut = true
    }

    mutating func end(for judge: inout some TokenJudge) {
        if bytes.count >= TokenScanner.shortest {
            if let number = whole(for: &judge) {
                judge.saw(.ours(number), line: line)
            } else {
                lookForKeys(below: bytes.count, ended: true, for: &judge)
            }
        }
        clear()
    }

    mutating func clear() {
        // It may have been a secret.
        for index in bytes.indices { bytes[index] = 0 }
        bytes.removeAll(keepingCapacity: true)
    }

    // MARK: The run as a whole

    private func whole(for judge: inout some TokenJudge) -> Int? {
        guard !isCut, bytes.count >= TokenScanner.shortestPlain, !isKey(at: 0) else { return nil }
        let first = bytes.firstIndex { !$0.isSign } ?? bytes.count
        let last = (bytes.lastIndex { !$0.isSign } ?? -1) + 1
        for start in Set([0, first, escape ?? 0]).sorted() {
            for end in Set([bytes.count, last]).sorted() where mayBeSecret(start, end) {
                if let number = judge.number(of: bytes.span.extracting(start..<end)) { return number }
            }
        }
        return nil
    }

    private func mayBeSecret(_ start: Int, _ end: Int) -> Bool {
        guard end - start >= TokenScanner.shortestPlain, end - start <= TokenScanner.longest else { return false }
        let text = bytes[start..<end]
        return text.contains(where: \.isDigit) && text.contains(where: \.isLetter)
    }

    /// How much of the beginning is the rest of an escape: `n` of `\n`, `u0022`, `3D` of `%3D`.
    private var escape: Int? {
        func areHex(_ range: Range<Int>) -> Bool { range.upperBound <= bytes.count && bytes[range].allSatisfy(\.isHexDigit) }
        guard !isCut, let first = bytes.first else { return nil }
        switch before {
        case UInt8(ascii: "%"): return areHex(0..<2) ? 2 : nil
        case UInt8(ascii: "\\"):
            if first == UInt8(ascii: "u"), areHex(1..<5) { return 5 }
            if first == UInt8(ascii: "x"), areHex(1..<3) { return 3 }
            return 1
        default: return nil
        }
    }

    // MARK: Keys in it

    private func isKey(at start: Int) -> Bool {
        start + 2 < bytes.count && bytes[start] == UInt8(ascii: "s") && bytes[start + 1] == UInt8(ascii: "k")
            && bytes[start + 2] == UInt8(ascii: "-")
    }

    /// Looks at what each `sk-` before `limit` begins. A stranger's key is told of when no secret of ours begins inside it.
    private mutating func lookForKeys(below limit: Int, ended: Bool, for judge: inout some TokenJudge) {
        var starts = 0
        var stranger: (sight: TokenSight, end: Int)?
        while told < limit, starts < TokenRun.mostStarts {
            let start = told
            told += 1
            guard isKey(at: start) else { continue }
            starts += 1
            if let past = stranger, start >= past.end {
                judge.saw(past.sight, line: line)
                stranger = nil
            }
            let end = min(bytes.count, start + TokenRun.window)
            let isWhole = ended && end == bytes.count
            if let (number, last) = ours(from: start, to: end, isWhole, for: &judge) {
                judge.saw(.ours(number), line: line)
                stranger = nil
                told = last
            } else if stranger == nil {
                stranger = self.stranger(from: start, to: end, isWhole)
            }
        }
        if let stranger { judge.saw(stranger.sight, line: line) }
        told = max(told, limit)
    }

    /// The longest first: what is joined to a secret by a sign lies behind it.
    private func ours(from start: Int, to end: Int, _ isWhole: Bool, for judge: inout some TokenJudge) -> (Int, Int)? {
        var tries = 0
        for last in stride(from: end, through: start + TokenScanner.shortest, by: -1) {
            guard last == end ? isWhole : bytes[last].isSign else { continue }
            if let number = judge.number(of: bytes.span.extracting(start..<last)) { return (number, last) }
            tries += 1
            if tries == TokenRun.mostEnds { return nil }
        }
        return nil
    }

    /// Nil for what only happens to have these letters in it: `task-list`, `sk-folding-cube`, `sk-xxxxxxxxxxxxxxxxxxxx`.
    private func stranger(from start: Int, to end: Int, _ isWhole: Bool) -> (sight: TokenSight, end: Int)? {
        let left = start == 0 ? before : bytes[start - 1]
        guard start == escape || !(left.isDigit || left.isLetter) else { return nil }
        let last = (bytes[start..<end].lastIndex { !$0.isSign } ?? start) + 1
        guard last - start >= 3 + 20 else { return nil }
        let parts = bytes[start + 3..<last].split(whereSeparator: \.isSign)
        guard parts.contains(where: { $0.count >= 16 && $0.contains(where: \.isDigit) && $0.contains(where: \.isLetter) }) else {
            return nil
        }
        let head = String(decoding: bytes[start..<start + 6], as: UTF8.self)
        guard isWhole || end < start + TokenRun.window else { return (.unknown(mask: "\(head)***", length: nil), end) }
        return (.unknown(mask: "\(head)***\(String(decoding: bytes[last - 2..<last], as: UTF8.self))", length: last - start), last)
    }
}
