package import KeyturnEngine

/// What a scan found, and what it could not look at. Bounded, whatever there was: beyond a limit things are only counted.
package struct ScanReport: Sendable {
    package static let mostFinds = 10_000
    package static let mostTroubles = 100

    /// Secrets of ours where none should be.
    package var finds: [ScanFind] = []
    /// In the keyring, and in targets that are to hold them.
    package var expected: [ScanFind] = []
    package var unknown: [UnknownFind] = []
    /// Finds of all three kinds beyond `mostFinds`.
    package var more = 0

    /// What could not be looked at, or not to its end: sentences that begin with the path; the first of `troubleCount`.
    package var troubles: [String] = []
    package var troubleCount = 0
    /// A PATH as it was given could not be looked at, or a history that was asked for.
    package var isIncomplete = false
    /// Repositories whose history was not asked for; the first of `historiesLeftCount`.
    package var historiesLeft: [String] = []
    package var historiesLeftCount = 0

    package var files = 0
    package var members = 0
    package var objects = 0
    package var bytes: Int64 = 0
    package var links = 0
    /// Named pipes, sockets, devices, and file systems that are none (`/proc`).
    package var special = 0

    package init() {}

    mutating func add(_ find: ScanFind, isExpected: Bool) {
        guard hasRoom() else { return }
        if isExpected { expected.append(find) } else { finds.append(find) }
    }

    mutating func add(_ find: UnknownFind) { if hasRoom() { unknown.append(find) } }

    private mutating func hasRoom() -> Bool {
        guard finds.count + expected.count + unknown.count < ScanReport.mostFinds else {
            more += 1
            return false
        }
        return true
    }

    mutating func trouble(_ path: String, _ why: String, isAsked: Bool = false) {
        troubleCount += 1
        isIncomplete = isIncomplete || isAsked
        if troubles.count < ScanReport.mostTroubles { troubles.append("\(path): \(why)") }
    }
}

/// Where a scan looks: a file, a member of an archive, an object of a repository.
package struct ScanPlace: Sendable, Hashable, Comparable {
    /// As it was reached from the PATH given; `-` for standard input. Of a history the repository.
    package var file: String
    /// The name inside the archive `file`.
    package var member: String?
    package var object: ObjectPlace?

    package init(file: String, member: String? = nil, object: ObjectPlace? = nil) {
        self.file = file
        self.member = member
        self.object = object
    }

    package static func < (one: ScanPlace, other: ScanPlace) -> Bool {
        (one.file, one.member ?? "", one.object?.path ?? "", one.object?.id ?? "")
            < (other.file, other.member ?? "", other.object?.path ?? "", other.object?.id ?? "")
    }
}

/// An object of a git history.
package struct ObjectPlace: Sendable, Hashable {
    package enum Kind: String, Sendable {
        case blob, commit, tag
    }

    package var kind: Kind
    package var id: String
    /// The first commit that brings it, or itself; nil where no ref and no reflog leads to it.
    package var commit: String?
    /// Of a blob: its path in that commit.
    package var path: String?
}

package struct ScanFind: Sendable, Equatable {
    package var generation: FingerprintedGeneration
    package var place: ScanPlace
    /// The first one, from 1.
    package var line: Int
    package var times: Int
}

/// A string that looks like a key and is none of ours, as far as it may be shown.
package struct UnknownKey: Sendable, Hashable {
    package var mask: String
    /// Nil: longer than any that is looked for.
    package var length: Int?
}

package struct UnknownFind: Sendable, Equatable {
    package var key: UnknownKey
    package var place: ScanPlace
    package var line: Int
    package var times: Int
}
