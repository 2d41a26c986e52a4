import Foundation
import Glibc
import KeyturnCore

/// Every object of a repository that holds text of people's, streamed once out of git; then the commits of those alone that hold
/// something.
///
/// `cat-file --batch-all-objects` gives what is in the repository, whatever leads to it: refs of all kinds, stashes, reflogs, and what
/// was amended away and not yet collected. Each object comes once, however many commits share it.
struct GitHistory {
    private let repository: Repository
    private let matcher: SecretMatcher
    private let progress: (_ objects: Int, _ bytes: Int64) -> Void
    private(set) var troubles: [String] = []

    /// Objects whose commits are looked for, by one run of git that is told them all.
    private static let mostObjects = 1000

    init(_ repository: Repository, _ matcher: SecretMatcher, progress: @escaping (_ objects: Int, _ bytes: Int64) -> Void) {
        self.repository = repository
        self.matcher = matcher
        self.progress = progress
    }

    mutating func search() throws(GitProgram.Failure) -> [(ObjectPlace, PlaceJudge)] {
        var found = try objects()
        try nameCommits(of: &found)
        return found
    }

    // MARK: Objects

    private mutating func objects() throws(GitProgram.Failure) -> [(ObjectPlace, PlaceJudge)] {
        let git = try GitProgram(folder: repository.folder, ["cat-file", "--batch", "--batch-all-objects", "--unordered", "--buffer"])
        var reader = PieceReader(git.output)
        var found: [(ObjectPlace, PlaceJudge)] = []
        var left = 0
        while let line = reader.line() {
            let words = line.split(separator: " ")
            guard words.count == 3, let size = Int64(words[2]) else {
                // One that is damaged is told by git in a line of its own.
                guard words.count == 2 else { throw GitProgram.Failure(description: "git's answer is not understood") }
                left += 1
                continue
            }
            guard let kind = ObjectPlace.Kind(rawValue: String(words[1])) else {
                guard reader.pass(size + 1, { _ in }) else { break }
                continue
            }
            var judge = PlaceJudge(matcher)
            var scanner = TokenScanner()
            let isWhole = reader.pass(size) { scanner.scan($0, for: &judge) }
            scanner.finish(for: &judge)
            progress(1, size)
            if !judge.isEmpty {
                if found.count < ScanReport.mostFinds {
                    let commit = kind == .commit ? String(words[0]) : nil
                    found.append((ObjectPlace(kind: kind, id: String(words[0]), commit: commit), judge))
                } else {
                    left += 1
                }
            }
            guard isWhole, reader.pass(1, { _ in }) else { break }
        }
        if left > 0 { troubles.append("\(left) more objects of its history are damaged, or hold secrets and are not named") }
        git.closeOutput()
        let status = git.end()
        guard status == 0 else {
            throw GitProgram.Failure(description: "git ended with status \(status); `git -C \(repository.path) fsck` may say more")
        }
        return found
    }

    // MARK: Commits

    /// The first commit, parents before their children, that brings each blob, and its path there.
    private mutating func nameCommits(of found: inout [(ObjectPlace, PlaceJudge)]) throws(GitProgram.Failure) {
        let blobs = found.indices.filter { found[$0].0.kind == .blob }
        guard !blobs.isEmpty else { return }
        var places: [String: Int] = [:]
        for index in blobs.prefix(GitHistory.mostObjects) { places[found[index].0.id] = index }
        if blobs.count > places.count { troubles.append("the commits of \(blobs.count - places.count) more objects were not looked for") }
        let commits = try GitProgram(
            folder: repository.folder,
            ["rev-list", "--all", "--reflog", "--topo-order", "--reverse", "--ignore-missing", "--end-of-options"])
        let options = ["diff-tree", "--stdin", "-r", "-z", "--root", "-m", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff"]
        let git = try GitProgram(
            folder: repository.folder, options + places.keys.sorted().map { "--find-object=\($0)" }, input: commits.output)
        commits.closeOutput()
        var reader = PieceReader(git.output)
        var commit: String?
        // `COMMIT NUL`, and for each change `:MODE MODE OLD NEW STATUS NUL PATH NUL`.
        while !places.isEmpty, let word = reader.line(upTo: 0) {
            guard word.hasPrefix(":") else {
                commit = word.trimmingCharacters(in: .newlines)
                continue
            }
            let fields = word.split(separator: " ")
            guard fields.count == 5, let path = reader.line(upTo: 0) else { break }
            guard let index = places.removeValue(forKey: String(fields[3])) else { continue }
            found[index].0.commit = commit
            found[index].0.path = path
        }
        // What no ref and no reflog leads to has no commit; git is not waited for once all have theirs.
        git.stop()
        commits.stop()
    }
}

extension PlaceJudge {
    var isEmpty: Bool { ours.isEmpty && unknown.isEmpty }
}
