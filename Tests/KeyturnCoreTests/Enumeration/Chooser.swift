/// Answers every question of one turn by a script; the next script answers the last question that has another answer
/// otherwise, until all have been given.
struct Chooser {
    private(set) var script: [Int]
    private var widths: [Int] = []
    private var position = 0
    /// What happened, in words; nil where nobody reads it.
    var story: [String]?

    init(script: [Int] = [], tells: Bool = false) {
        self.script = script
        story = tells ? [] : nil
    }

    /// In 0 ..< `width`.
    mutating func pick(_ width: Int) -> Int {
        if position == script.count { script.append(0) }
        widths.append(width)
        position += 1
        return script[position - 1]
    }

    /// The script to try after this one; nil when all were tried.
    var next: [Int]? {
        var next = script
        while let last = next.last {
            if last + 1 < widths[next.count - 1] {
                next[next.count - 1] += 1
                return next
            }
            next.removeLast()
        }
        return nil
    }

    mutating func tell(_ words: @autoclosure () -> String) {
        if story != nil { story?.append(words()) }
    }
}
