/// The candidate that a misspelt word most likely means: few edits away in proportion to its length, or none.
package func nearest(to word: String, among candidates: some Collection<String>) -> String? {
    let word = word.lowercased()
    let distances = candidates.map { (name: $0, edits: edits(from: word, to: $0.lowercased())) }
    guard let best = distances.min(by: { ($0.edits, $0.name) < ($1.edits, $1.name) }) else { return nil }
    return best.edits <= max(1, best.name.count / 3) ? best.name : nil
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other (optimal string alignment).
private func edits(from one: String, to other: String) -> Int {
    let one = Array(one.unicodeScalars.prefix(64))
    let other = Array(other.unicodeScalars.prefix(64))
    var older: [Int] = []
    var old = Array(0...other.count)
    for i in one.indices {
        var row = [i + 1]
        for j in other.indices {
            var best = min(old[j] + (one[i] == other[j] ? 0 : 1), old[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, one[i] == other[j - 1], one[i - 1] == other[j] { best = min(best, older[j - 1] + 1) }
            row.append(best)
        }
        (older, old) = (old, row)
    }
    return old[other.count]
}
